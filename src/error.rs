//! Every way an invocation can fail: a stable name for machines and one line for people.

use std::borrow::Cow;

use lambda_runtime::Diagnostic;

use crate::{
    answer::{Answer, is_throttle},
    wire::{Cause, Failure},
};

/// The event is not a valid request; nothing was sent to EC2.
pub const INVALID_EVENT: &str = "InvalidEvent";
/// EC2 refused, and CIDRs are still associated with the ASN.
pub const ASN_STILL_ASSOCIATED: &str = "AsnStillAssociated";
/// EC2 reports `failed-deprovision`.
pub const DEPROVISION_FAILED: &str = "DeprovisionFailed";
/// A dry run was answered with success.
pub const DRY_RUN_NOT_HONORED: &str = "DryRunNotHonored";
/// EC2 did not answer in time.
pub const EC2_TIMEOUT: &str = "Ec2Timeout";
/// There was no connection to EC2, or it broke before the answer.
pub const EC2_UNREACHABLE: &str = "Ec2Unreachable";
/// EC2's answer cannot be understood.
pub const EC2_BAD_RESPONSE: &str = "Ec2BadResponse";
/// The environment has no usable credentials.
pub const CREDENTIALS_UNAVAILABLE: &str = "CredentialsUnavailable";
/// The function itself has a bug.
pub const FUNCTION_PANICKED: &str = "FunctionPanicked";

/// Said wherever a call may have been carried out all the same.
pub(crate) const UNKNOWN: &str = "The outcome is unknown; it is safe to call again.";

/// What an invocation that failed answers, as Lambda's `errorType` and `errorMessage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The name that `Retry` and `Catch` of Step Functions match: one of this module's, or EC2's code.
    pub error_type: Cow<'static, str>,
    /// One line of at most 2,000 bytes without control characters.
    pub message: String,
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.error_type.into(), error_message: error.message }
    }
}

impl Error {
    /// An error whose message is cut in the `middle` where it is too long: what was being done and the
    /// reference for AWS Support are never lost.
    fn new(error_type: impl Into<Cow<'static, str>>, head: &str, middle: &str, tail: &str) -> Self {
        Self { error_type: error_type.into(), message: one_line(head, middle, tail) }
    }

    /// An event that breaks the rules, for a reason that names the member and what is wanted.
    #[must_use]
    pub fn invalid_event(why: &str) -> Self {
        Self::new(INVALID_EVENT, "", why, ". Nothing was sent to EC2.")
    }

    /// A panic: a bug of this function, wherever in its work it was.
    #[must_use]
    pub fn panicked(what: &str) -> Self {
        Self::new(FUNCTION_PANICKED, "The function panicked: ", what, &format!(". {UNKNOWN}"))
    }

    /// EC2 accepted the call and says that deprovisioning failed.
    #[must_use]
    pub fn deprovision_failed(doing: &str, status_message: Option<&str>, answer: &Answer) -> Self {
        let said = status_message.unwrap_or("EC2 gave no status message.");
        let head = format!("{doing}: EC2 reports failed-deprovision: ");
        Self::new(DEPROVISION_FAILED, &head, said, &reference(None, answer))
    }

    /// A dry run that EC2 answered with success, though a dry run that passes is an error by its name.
    #[must_use]
    pub fn dry_run_not_honored(doing: &str, answer: &Answer) -> Self {
        let said = "the dry run was answered with success instead of DryRunOperation. The endpoint may have ignored \
                    DryRun and deprovisioned. Look at AWS_ENDPOINT_URL_EC2 and at the state of the ASN before anything \
                    else.";
        Self::new(DRY_RUN_NOT_HONORED, &format!("{doing}: "), said, &reference(None, answer))
    }

