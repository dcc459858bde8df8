//! The EC2 API actions that the stand-in supports.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    DeprovisionIpamByoasn,
    DescribeIpamByoasn,
    DescribeByoipCidrs,
    DisassociateIpamByoasn,
}

impl Action {
    const ALL: [Self; 4] =
        [Self::DeprovisionIpamByoasn, Self::DescribeIpamByoasn, Self::DescribeByoipCidrs, Self::DisassociateIpamByoasn];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeprovisionIpamByoasn => "DeprovisionIpamByoasn",
            Self::DescribeIpamByoasn => "DescribeIpamByoasn",
            Self::DescribeByoipCidrs => "DescribeByoipCidrs",
            Self::DisassociateIpamByoasn => "DisassociateIpamByoasn",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(super) const fn required(self) -> &'static [&'static str] {
        match self {
            Self::DeprovisionIpamByoasn => &["IpamId", "Asn"],
            Self::DescribeIpamByoasn => &[],
            Self::DescribeByoipCidrs => &["MaxResults"],
            Self::DisassociateIpamByoasn => &["Asn", "Cidr"],
        }
    }

    pub(super) const fn optional(self) -> &'static [&'static str] {
        match self {
            Self::DeprovisionIpamByoasn | Self::DisassociateIpamByoasn => &["DryRun"],
            Self::DescribeIpamByoasn => &["MaxResults", "NextToken", "DryRun"],
            Self::DescribeByoipCidrs => &["NextToken", "DryRun"],
        }
    }
}
