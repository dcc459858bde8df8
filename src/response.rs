//! What an invocation returns if it succeeds.

use serde::Serialize;

use crate::{
    ec2::{AsnAssociation, Byoasn},
    event::Request,
};

/// The JSON that the caller sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// EC2 has accepted the deprovisioning, now or at an earlier call.
    #[serde(rename_all = "PascalCase")]
    Accepted {
        /// The ASN as EC2 reports it.
        byoasn: Byoasn,
        /// Whether EC2 had accepted it before this call.
        #[serde(skip)]
        before: bool,
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
            Self::Accepted { before: false, .. } => "EC2 has accepted the deprovisioning",
            Self::Accepted { before: true, .. } => "EC2 had already accepted the deprovisioning",
            Self::DryRun { .. } => "the dry run has passed; nothing was changed",
            Self::Report { .. } => "the state was reported; nothing was changed",
        }
    }
}
