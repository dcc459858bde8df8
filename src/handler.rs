//! The flow of one invocation.

use aws_sdk_ec2::types::{AsnState, Byoasn};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    ec2::{Ec2, is_retired},
    error::Error,
    event::{Mode, Request},
    wire::{Cause, Failure},
};

/// What an invocation that succeeded answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// The permission is there; nothing was changed.
    DryRun {
        /// What was asked.
        request: Request,
        /// EC2's own words.
        message: String,
    },
    /// EC2 has accepted, now or at an earlier call.
    Accepted(Byoasn),
}

impl Response {
    /// The state of the ASN, where EC2 gave one.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        match self {
            Self::DryRun { .. } => None,
            Self::Accepted(byoasn) => byoasn.state().map(AsnState::as_str),
        }
    }

    /// The JSON that the caller sees. What EC2 left out is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::DryRun { request, message } => json!({
                "DryRun": true,
                "IpamId": request.ipam_id,
                "Asn": request.asn.to_string(),
                "Message": message,
            }),
            Self::Accepted(byoasn) => {
                let members = [
                    ("Asn", byoasn.asn()),
                    ("IpamId", byoasn.ipam_id()),
                    ("State", self.state()),
                    ("StatusMessage", byoasn.status_message()),
                ];
                let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
                json!({ "Byoasn": given.collect::<Map<_, _>>() })
            }
        }
    }
}

/// Does what the request asks, until `deadline`.
///
/// # Errors
///
/// Every [`Error`] but `InvalidEvent`.
pub async fn handle(ec2: &Ec2, request: &Request, deadline: Instant) -> Result<Response, Error> {
    let target = format!("ASN {} from {}", request.asn, request.ipam_id);
    if request.mode != Mode::Deprovision {
        let doing = format!("Dry run of deprovisioning {target}");
        let message = match ec2.dry_run(request, deadline).await {
            Ok(message) => message,
            Err(None) => return Err(Error::dry_run_not_honored(&doing)),
            Err(Some(failure)) => return Err(Error::from_failure(&doing, failure, "")),
        };
        if request.mode == Mode::DryRun {
            return Ok(Response::DryRun { request: request.clone(), message });
        }
    }
    let doing = format!("Deprovisioning {target}");
    let byoasn = match ec2.deprovision(request, deadline).await {
        Ok(byoasn) => byoasn,
        Err(failure) => look_again(ec2, request, deadline, &doing, failure).await?,
    };
    if byoasn.state() == Some(&AsnState::FailedDeprovision) {
        return Err(Error::deprovision_failed(&doing, ec2.status_message(&byoasn).as_deref()));
    }
    Ok(Response::Accepted(byoasn))
}

/// Looks before giving up: which code EC2 uses for a repeat, a missing ASN or a remaining association
/// is documented nowhere. What is already so is success; that makes retries, duplicates and lost
/// answers harmless. A look that fails changes nothing about the refusal.
async fn look_again(
    ec2: &Ec2,
    request: &Request,
    deadline: Instant,
    doing: &str,
    mut failure: Failure,
) -> Result<Byoasn, Error> {
    let (code, answer) = match &failure.cause {
        Cause::Refused { code, answer } if answer.status == 400 => (code.clone(), answer.clone()),
        _ => return Err(Error::from_failure(doing, failure, "")),
    };
    // The second look gets its share, even where the first one hangs.
    let half = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
    let found = ec2.provisionings(request, half).await;
    let seen = match &found {
        Ok(entries) => match entries.iter().find(|entry| entry.state() == Some(&AsnState::PendingDeprovision)) {
            Some(pending) => return Ok(pending.clone()),
            // An ASN that was provisioned again is listed beside its `deprovisioned` entry for 7 days.
            None if !entries.is_empty() && entries.iter().all(is_retired) => return Ok(entries[0].clone()),
            None => {
                failure.outcome_unknown = false;
                describe(entries)
            }
        },
        Err(_) => "Its present state could not be read with DescribeIpamByoasn.".into(),
    };
    match ec2.associations(request.asn, deadline).await {
        Ok(cidrs) if !cidrs.is_empty() => Err(Error::still_associated(doing, &code, &answer, &cidrs)),
        _ => Err(Error::from_failure(doing, failure, &seen)),
    }
}

/// What a look found, as a sentence.
fn describe(entries: &[Byoasn]) -> String {
    if entries.is_empty() {
        return "DescribeIpamByoasn lists no such ASN under this IPAM.".into();
    }
    let states: Vec<_> = entries
        .iter()
        .map(|entry| {
            let state = entry.state().map_or("unknown", AsnState::as_str);
            entry.status_message().map_or_else(|| state.to_owned(), |message| format!("{state} ({message})"))
        })
        .collect();
    format!("DescribeIpamByoasn lists the ASN under this IPAM in state {}.", states.join(" and "))
}
