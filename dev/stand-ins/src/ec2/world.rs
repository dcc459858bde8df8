//! The state of the stand-in's Region, in Rust and in JSON.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::lifecycle::Pending;

/// The state of a Region. A member that is missing in JSON has its default value. The default is
/// `us-east-1` with one IPAM, `ipam-0123456789abcdef0`, and with the ASN 64500, which is provisioned
/// under that IPAM and has no associations.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    pub region: String,
    /// Access keys whose calls are denied.
    pub denied_access_keys: Vec<String>,
    /// Actions that are denied for every access key.
    pub denied_actions: Vec<Action>,
    pub ipams: Vec<String>,
    pub asns: Vec<Asn>,
    pub cidrs: Vec<Cidr>,
    /// The maximum number of entries on a page, even if `MaxResults` allows more.
    pub page_size: usize,
    /// The HTTP status of `DryRunOperation`. AWS does not document it.
    pub dry_run_status: u16,
    /// Whether responses have the request ID in a header as well as in the body.
    pub request_id_header: bool,
    pub codes: Codes,
}

impl Default for World {
    fn default() -> Self {
        let ipam = "ipam-0123456789abcdef0";
        Self {
            region: "us-east-1".to_owned(),
            denied_access_keys: Vec::new(),
            denied_actions: Vec::new(),
            ipams: vec![ipam.to_owned()],
            asns: vec![Asn::new("64500", ipam)],
            cidrs: Vec::new(),
            page_size: MAX_PAGE_SIZE,
            dry_run_status: 412,
            request_id_header: true,
            codes: Codes::default(),
        }
    }
}

/// The maximum of `MaxResults` in EC2.
pub(super) const MAX_PAGE_SIZE: usize = 100;

impl World {
    /// Checks the values, and describes the first invalid one.
    pub(super) fn validate(&self) -> Result<(), String> {
        const STATUSES: RangeInclusive<u16> = 400..=599;
        if self.page_size == 0 {
            return Err("page_size is 0; expected at least 1".to_owned());
        }
        if !STATUSES.contains(&self.dry_run_status) {
            return Err(format!("dry_run_status is {}; expected 400 to 599", self.dry_run_status));
        }
        let associations = self.cidrs.iter().flat_map(|cidr| &cidr.associations);
        let mut afters = self.asns.iter().map(|asn| asn.after).chain(associations.map(|association| association.after));
        if let Some(After::Seconds(seconds)) = afters
            .find(|after| matches!(after, After::Seconds(seconds) if Duration::try_from_secs_f64(*seconds).is_err()))
        {
            return Err(format!("after is {seconds} seconds; expected 0 or more"));
        }
        Ok(())
    }
}

/// An entry of `DescribeIpamByoasn`, and what happens when it is deprovisioned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asn {
    pub asn: String,
    pub ipam_id: String,
    /// Any text: states that the SDK does not know are possible too.
    #[serde(default = "provisioned")]
    pub state: String,
    #[serde(default)]
    pub status_message: Option<String>,
    /// How long it stays `pending-deprovision`.
    #[serde(default = "two_describes")]
    pub after: After,
    /// The state after that.
    #[serde(default = "deprovisioned")]
    pub ends_in: String,
    /// The status message in that state.
    #[serde(default)]
    pub end_message: Option<String>,
    #[serde(skip)]
    pub(super) pending: Option<Pending>,
}

impl Asn {
    /// A provisioned ASN. Once deprovisioned, two describe responses show it as pending.
    #[must_use]
    pub fn new(asn: &str, ipam_id: &str) -> Self {
        Self {
            asn: asn.to_owned(),
            ipam_id: ipam_id.to_owned(),
            state: provisioned(),
            status_message: None,
            after: two_describes(),
            ends_in: deprovisioned(),
            end_message: None,
            pending: None,
        }
    }

    #[must_use]
    pub fn state(self, state: &str) -> Self {
        Self { state: state.to_owned(), ..self }
    }

    #[must_use]
    pub fn status_message(self, message: &str) -> Self {
        Self { status_message: Some(message.to_owned()), ..self }
    }

