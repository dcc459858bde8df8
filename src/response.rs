//! What an invocation returns if it succeeds.

use serde::Serialize;

use crate::event::Request;

/// The JSON that the caller sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// EC2 has accepted the deprovisioning, in this invocation or earlier.
    #[serde(rename_all = "PascalCase")]
    Accepted {
        /// The ASN as EC2 reports it.
        byoasn: Byoasn,
        /// Whether EC2 had accepted it before this invocation.
        #[serde(skip)]
        already_accepted: bool,
    },
    /// The dry run has passed; nothing was changed.
    #[serde(rename_all = "PascalCase")]
    DryRun {
        /// Always true.
        dry_run: bool,
        /// The ID of the IPAM.
        ipam_id: String,
        /// The ASN as asplain.
        asn: String,
        /// EC2's message.
        message: String,
    },
    /// The state of the ASN and its associations; nothing was changed.
    #[serde(rename_all = "PascalCase")]
    Report {
        /// Always true.
        describe_only: bool,
        /// The ID of the IPAM.
        ipam_id: String,
        /// The ASN as asplain.
        asn: String,
        /// Every entry of the ASN under the IPAM.
        byoasns: Vec<Byoasn>,
        /// Every association of the ASN that is not `disassociated`.
        asn_associations: Vec<AsnAssociation>,
    },
}

impl Response {
    pub(crate) fn dry_run(request: &Request, message: String) -> Self {
        Self::DryRun { dry_run: true, ipam_id: request.ipam_id.clone(), asn: request.asn.to_string(), message }
    }

    pub(crate) fn report(request: &Request, byoasns: Vec<Byoasn>, asn_associations: Vec<AsnAssociation>) -> Self {
        let (ipam_id, asn) = (request.ipam_id.clone(), request.asn.to_string());
        Self::Report { describe_only: true, ipam_id, asn, byoasns, asn_associations }
    }

    /// The state of the ASN after a deprovisioning.
    pub(crate) fn state(&self) -> Option<&str> {
        match self {
            Self::Accepted { byoasn, .. } => byoasn.state.as_deref(),
            Self::DryRun { .. } | Self::Report { .. } => None,
        }
    }

    /// What happened, for the log.
    pub(crate) fn summary(&self) -> &'static str {
        match self {
            Self::Accepted { already_accepted: false, .. } => "EC2 has accepted the deprovisioning",
            Self::Accepted { already_accepted: true, .. } => "EC2 had already accepted the deprovisioning",
            Self::DryRun { .. } => "the dry run has passed; nothing was changed",
            Self::Report { .. } => "the state was reported; nothing was changed",
        }
    }
}

/// An ASN in an IPAM, as EC2 reports it. Members that EC2 omits or sends empty are omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Byoasn {
    /// The ASN as asplain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<String>,
    /// The ID of the IPAM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam_id: Option<String>,
    /// The state, such as `pending-deprovision`. States that this build does not know are passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// EC2's message about the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
}

impl Byoasn {
    /// Whether the state is exactly this one. Used where a match means success.
    pub(crate) fn is_in_state(&self, state: &str) -> bool {
        self.state.as_deref() == Some(state)
    }

    /// Whether the state is `failed-deprovision`, in any case and with any invisible characters: a failure must not pass
    /// for a success because of its spelling.
    pub(crate) fn has_failed(&self) -> bool {
        let visible: String =
            self.state.iter().flat_map(|state| state.chars()).filter(char::is_ascii_graphic).collect();
        visible.eq_ignore_ascii_case("failed-deprovision")
    }
}

/// The association of an ASN with a CIDR, as EC2 reports it. Members that EC2 omits or sends empty are omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AsnAssociation {
    /// The CIDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
    /// The state of the association, such as `associated`. States that this build does not know are passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// EC2's message about the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// The state of the CIDR itself, such as `advertised`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byoip_cidr_state: Option<String>,
}