    /// EC2 refused with `code`, and a look found `associations`, each a CIDR and its state, after another
    /// had `seen` the ASN: perhaps under another IPAM.
    #[must_use]
    pub fn still_associated(
        doing: &str,
        code: &str,
        answer: &Answer,
        associations: &[String],
        seen: &str,
        outcome_unknown: bool,
    ) -> Self {
        /// In bytes: what remains of a message is for EC2's own words and the advice.
        const ROOM: usize = 1_000;
        let mut length = 0;
        let fits = |next: &&String| {
            length += next.len() + 2;
            length < ROOM
        };
        let named = associations.iter().take_while(fits).count();
        let list = associations[..named].join(", ");
        let more = match associations.len() - named {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let head = format!(
            "{doing}: CIDRs are still associated with the ASN: {list}{more}. Call DisassociateIpamByoasn for each one first \
             and wait until it is disassociated. "
        );
        let said = answer.message.as_deref().unwrap_or("nothing");
        let unknown = if outcome_unknown { format!(" {UNKNOWN}") } else { String::new() };
        let tail = unknown + &reference(Some(code), answer);
        Self::new(ASN_STILL_ASSOCIATED, &head, &format!("{seen} EC2 said: {said}"), &tail)
    }

    /// A call that failed. `doing` says what the call was to do, `seen` what a look afterwards found.
    #[must_use]
    pub fn from_failure(doing: &str, failure: Failure, seen: &str) -> Self {
        let (error_type, said, advice, reference) = match failure.cause {
            Cause::Refused { code, answer } => {
                let reference = reference(Some(&code), &answer);
                let said = answer.message.unwrap_or_else(|| "EC2 refused and gave no message.".into());
                let advice = advice(&code);
                (Cow::Owned(code), said, advice, reference)
            }
            Cause::BadResponse { why, answer } => (
                EC2_BAD_RESPONSE.into(),
                format!("EC2's answer cannot be understood: {why}."),
                "Look at the endpoint and at proxies on the way to it.",
                reference(None, &answer),
            ),
            Cause::Timeout => (EC2_TIMEOUT.into(), "EC2 did not answer in time.".into(), "", String::new()),
            Cause::Unreachable { why } => (
                EC2_UNREACHABLE.into(),
                format!("no answer from EC2: {why}."),
                "Look at the network, the name resolution and the endpoint.",
                String::new(),
            ),
            Cause::NoCredentials => (
                CREDENTIALS_UNAVAILABLE.into(),
                "no usable credentials in the environment.".into(),
                "In Lambda they come from the function's role; elsewhere set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY. Nothing was sent to EC2.",
                String::new(),
            ),
        };
        let unknown = if failure.outcome_unknown { UNKNOWN } else { "" };
        // EC2 ends only some of its messages with a full stop.
        let stop = if said.ends_with(['.', '!', '?']) { "" } else { "." };
        let seen = if seen.is_empty() { String::new() } else { format!(" {seen}") };
        let sentences = [advice, unknown].into_iter().filter(|sentence| !sentence.is_empty());
        let tail: String = sentences.flat_map(|sentence| [" ", sentence]).chain([reference.as_str()]).collect();
        Self::new(error_type, &format!("{doing}: "), &format!("{said}{stop}{seen}"), &tail)
    }
}

/// What to do about a code, where more is known than EC2's message says.
fn advice(code: &str) -> &'static str {
    match code {
        "UnauthorizedOperation" => {
            "Allow ec2:DeprovisionIpamByoasn on this IPAM for the function's role; \
             `aws sts decode-authorization-message` reads an encoded message."
        }
        "AuthFailure" | "ExpiredToken" | "RequestExpired" | "InvalidClientTokenId" => {
            "Look at the credentials and at the clock."
        }
        _ if code.ends_with(".NotFound") => {
            "Call from the IPAM's account and in its home Region: another Region shows as not found."
        }
        _ if is_throttle(code) => "EC2 is throttling: call again later.",
        _ => "",
    }
}

/// ` (code …, HTTP …, request ID …)`, of what EC2 gave.
fn reference(code: Option<&str>, answer: &Answer) -> String {
    let code = code.map(|code| format!("code {code}, ")).unwrap_or_default();
    let id = answer.request_id.as_ref().map(|id| format!(", request ID {id}")).unwrap_or_default();
    format!(" ({code}HTTP {}{id})", answer.status)
}

/// Puts a message together on one line of at most 2,000 bytes, cutting `middle` where it is too long.
fn one_line(head: &str, middle: &str, tail: &str) -> String {
    const LONGEST: usize = 2_000;
    const CUT: &str = "…";
    let (head, middle, tail) = (unbroken(head), unbroken(middle), unbroken(tail));
    // Far more than either needs, unless the event or EC2 has a name of absurd length in it.
    let (head, tail) = (cut(&head, 1_400), cut(&tail, 500));
    let room = LONGEST - head.len() - tail.len();
    if middle.len() <= room {
        return format!("{head}{middle}{tail}");
    }
    format!("{head}{}{CUT}{tail}", cut(&middle, room.saturating_sub(CUT.len())))
}