    #[must_use]
    pub fn after(self, after: After) -> Self {
        Self { after, ..self }
    }

    /// Makes the deprovisioning end in `failed-deprovision`, with this status message.
    #[must_use]
    pub fn ends_in_failure(self, message: &str) -> Self {
        Self { ends_in: "failed-deprovision".to_owned(), end_message: Some(message.to_owned()), ..self }
    }
}

/// An entry of `DescribeByoipCidrs`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cidr {
    pub cidr: String,
    #[serde(default)]
    pub description: Option<String>,
    /// Any text: states that the SDK does not know are possible too.
    #[serde(default = "advertised")]
    pub state: String,
    #[serde(default)]
    pub associations: Vec<Association>,
}

impl Cidr {
    /// An advertised CIDR without associations.
    #[must_use]
    pub fn new(cidr: &str) -> Self {
        Self { cidr: cidr.to_owned(), description: None, state: advertised(), associations: Vec::new() }
    }

    #[must_use]
    pub fn state(self, state: &str) -> Self {
        Self { state: state.to_owned(), ..self }
    }

    #[must_use]
    pub fn association(mut self, association: Association) -> Self {
        self.associations.push(association);
        self
    }
}

/// The association of an ASN with the CIDR that contains it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    pub asn: String,
    /// Any text: states that the SDK does not know are possible too.
    #[serde(default = "associated")]
    pub state: String,
    #[serde(default)]
    pub status_message: Option<String>,
    /// How long it stays `pending-disassociation`.
    #[serde(default = "one_describe")]
    pub after: After,
    /// The state after that. With `gone`, the association is then removed from the list.
    #[serde(default = "disassociated")]
    pub ends_in: String,
    #[serde(skip)]
    pub(super) pending: Option<Pending>,
}

impl Association {
    /// An association. Once dissolved, one describe response shows it as pending.
    #[must_use]
    pub fn new(asn: &str) -> Self {
        Self {
            asn: asn.to_owned(),
            state: associated(),
            status_message: None,
            after: one_describe(),
            ends_in: disassociated(),
            pending: None,
        }
    }

    #[must_use]
    pub fn state(self, state: &str) -> Self {
        Self { state: state.to_owned(), ..self }
    }

    #[must_use]
    pub fn status_message(self, message: &str) -> Self {
        Self { status_message: Some(message.to_owned()), ..self }
    }

    #[must_use]
    pub fn after(self, after: After) -> Self {
        Self { after, ..self }
    }

    #[must_use]
    pub fn ends_in(self, state: &str) -> Self {
        Self { ends_in: state.to_owned(), ..self }
    }
}

/// When a pending entry reaches its final state.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// After this many describe responses that showed it as pending.
    Describes(u32),
    /// After this time.
    Seconds(f64),
}

/// Error codes that AWS does not document. The defaults follow EC2's naming conventions. The function
/// must not depend on them, so tests can change them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// The IPAM does not have the ASN.
    pub asn_not_found: String,
    /// The ASN is `pending-provision`, `pending-deprovision` or `deprovisioned`.
    pub asn_in_wrong_state: String,
    /// The ASN still has associations.
    pub still_associated: String,
    /// The CIDR does not exist or is not associated with the ASN.
    pub association_not_found: String,
    /// The association is `pending-association`, `pending-disassociation` or `disassociated`.
    pub association_in_wrong_state: String,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            asn_not_found: "InvalidByoasn.NotFound".to_owned(),
            asn_in_wrong_state: "IncorrectState".to_owned(),
            still_associated: "DependencyViolation".to_owned(),
            association_not_found: "InvalidAsnAssociation.NotFound".to_owned(),
            association_in_wrong_state: "IncorrectState".to_owned(),
        }
    }
}

fn provisioned() -> String {
    "provisioned".to_owned()
}

fn deprovisioned() -> String {
    "deprovisioned".to_owned()
}

fn advertised() -> String {
    "advertised".to_owned()
}

fn associated() -> String {
    "associated".to_owned()
}

fn disassociated() -> String {
    "disassociated".to_owned()
}

fn one_describe() -> After {
    After::Describes(1)
}

fn two_describes() -> After {
    After::Describes(2)
}
