//! Every way in which an invocation can fail: a stable name for `Catch` and a message that says what to do.

use std::fmt;

use lambda_runtime::Diagnostic;

use crate::{
    ec2::{CallError, CallErrorKind, ResponseMetadata, is_throttle},
    response::AsnAssociation,
    text::{ellipsize, to_single_line, truncate},
};

/// The event is not a valid request; nothing was sent to EC2.
pub const INVALID_EVENT: &str = "InvalidEvent";
/// EC2 refused, and CIDRs are still associated with the ASN.
pub const ASN_STILL_ASSOCIATED: &str = "AsnStillAssociated";
/// EC2 reports `failed-deprovision`.
pub const DEPROVISION_FAILED: &str = "DeprovisionFailed";
/// A dry run got a 2xx.
pub const DRY_RUN_NOT_HONORED: &str = "DryRunNotHonored";
/// EC2 did not respond in time.
pub const EC2_TIMEOUT: &str = "Ec2Timeout";
/// There was no connection to EC2, it broke before the response was complete, or what arrived was not HTTP.
pub const EC2_UNREACHABLE: &str = "Ec2Unreachable";
/// EC2's response cannot be understood.
pub const EC2_BAD_RESPONSE: &str = "Ec2BadResponse";
/// The environment has no usable credentials.
pub const CREDENTIALS_UNAVAILABLE: &str = "CredentialsUnavailable";
/// The function has a bug.
pub const FUNCTION_PANICKED: &str = "FunctionPanicked";

/// Part of every message about a call that EC2 may have executed although the invocation failed.
const OUTCOME_UNKNOWN: &str = " The outcome is unknown: check the state of the ASN with DescribeOnly, or call again.";

/// The maximum length of a message, not counting an encoded authorization message.
const MAX_MESSAGE_BYTES: usize = 2_000;

/// The maximum length of a message with an encoded authorization message, which cannot be decoded if it is truncated.
const MAX_MESSAGE_WITH_ENCODED_BYTES: usize = 10_000;

/// What remains of a head beside a very long encoded authorization message: the operation.
const MIN_HEAD_BYTES: usize = 100;

/// What precedes an encoded authorization message in EC2's message.
const ENCODED_MARKER: &str = "Encoded authorization failure message: ";

/// The maximum length of a reason that quotes the event or a panic. It leaves room for the rest of the message, so that
/// only a message from EC2 can exceed [`MAX_MESSAGE_BYTES`].
const MAX_REASON_BYTES: usize = 1_800;

/// The maximum length of the list of CIDRs in a message. It leaves room for EC2's message and the advice.
const MAX_CIDR_LIST_BYTES: usize = 1_000;

/// The maximum length of one CIDR with its state in that list.
const MAX_ASSOCIATION_BYTES: usize = 200;

/// The maximum length of what precedes the detail of a message. Only an extremely long IPAM ID exceeds it.
const MAX_HEAD_BYTES: usize = 1_400;

/// Why an invocation failed.
///
/// `Display` writes the `errorMessage`: one line without control characters. `operation` says what the function was doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The event breaks the rules of a request.
    InvalidEvent {
        /// Which member is wrong and what is expected.
        reason: String,
    },
    /// EC2 refused, and the ASN still has associations.
    AsnStillAssociated {
        /// What the function was doing.
        operation: String,
        /// EC2's refusal.
        error: Box<CallError>,
        /// The associations.
        associations: Vec<AsnAssociation>,
        /// The state of the ASN under the IPAM, as a sentence.
        observed_state: String,
    },
    /// EC2 accepted the request and reports `failed-deprovision`.
    DeprovisionFailed {
        /// What the function was doing.
        operation: String,
        /// EC2's message about the state.
        status_message: Option<String>,
        /// The response.
        metadata: ResponseMetadata,
    },
    /// A dry run got a 2xx.
    DryRunNotHonored {
        /// What the function was doing.
        operation: String,
        /// The 2xx response.
        metadata: ResponseMetadata,
    },
    /// A call to EC2 failed.
    Call {
        /// What the function was doing.
        operation: String,
        /// Why the call failed.
        error: Box<CallError>,
        /// What the function observed after a refusal, as sentences. May be empty.
        observed_state: String,
    },
    /// The function panicked.
    Panicked {
        /// The panic message.
        reason: String,
    },
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}

