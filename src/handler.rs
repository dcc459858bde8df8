//! The flow of one invocation.

use tokio::{time::Instant, try_join};
use tracing::{error, info};

use crate::{
    ec2::{CallError, CallErrorKind, DryRunOutcome, Ec2, Retries},
    error::Error,
    event::{Mode, Request},
    response::{AsnAssociation, Byoasn, Response},
    text::truncate,
};

/// The maximum length of an IPAM ID in a log line. In an event it can be as long as the event: up to 6 MB.
const MAX_LOGGED_ID_BYTES: usize = 256;

/// Handles one event and logs one line about the result.
///
/// # Errors
///
/// Every [`Error`] but `Panicked`.
pub async fn invoke(ec2: Ec2, dry_run_first: bool, event: String, deadline: Instant) -> Result<Response, Error> {
    let request = parse(&ec2, &event, dry_run_first);
    let result = match &request {
        Ok(request) => handle(&ec2, request, deadline).await,
        Err(error) => Err(error.clone()),
    };
    log_result(request.as_ref().ok(), &result);
    result
}

/// Parses the event. An error message quotes the event, which may contain credentials. So an invalid event is parsed again
/// without them for the message: in a truncated quotation, a credential could not be recognized any more.
fn parse(ec2: &Ec2, event: &str, dry_run_first: bool) -> Result<Request, Error> {
    Request::parse(event, dry_run_first).map_err(|error| {
        let without_credentials = ec2.redactor().redact_credentials(event);
        let error = Request::parse(&without_credentials, dry_run_first).err().unwrap_or(error);
        Error::InvalidEvent { reason: ec2.redactor().redact(&error.to_string()) }
    })
}

fn log_result(request: Option<&Request>, result: &Result<Response, Error>) {
    let ipam_id = request.map(|request| truncate(&request.ipam_id, MAX_LOGGED_ID_BYTES));
    let asn = request.map(|request| request.asn.to_string());
    let dry_run = request.map(|request| request.mode == Mode::DryRun);
    let describe_only = request.map(|request| request.mode == Mode::DescribeOnly);
    match result {
        Ok(response) => {
            let state = response.state();
            info!(ipam_id, asn, dry_run, describe_only, state, "{}", response.summary());
        }
        Err(error) => {
            let (state, error_type) = (error.state(), error.error_type());
            error!(ipam_id, asn, dry_run, describe_only, state, error_type, "{error}");
        }
    }
}

/// Does what the request asks for, until `deadline`.
async fn handle(ec2: &Ec2, request: &Request, deadline: Instant) -> Result<Response, Error> {
    match request.mode {
        Mode::DescribeOnly => describe(ec2, request, deadline).await,
        Mode::DryRun => Ok(Response::dry_run(request, dry_run(ec2, request, deadline).await?)),
        Mode::DryRunFirst => {
            dry_run(ec2, request, deadline).await?;
            deprovision(ec2, request, deadline).await
        }
        Mode::Deprovision => deprovision(ec2, request, deadline).await,
    }
}

/// Reads both lists concurrently. If either cannot be read, the invocation fails: an incomplete report is never returned.
async fn describe(ec2: &Ec2, request: &Request, deadline: Instant) -> Result<Response, Error> {
    let described = try_join!(
        ec2.describe_byoasns(request, Retries::Configured, deadline),
        ec2.describe_associations(request.asn, Retries::Configured, deadline),
    );
    match described {
        Ok((byoasns, associations)) => Ok(Response::report(request, byoasns, associations)),
        Err(error) => Err(call_failed(format!("Describing ASN {} in {}", request.asn, request.ipam_id), error)),
    }
}

/// Returns EC2's message if the dry run has passed.
async fn dry_run(ec2: &Ec2, request: &Request, deadline: Instant) -> Result<String, Error> {
    let operation = format!("Dry run of deprovisioning {}", target(request));
    match ec2.dry_run(request, deadline).await {
        Ok(DryRunOutcome::Passed { message }) => Ok(message),
        Ok(DryRunOutcome::NotHonored(metadata)) => Err(Error::DryRunNotHonored { operation, metadata }),
        Err(error) => Err(call_failed(operation, error)),
    }
}

