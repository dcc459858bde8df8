//! The flow of one invocation.

use aws_sdk_ec2::types::{AsnState, Byoasn};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tracing::{error, info};

use crate::{
    ec2::Ec2,
    error::{DEPROVISION_FAILED, Error, cut},
    event::{Mode, Request},
    wire::{Cause, Failure},
};

/// The most of an ID that is logged, in bytes: the event may be one of 6 MB, and EC2 is the judge of its length.
const LONGEST_ID: usize = 256;

/// What an invocation that succeeded answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The JSON that the caller sees.
    pub json: Value,
    /// The state of the ASN, where EC2 gave one.
    pub state: Option<String>,
    /// What happened, for the log.
    pub what: &'static str,
}

impl Response {
    /// The permission is there; nothing was changed.
    fn dry_run(request: &Request, message: &str) -> Self {
        let (ipam_id, asn) = (&request.ipam_id, request.asn.to_string());
        let json = json!({ "DryRun": true, "IpamId": ipam_id, "Asn": asn, "Message": message });
        Self { json, state: None, what: "the dry run passed" }
    }

    /// EC2 has accepted, now or at an earlier call. What it left out is left out.
    fn accepted(byoasn: Byoasn, what: &'static str) -> Self {
        let state = byoasn.state.map(|state| state.as_str().to_owned());
        let members = [
            ("Asn", byoasn.asn),
            ("IpamId", byoasn.ipam_id),
            ("State", state.clone()),
            ("StatusMessage", byoasn.status_message),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        Self { json: json!({ "Byoasn": given.collect::<Map<_, _>>() }), state, what }
    }
}

/// One invocation: event in, JSON or an [`Error`] out, and one line in the log.
///
/// # Errors
///
/// Every [`Error`].
pub async fn invoke(ec2: Ec2, dry_run_first: bool, event: String, deadline: Instant) -> Result<Value, Error> {
    let request = Request::parse(&event, dry_run_first);
    let outcome = match &request {
        Ok(request) => handle(&ec2, request, deadline).await,
        Err(invalid) => Err(invalid.clone()),
    };
    log_outcome(request.as_ref().ok(), &outcome);
    outcome.map(|response| response.json)
}

/// Says how an invocation ended.
fn log_outcome(request: Option<&Request>, outcome: &Result<Response, Error>) {
    let ipam_id = request.map(|request| cut(&request.ipam_id, LONGEST_ID));
    let asn = request.map(|request| request.asn.to_string());
    let dry_run = request.map(|request| request.mode == Mode::DryRun);
    match outcome {
        Ok(response) => {
            let state = response.state.as_deref();
            info!(ipam_id, asn, dry_run, state, "{}", response.what);
        }
        Err(error) => {
            let error_type = error.error_type.as_ref();
            let state = (error_type == DEPROVISION_FAILED).then_some("failed-deprovision");
            error!(ipam_id, asn, dry_run, state, error_type, "{}", error.message);
        }
    }
}

/// Does what the request asks, until `deadline`.
async fn handle(ec2: &Ec2, request: &Request, deadline: Instant) -> Result<Response, Error> {
    let target = format!("ASN {} from {}", request.asn, request.ipam_id);
    if request.mode != Mode::Deprovision {
        let doing = format!("Dry run of deprovisioning {target}");
        let message = match ec2.dry_run(request, deadline).await {
            Ok(Ok(message)) => message,
            Ok(Err(answer)) => return Err(Error::dry_run_not_honored(&doing, &answer)),
            Err(failure) => return Err(Error::from_failure(&doing, failure, "")),
        };
        if request.mode == Mode::DryRun {
            return Ok(Response::dry_run(request, &message));
        }
    }
    let doing = format!("Deprovisioning {target}");
    match ec2.deprovision(request, deadline).await {
        Ok((byoasn, answer)) if byoasn.state() == Some(&AsnState::FailedDeprovision) => {
            Err(Error::deprovision_failed(&doing, byoasn.status_message(), &answer))
        }
        Ok((byoasn, _)) => Ok(Response::accepted(byoasn, "EC2 has accepted")),
        Err(failure) => {
            let byoasn = look_again(ec2, request, deadline, &doing, failure).await?;
            Ok(Response::accepted(byoasn, "EC2 refused, because it had accepted earlier"))
        }
    }
}

/// Looks before giving up: which code EC2 uses for a repeat, a missing ASN or a remaining association
/// is documented nowhere. What is already so is success; that makes retries, duplicates and lost
/// answers harmless. A look that fails changes nothing about the refusal.
async fn look_again(
    ec2: &Ec2,
    request: &Request,
    deadline: Instant,
    doing: &str,
    failure: Failure,
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
            None if !entries.is_empty()
                && entries.iter().all(|entry| entry.state() == Some(&AsnState::Deprovisioned)) =>
            {
                return Ok(entries[0].clone());
            }
            // An unknown outcome stays so: EC2 is eventually consistent, and what it lists may be of before.
            None => Ec2::describe(entries),
        },
        Err(_) => "Its present state could not be read with DescribeIpamByoasn.".into(),
    };
    match ec2.associations(request.asn, deadline).await {
        Ok(cidrs) if !cidrs.is_empty() => {
            Err(Error::still_associated(doing, &code, &answer, &cidrs, &seen, failure.outcome_unknown))
        }
        Ok(_) => Err(Error::from_failure(doing, failure, &seen)),
        Err(_) => {
            let seen = format!("{seen} Its associations could not be read with DescribeByoipCidrs.");
            Err(Error::from_failure(doing, failure, &seen))
        }
    }
}