impl Error {
    /// The name that `Retry` and `Catch` of Step Functions match: a constant of this module, or EC2's code.
    #[must_use]
    pub fn error_type(&self) -> &str {
        match self {
            Self::InvalidEvent { .. } => INVALID_EVENT,
            Self::AsnStillAssociated { .. } => ASN_STILL_ASSOCIATED,
            Self::DeprovisionFailed { .. } => DEPROVISION_FAILED,
            Self::DryRunNotHonored { .. } => DRY_RUN_NOT_HONORED,
            Self::Call { error, .. } => match &error.kind {
                CallErrorKind::Refused { code, .. } => code,
                CallErrorKind::BadResponse { .. } => EC2_BAD_RESPONSE,
                CallErrorKind::Timeout => EC2_TIMEOUT,
                CallErrorKind::Unreachable { .. } => EC2_UNREACHABLE,
                CallErrorKind::NoCredentials => CREDENTIALS_UNAVAILABLE,
            },
            Self::Panicked { .. } => FUNCTION_PANICKED,
        }
    }

    /// The state of the ASN that the error reports, for the log.
    pub(crate) fn state(&self) -> Option<&'static str> {
        matches!(self, Self::DeprovisionFailed { .. }).then_some("failed-deprovision")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            Self::InvalidEvent { reason } => Message {
                head: String::new(),
                detail: ellipsize(reason, MAX_REASON_BYTES),
                tail: ". Nothing was sent to EC2.".into(),
            },
            Self::AsnStillAssociated { operation, error, associations, observed_state } => {
                still_associated(operation, error, associations, observed_state)
            }
            Self::DeprovisionFailed { operation, status_message, metadata } => {
                let detail = status_message.as_ref().map_or_else(
                    || "EC2 reports failed-deprovision and gives no reason.".into(),
                    |message| format!("EC2 reports failed-deprovision: {message}"),
                );
                Message { head: format!("{operation}: "), detail, tail: format!(" ({metadata})") }
            }
            Self::DryRunNotHonored { operation, metadata } => {
                let detail = "the dry run got a success instead of DryRunOperation. The outcome is unknown: the endpoint \
                              may have ignored DryRun and deprovisioned the ASN. Check AWS_ENDPOINT_URL_EC2 and the state \
                              of the ASN first.";
                Message { head: format!("{operation}: "), detail: detail.into(), tail: format!(" ({metadata})") }
            }
            Self::Call { operation, error, observed_state } => failed_call(operation, error, observed_state),
            Self::Panicked { reason } => Message {
                head: "The function panicked: ".into(),
                detail: ellipsize(reason, MAX_REASON_BYTES),
                tail: format!(".{OUTCOME_UNKNOWN}"),
            },
        };
        f.write_str(&message.into_line())
    }
}

