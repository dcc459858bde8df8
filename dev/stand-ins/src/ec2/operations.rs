//! The four actions. The caller has applied the world's due transitions.

use super::action::Action;
use super::error::ApiError;
use super::lifecycle::{PENDING_DEPROVISION, PENDING_DISASSOCIATION, Pending};
use super::paging::Page;
use super::permission;
use super::query::Query;
use super::world::{Asn, Association, World};
use super::xml;

/// Executes the request. Returns the content of the response in XML, or the error.
pub fn execute(world: &mut World, query: &Query, dry_run: DryRun) -> Result<String, ApiError> {
    let credential = query.credential()?;
    credential.check_scope(&world.region)?;
    let action = query.validate()?;
    permission::check(world, &credential, action)?;
    if query.dry_run()? && dry_run == DryRun::Honored {
        return Err(ApiError::new(
            world.dry_run_status,
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        ));
    }
    match action {
        Action::DeprovisionIpamByoasn => deprovision_ipam_byoasn(world, query),
        Action::DescribeIpamByoasn => describe_ipam_byoasn(world, query),
        Action::DescribeByoipCidrs => describe_byoip_cidrs(world, query),
        Action::DisassociateIpamByoasn => disassociate_ipam_byoasn(world, query),
    }
}

/// Whether the `DryRun` parameter has an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    Honored,
    Ignored,
}

/// Executes the request, and then sets the state of the ASN that it deprovisioned.
pub fn execute_with_state(
    world: &mut World,
    query: &Query,
    state: &str,
    status_message: Option<String>,
) -> Result<String, ApiError> {
    let content = execute(world, query, DryRun::Honored)?;
    let Some(asn) = world.asns.iter_mut().find(|asn| {
        asn.state == PENDING_DEPROVISION
            && query.optional("Asn") == Some(&asn.asn)
            && query.optional("IpamId") == Some(&asn.ipam_id)
    }) else {
        return Ok(content);
    };
    state.clone_into(&mut asn.state);
    asn.status_message = status_message;
    Ok(xml::element("byoasn", &byoasn(asn)))
}

fn deprovision_ipam_byoasn(world: &mut World, query: &Query) -> Result<String, ApiError> {
    let ipam_id = query.required("IpamId")?;
    let number = asn_parameter(query)?;
    if !is_ipam_id(ipam_id) {
        return Err(ApiError::invalid_value("IpamId", ipam_id, "Expecting an ID of the form ipam-."));
    }
    if !world.ipams.iter().any(|known| known == ipam_id) {
        return Err(ApiError::client("InvalidIpamId.NotFound", format!("The ipam ID '{ipam_id}' does not exist")));
    }

    let codes = &world.codes;
    // The list keeps a deprovisioned entry for days. The same ASN can be provisioned again in the
    // meantime, and then has two entries.
    let Some(asn) = world
        .asns
        .iter_mut()
        .filter(|asn| asn.asn == number && asn.ipam_id == ipam_id)
        .max_by_key(|asn| asn.state != "deprovisioned")
    else {
        return Err(ApiError::client(
            &codes.asn_not_found,
            format!("The ASN {number} is not provisioned to the IPAM {ipam_id}"),
        ));
    };
    if matches!(&*asn.state, "pending-provision" | PENDING_DEPROVISION | "deprovisioned") {
        return Err(ApiError::client(
            &codes.asn_in_wrong_state,
            format!("The ASN {number} is in state {} and cannot be deprovisioned", asn.state),
        ));
    }
    if world.cidrs.iter().any(|cidr| {
        cidr.associations.iter().any(|association| association.asn == number && association.state != "disassociated")
    }) {
        return Err(ApiError::client(
            &codes.still_associated,
            format!("The ASN {number} has associations and cannot be deprovisioned"),
        ));
    }

    PENDING_DEPROVISION.clone_into(&mut asn.state);
    asn.status_message = None;
    asn.pending = Some(Pending::now());
    Ok(xml::element("byoasn", &byoasn(asn)))
}

