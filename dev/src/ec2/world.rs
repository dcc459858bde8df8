//! What there is in the stand-in's Region, as Rust values and as JSON.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::lifecycle::Pending;

/// The whole Region. A member left out of the JSON form has the value it has in the default:
/// `us-east-1` with one IPAM, `ipam-0123456789abcdef0`, and under it the ASN 64500, provisioned
/// and without associations.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    pub region: String,
    /// Access keys that may do nothing.
    pub denied_access_keys: Vec<String>,
    /// Actions that nobody may do.
    pub denied_actions: Vec<Action>,
    pub ipams: Vec<String>,
    pub asns: Vec<Asn>,
    pub cidrs: Vec<Cidr>,
    /// The most entries on a page, whatever `MaxResults` allows: many pages of few entries.
    pub page_size: usize,
    /// The HTTP status of `DryRunOperation`, which AWS does not document.
    pub dry_run_status: u16,
    /// Whether answers carry the request ID in a header too, or in the body only.
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
            page_size: MAX_PAGE,
            dry_run_status: 412,
            request_id_header: true,
            codes: Codes::default(),
        }
    }
}

/// What EC2 itself allows as `MaxResults`.
pub(super) const MAX_PAGE: usize = 100;

impl World {
    /// What is wrong with the values, for a world that comes from outside.
    pub(super) fn check(&self) -> Result<(), String> {
        const STATUSES: RangeInclusive<u16> = 400..=599;
        if self.page_size == 0 {
            return Err("page_size is 0, and wants at least 1".to_owned());
        }
        if !STATUSES.contains(&self.dry_run_status) {
            return Err(format!("dry_run_status is {}, and wants 400 to 599", self.dry_run_status));
        }
        let associations = self.cidrs.iter().flat_map(|cidr| &cidr.associations);
        let mut afters = self.asns.iter().map(|asn| asn.after).chain(associations.map(|association| association.after));
        if let Some(After::Seconds(seconds)) = afters
            .find(|after| matches!(after, After::Seconds(seconds) if Duration::try_from_secs_f64(*seconds).is_err()))
        {
            return Err(format!("after is {seconds} seconds, and wants 0 or more"));
        }
        Ok(())
    }
}

/// An entry of `DescribeIpamByoasn`, and what happens to it once it is deprovisioned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asn {
    pub asn: String,
    pub ipam_id: String,
    /// Any text, so that a state that no SDK knows can be given too.
    #[serde(default = "provisioned")]
    pub state: String,
    #[serde(default)]
    pub status_message: Option<String>,
    /// How long it stays `pending-deprovision`.
    #[serde(default = "two_looks")]
    pub after: After,
    /// The state after that.
    #[serde(default = "deprovisioned")]
    pub ends_in: String,
    /// The status message with that state.
    #[serde(default)]
    pub end_message: Option<String>,
    #[serde(skip)]
    pub(super) pending: Option<Pending>,
}

impl Asn {
    /// A provisioned ASN that will be `deprovisioned` after two looks.
    #[must_use]
    pub fn new(asn: &str, ipam_id: &str) -> Self {
        Self {
            asn: asn.to_owned(),
            ipam_id: ipam_id.to_owned(),
            state: provisioned(),
            status_message: None,
            after: two_looks(),
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

    /// Makes the deprovisioning end in `failed-deprovision`.
    #[must_use]
    pub fn fails(self, message: &str) -> Self {
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
    pub fn with(mut self, association: Association) -> Self {
        self.associations.push(association);
        self
    }
}

/// The association of an ASN with the CIDR that holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    pub asn: String,
    #[serde(default = "associated")]
    pub state: String,
    #[serde(default)]
    pub status_message: Option<String>,
    /// How long it stays `pending-disassociation`.
    #[serde(default = "one_look")]
    pub after: After,
    /// The state after that, or `gone` for an association that is then no longer listed.
    #[serde(default = "disassociated")]
    pub ends_in: String,
    #[serde(skip)]
    pub(super) pending: Option<Pending>,
}

impl Association {
    /// An association that will be `disassociated` after one look.
    #[must_use]
    pub fn new(asn: &str) -> Self {
        Self {
            asn: asn.to_owned(),
            state: associated(),
            status_message: None,
            after: one_look(),
            ends_in: disassociated(),
            pending: None,
        }
    }

    #[must_use]
    pub fn state(self, state: &str) -> Self {
        Self { state: state.to_owned(), ..self }
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

/// When something pending comes to its end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// After it was shown as pending in this many answers.
    Looks(u32),
    Seconds(f64),
}

/// The error codes that AWS documents nowhere. These are guesses after the habits of EC2, and
/// here to be changed: the function must not depend on them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// The IPAM has no such ASN.
    pub asn_not_found: String,
    /// The ASN is already being deprovisioned, or is, or is not provisioned yet.
    pub asn_in_wrong_state: String,
    /// Associations of the ASN remain.
    pub still_associated: String,
    /// The CIDR is not there or not associated with the ASN.
    pub association_not_found: String,
    /// The association is already being dissolved, or is.
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

fn one_look() -> After {
    After::Looks(1)
}

fn two_looks() -> After {
    After::Looks(2)
}