fn still_associated(
    operation: &str,
    error: &CallError,
    associations: &[AsnAssociation],
    observed_state: &str,
) -> Message {
    let names: Vec<String> = associations
        .iter()
        .map(|AsnAssociation { cidr, state, .. }| {
            let state = state.as_deref().unwrap_or("state not reported");
            ellipsize(&format!("{} ({state})", cidr.as_deref().unwrap_or("CIDR not reported")), MAX_ASSOCIATION_BYTES)
        })
        .collect();
    let mut length = 0;
    let fits = |name: &&String| {
        length += name.len() + 2;
        length < MAX_CIDR_LIST_BYTES
    };
    let listed = names.iter().take_while(fits).count();
    let list = names[..listed].join(", ");
    let more = match names.len() - listed {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let advertised = |association: &AsnAssociation| {
        [&association.state, &association.byoip_cidr_state].into_iter().any(|s| s.as_deref() == Some("advertised"))
    };
    let first = if associations.iter().any(advertised) {
        "Re-advertise advertised CIDRs with Amazon's ASN (AdvertiseByoipCidr with Asn AWS) or withdraw them first. "
    } else {
        ""
    };
    let head = format!(
        "{operation}: CIDRs are still associated with the ASN: {list}{more}. {first}Call DisassociateIpamByoasn for each \
         CIDR and wait until it is disassociated. "
    );
    let ec2_message = match &error.kind {
        CallErrorKind::Refused { message: Some(message), .. } => format!(" EC2's message: {}", sentence(message)),
        _ => String::new(),
    };
    Message { head, detail: format!("{observed_state}{ec2_message}"), tail: end(error) }
}

fn failed_call(operation: &str, error: &CallError, observed_state: &str) -> Message {
    let detail = match &error.kind {
        CallErrorKind::Refused { message, .. } => {
            message.clone().unwrap_or_else(|| "EC2 refused the request and gave no message.".into())
        }
        CallErrorKind::BadResponse { error, .. } => format!("EC2's response cannot be understood: {error}."),
        CallErrorKind::Timeout => "EC2 did not respond in time.".into(),
        CallErrorKind::Unreachable { reason } => format!("no response from EC2: {reason}."),
        CallErrorKind::NoCredentials => "no usable credentials in the environment.".into(),
    };
    let observed = if observed_state.is_empty() { String::new() } else { format!(" {observed_state}") };
    Message {
        head: format!("{operation}: "),
        detail: format!("{}{observed}", sentence(&detail)),
        tail: advice(&error.kind).to_owned() + &end(error),
    }
}

/// The text with a full stop, which only some of EC2's messages have.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// What to do about a failed call, if there is something to add to EC2's message. May be empty. The space at the start
/// separates it from the detail.
fn advice(kind: &CallErrorKind) -> &'static str {
    let code = match kind {
        CallErrorKind::Refused { code, .. } => code.as_str(),
        CallErrorKind::BadResponse { .. } => return " Check the endpoint and the proxies on the way to it.",
        CallErrorKind::Timeout => return "",
        CallErrorKind::Unreachable { .. } => return " Check the network, the name resolution and the endpoint.",
        CallErrorKind::NoCredentials => {
            return " In Lambda they come from the function's role; elsewhere set AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY. Nothing was sent to EC2.";
        }
    };
    match code {
        "UnauthorizedOperation" => {
            " The function's role needs ec2:DeprovisionIpamByoasn on this IPAM, ec2:DescribeIpamByoasn and \
             ec2:DescribeByoipCidrs; `aws sts decode-authorization-message` decodes an encoded message."
        }
        "AuthFailure" | "ExpiredToken" | "RequestExpired" | "InvalidClientTokenId" => {
            " The credentials have expired or are not valid, or the clock is wrong. In Lambda, call again later."
        }
        _ if code.ends_with(".NotFound") => {
            " Call from the IPAM's account and in its home Region: EC2 does not find what is in another Region."
        }
        _ if is_throttle(code) => " EC2 throttled the request: call again later.",
        _ => "",
    }
}

/// The end of a message about a failed call: whether the outcome is unknown, and ` (code …, HTTP …, request ID …)` if there
/// was a response.
fn end(error: &CallError) -> String {
    let unknown = if error.outcome_unknown { OUTCOME_UNKNOWN } else { "" };
    match &error.kind {
        CallErrorKind::Refused { code, metadata, .. } => format!("{unknown} (code {code}, {metadata})"),
        CallErrorKind::BadResponse { metadata, .. } => format!("{unknown} ({metadata})"),
        CallErrorKind::Timeout | CallErrorKind::Unreachable { .. } | CallErrorKind::NoCredentials => unknown.into(),
    }
}

/// A message whose detail is truncated if it is too long. The operation and the reference for AWS Support always remain.
struct Message {
    head: String,
    detail: String,
    tail: String,
}

impl Message {
    fn into_line(self) -> String {
        let [head, detail, tail] = [self.head, self.detail, self.tail].map(|part| to_single_line(&part));
        let (before, encoded, after) = split_encoded(&detail);
        let reserved = tail.len() + head.len().min(MIN_HEAD_BYTES);
        let encoded = truncate(encoded, MAX_MESSAGE_WITH_ENCODED_BYTES - reserved);
        // The marker counts like other text.
        let marker_bytes = ENCODED_MARKER.len().min(encoded.len());
        let limit = (MAX_MESSAGE_BYTES - marker_bytes).min(MAX_MESSAGE_WITH_ENCODED_BYTES - encoded.len());
        let head = ellipsize(&head, MAX_HEAD_BYTES.min(limit - tail.len()));
        let room = limit - head.len() - tail.len();
        let before = ellipsize(before, room);
        let after = ellipsize(after, room - before.len());
        format!("{head}{before}{encoded}{after}{tail}")
    }
}

/// The text before an encoded authorization message, the message itself with its marker, and the text after it.
fn split_encoded(text: &str) -> (&str, &str, &str) {
    let Some(start) = text.find(ENCODED_MARKER) else { return (text, "", "") };
    let encoded = start + ENCODED_MARKER.len();
    let is_encoded = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    let end = text[encoded..].find(|c| !is_encoded(c)).map_or(text.len(), |length| encoded + length);
    (&text[..start], &text[start..end], &text[end..])
}