fn describe_ipam_byoasn(world: &mut World, query: &Query) -> Result<String, ApiError> {
    let page = Page::new(query, Action::DescribeIpamByoasn, world.asns.len(), world.page_size)?;
    let mut items = String::new();
    for asn in &mut world.asns[page.start..page.end] {
        items.push_str(&xml::element("item", &byoasn(asn)));
        if let Some(pending) = &mut asn.pending {
            pending.count_describe();
        }
    }
    Ok([xml::element("byoasnSet", &items), xml::optional("nextToken", page.next_token.as_deref())].concat())
}

fn describe_byoip_cidrs(world: &mut World, query: &Query) -> Result<String, ApiError> {
    let page = Page::new(query, Action::DescribeByoipCidrs, world.cidrs.len(), world.page_size)?;
    let mut items = String::new();
    for cidr in &mut world.cidrs[page.start..page.end] {
        let mut associations = String::new();
        for association in &mut cidr.associations {
            let content = asn_association(association, &cidr.cidr);
            associations.push_str(&xml::element("item", &content));
            if let Some(pending) = &mut association.pending {
                pending.count_describe();
            }
        }
        let content = [
            xml::text("cidr", &cidr.cidr),
            xml::optional("description", cidr.description.as_deref()),
            xml::element("asnAssociationSet", &associations),
            xml::text("state", &cidr.state),
        ];
        items.push_str(&xml::element("item", &content.concat()));
    }
    Ok([xml::element("byoipCidrSet", &items), xml::optional("nextToken", page.next_token.as_deref())].concat())
}

fn disassociate_ipam_byoasn(world: &mut World, query: &Query) -> Result<String, ApiError> {
    let number = asn_parameter(query)?;
    let cidr = query.required("Cidr")?;
    if !is_cidr(cidr) {
        return Err(ApiError::invalid_value("Cidr", cidr, "It is not a CIDR."));
    }
    let codes = &world.codes;
    let Some(association) = world
        .cidrs
        .iter_mut()
        .filter(|known| known.cidr == cidr)
        .flat_map(|known| &mut known.associations)
        .find(|association| association.asn == number)
    else {
        return Err(ApiError::client(
            &codes.association_not_found,
            format!("The ASN {number} is not associated with the CIDR {cidr}"),
        ));
    };
    if matches!(&*association.state, "pending-association" | PENDING_DISASSOCIATION | "disassociated") {
        return Err(ApiError::client(
            &codes.association_in_wrong_state,
            format!("The association of the ASN {number} with the CIDR {cidr} is in state {}", association.state),
        ));
    }
    PENDING_DISASSOCIATION.clone_into(&mut association.state);
    association.pending = Some(Pending::now());
    let content = asn_association(association, cidr);
    Ok(xml::element("asnAssociation", &content))
}

fn byoasn(asn: &Asn) -> String {
    [
        xml::text("asn", &asn.asn),
        xml::text("ipamId", &asn.ipam_id),
        xml::optional("statusMessage", asn.status_message.as_deref()),
        xml::text("state", &asn.state),
    ]
    .concat()
}

fn asn_association(association: &Association, cidr: &str) -> String {
    [
        xml::text("asn", &association.asn),
        xml::text("cidr", cidr),
        xml::optional("statusMessage", association.status_message.as_deref()),
        xml::text("state", &association.state),
    ]
    .concat()
}

fn asn_parameter(query: &Query) -> Result<&str, ApiError> {
    let given = query.required("Asn")?;
    if given.bytes().all(|byte| byte.is_ascii_digit()) && given.parse::<u32>().is_ok() {
        Ok(given)
    } else {
        Err(ApiError::invalid_value("Asn", given, "Expecting a 2-byte or 4-byte ASN."))
    }
}

fn is_ipam_id(text: &str) -> bool {
    text.strip_prefix("ipam-").is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
    })
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        let Ok(address) = address.parse::<std::net::IpAddr>() else {
            return false;
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        length.parse::<u8>().is_ok_and(|length| length <= most)
    })
}