async fn deprovision(ec2: &Ec2, request: &Request, deadline: Instant) -> Result<Response, Error> {
    let operation = format!("Deprovisioning {}", target(request));
    match ec2.deprovision(request, deadline).await {
        Ok((byoasn, metadata)) if byoasn.has_failed() => {
            Err(Error::DeprovisionFailed { operation, status_message: byoasn.status_message, metadata })
        }
        Ok((byoasn, _)) => Ok(Response::Accepted { byoasn, already_accepted: false }),
        Err(error) if is_bad_request(&error) => reconcile(ec2, request, deadline, operation, error).await,
        Err(error) => Err(call_failed(operation, error)),
    }
}

/// Whether EC2 refused with HTTP 400, which it uses for requests that do not fit the state of the ASN, among others.
fn is_bad_request(error: &CallError) -> bool {
    matches!(&error.kind, CallErrorKind::Refused { metadata, .. } if metadata.status == 400)
}

/// Compares a refusal with the state of the ASN. If the ASN is already being deprovisioned, the result is a success: that
/// makes retries, duplicates and lost responses harmless.
///
/// AWS does not document which code EC2 uses for a repeat, a missing ASN or a remaining association, so the state decides
/// and not the code. If the state explains nothing or cannot be read, EC2's original error is returned.
async fn reconcile(
    ec2: &Ec2,
    request: &Request,
    deadline: Instant,
    operation: String,
    error: CallError,
) -> Result<Response, Error> {
    // The first list gets half of the remaining time, so that it leaves time for the second if it hangs.
    let half = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
    let byoasns = ec2.describe_byoasns(request, Retries::None, half).await;
    if let Some(byoasn) = byoasns.as_ref().ok().and_then(|byoasns| deprovisioned(byoasns)) {
        return Ok(Response::Accepted { byoasn: byoasn.clone(), already_accepted: true });
    }
    // `outcome_unknown` stays as it is: EC2 is eventually consistent, so a list that shows no change proves nothing.
    let associations = ec2.describe_associations(request.asn, Retries::None, deadline).await;
    let observed_state = observed_state(&byoasns, &associations);
    let error = Box::new(error);
    match associations {
        Ok(associations) if !associations.is_empty() => {
            Err(Error::AsnStillAssociated { operation, error, associations, observed_state })
        }
        _ => Err(Error::Call { operation, error, observed_state }),
    }
}

/// The entry that shows that the ASN is deprovisioned or about to be. EC2 lists `deprovisioned` and `failed-provision`
/// entries for 7 days, also beside the entry of an ASN that was provisioned again. So `deprovisioned` counts only if no
/// entry is live.
fn deprovisioned(byoasns: &[Byoasn]) -> Option<&Byoasn> {
    let in_state = |state| byoasns.iter().find(|byoasn| byoasn.is_in_state(state));
    let is_live = |byoasn: &Byoasn| !byoasn.is_in_state("deprovisioned") && !byoasn.is_in_state("failed-provision");
    in_state("pending-deprovision").or_else(|| in_state("deprovisioned").filter(|_| !byoasns.iter().any(is_live)))
}

/// What the describe calls showed after a refusal, as sentences.
fn observed_state<E>(byoasns: &Result<Vec<Byoasn>, E>, associations: &Result<Vec<AsnAssociation>, E>) -> String {
    let of_asn = match byoasns {
        Err(_) => "DescribeIpamByoasn failed, so the state of the ASN is not known.".to_owned(),
        Ok(byoasns) if byoasns.is_empty() => "DescribeIpamByoasn lists no such ASN under this IPAM.".to_owned(),
        Ok(byoasns) => {
            let state = |byoasn: &Byoasn| {
                let state = byoasn.state.as_deref().unwrap_or("unknown");
                byoasn.status_message.as_ref().map_or_else(|| state.into(), |message| format!("{state} ({message})"))
            };
            let states: Vec<String> = byoasns.iter().map(state).collect();
            format!("DescribeIpamByoasn lists the ASN under this IPAM in state {}.", states.join(" and "))
        }
    };
    let of_associations = match associations {
        Err(_) => " DescribeByoipCidrs failed, so the associations are not known.",
        Ok(associations) if associations.is_empty() && byoasns.as_ref().is_ok_and(|byoasns| !byoasns.is_empty()) => {
            " DescribeByoipCidrs lists no association in this Region. It does not show other Regions: check them with \
             `aws ec2 describe-byoip-cidrs --max-results 100 --region REGION`."
        }
        Ok(_) => "",
    };
    of_asn + of_associations
}

fn call_failed(operation: String, error: CallError) -> Error {
    Error::Call { operation, error: Box::new(error), observed_state: String::new() }
}

fn target(request: &Request) -> String {
    format!("ASN {} from {}", request.asn, request.ipam_id)
}