/// The text on one line: without line breaks, and without what turns the direction of writing. Either
/// can make a log say what it does not.
pub(crate) fn unbroken(text: &str) -> String {
    let breaks = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(breaks, " ")
}

/// What fits into so many bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_2000_bytes_that_keeps_its_head_and_tail() {
        let message = one_line("head ", &"é\n".repeat(2_000), " tail");
        assert!(message.len() <= 2_000 && message.len() > 1_990, "{}", message.len());
        assert!(message.starts_with("head é é") && message.ends_with("… tail"), "{message}");
        assert_eq!(one_line("a\r\n", "b\u{2028}\u{85}\0\u{202e}", "c\t"), "a  b    c ");
        let long = "x".repeat(5_000);
        assert!(one_line(&long, &long, &long).len() <= 2_000);
    }

    fn answer(status: u16, code: &str) -> Answer {
        let message = Some("Said.".into());
        Answer { status, code: Some(code.into()), message, request_id: Some("id".into()), flaw: None }
    }

    fn refused(code: &str) -> Error {
        let cause = Cause::from_answer(answer(400, code), "it has no byoasn");
        Error::from_failure("Doing", Failure { cause, outcome_unknown: false }, "")
    }

    #[test]
    fn cidrs_are_named_as_far_as_a_thousand_bytes_go() {
        let named = |bytes: usize| {
            let associations = vec!["x".repeat(bytes); 10];
            Error::still_associated("Doing", "Code", &answer(400, "Code"), &associations, "", false).message
        };
        // Each is followed by a comma and a blank: ten of 97 bytes are 990 bytes, ten of 98 are 1,000.
        assert!(!named(97).contains(" more"), "{}", named(97));
        assert!(named(98).contains("x and 1 more. Call Disassociate"), "{}", named(98));
        assert!(named(498).contains("x and 9 more. Call Disassociate"), "{}", named(498));
    }

    #[test]
    fn that_the_outcome_is_unknown_is_never_cut() {
        let seen = "x".repeat(5_000);
        let error = |unknown| Error::still_associated("Doing", "C", &answer(400, "C"), &["y".into()], &seen, unknown);
        assert!(error(true).message.ends_with(&format!("… {UNKNOWN} (code C, HTTP 400, request ID id)")));
        assert!(!error(false).message.contains(UNKNOWN));
    }

    #[test]
    fn a_code_that_more_is_known_about_comes_with_advice() {
        for (code, advice) in [
            ("UnauthorizedOperation", "Allow ec2:DeprovisionIpamByoasn on this IPAM"),
            ("AuthFailure", "Look at the credentials and at the clock."),
            ("ExpiredToken", "Look at the credentials and at the clock."),
            ("RequestExpired", "Look at the credentials and at the clock."),
            ("InvalidClientTokenId", "Look at the credentials and at the clock."),
            ("InvalidIpamId.NotFound", "Call from the IPAM's account and in its home Region"),
            ("RequestLimitExceeded", "EC2 is throttling: call again later."),
            ("EC2ThrottledException", "EC2 is throttling: call again later."),
            ("Throttling", "EC2 is throttling: call again later."),
        ] {
            let message = refused(code).message;
            assert!(message.starts_with(&format!("Doing: Said. {advice}")), "{message}");
            assert!(message.ends_with(&format!(" (code {code}, HTTP 400, request ID id)")), "{message}");
        }
        assert_eq!(refused("IncorrectState").message, "Doing: Said. (code IncorrectState, HTTP 400, request ID id)");
    }

    #[test]
    fn a_code_is_passed_on_when_retry_and_catch_can_name_it() {
        let longest = "x".repeat(256);
        for code in ["InternalError", "Invalid.A-b_c", "States", "Not.States.ALL", &longest] {
            assert_eq!(refused(code).error_type, code);
        }
        let longer = "x".repeat(257);
        for code in ["States.ALL", "States.", "two words", "é", "tab\t", &longer] {
            assert_eq!(refused(code).error_type, EC2_BAD_RESPONSE, "{code}");
        }
    }
}
