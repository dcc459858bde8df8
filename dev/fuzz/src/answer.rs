//! An answer of EC2, or of whatever answers in its place, to the error that a caller sees.

use deprovision_ipam_byoasn::{
    answer::Answer,
    error::{EC2_BAD_RESPONSE, Error},
    secrets::Secrets,
    wire::{Cause, Failure},
};

use crate::message;

const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJr/SESSION+TOKEN==";

const DOING: &str = "Deprovisioning ASN 64500 from ipam-0123456789abcdef0";

/// Reads the input as an answer: a line `STATUS` or `STATUS REQUEST-ID`, then the body.
///
/// # Panics
///
/// Where a property does not hold.
pub fn check(input: &[u8]) {
    let head = input.split(|&b| b == b'\n').next().unwrap_or_default();
    let body = input.get(head.len() + 1..).unwrap_or_default();
    // An HTTP client lets no other bytes into a header that is read as text.
    let head: String = head.iter().filter(|b| (0x20..0x7f).contains(*b)).map(|&b| char::from(b)).collect();
    let (status, request_id) = head.split_once(' ').map_or((head.as_str(), None), |(status, id)| (status, Some(id)));
    let status = status.parse().ok().filter(|status| (100..1_000).contains(status)).unwrap_or(400);

    let secrets = secrets();
    let answer = Answer::read(status, request_id, Some(body), &secrets);
    for text in [&answer.code, &answer.message, &answer.request_id].into_iter().flatten() {
        keeps_secrets(text);
    }
    is_whole(&answer, body, &secrets);
    redaction(&String::from_utf8_lossy(body), &secrets);
    errors(&answer, &secrets.redact(&String::from_utf8_lossy(body)));
}

fn secrets() -> Secrets {
    Secrets::load(|name| {
        let value = match name {
            "AWS_ACCESS_KEY_ID" => ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY" => SECRET_ACCESS_KEY,
            _ => SESSION_TOKEN,
        };
        Some(value.to_owned())
    })
}

/// Every error that an answer can end in. `status_message` is what it says in other places than its error.
fn errors(answer: &Answer, status_message: &str) {
    let cause = Cause::from_answer(answer.clone(), "it has no byoasn");
    let associations: Vec<_> = status_message.split('<').map(str::to_owned).collect();
    let expected = match &cause {
        Cause::Refused { code, .. } => code.clone(),
        other => {
            assert!(matches!(other, Cause::BadResponse { .. }), "{other:?}");
            EC2_BAD_RESPONSE.to_owned()
        }
    };
    for outcome_unknown in [false, true] {
        let failed = Error::from_failure(DOING, Failure { cause: cause.clone(), outcome_unknown }, status_message);
        assert_eq!(failed.error_type, expected);
        let associated =
            Error::still_associated(DOING, &expected, answer, &associations, status_message, outcome_unknown);
        for error in [failed, associated] {
            assert_eq!(error.message.contains(" The outcome is unknown; it is safe to call again. ("), outcome_unknown);
            check_error(&error, answer);
        }
    }
    check_error(&Error::deprovision_failed(DOING, Some(status_message), answer), answer);
    check_error(&Error::dry_run_not_honored(DOING, answer), answer);
}

fn check_error(error: &Error, answer: &Answer) {
    message::check(error);
    let message = &error.message;
    keeps_secrets(message);
    assert!(message.starts_with(&format!("{DOING}: ")), "{message}");
    // What AWS Support asks for survives any length of what stands before it.
    let id = answer.request_id.as_deref().unwrap_or_default();
    let code = answer.code.as_deref().unwrap_or_default();
    if id.len() + code.len() <= 200 {
        assert!(message.contains(&format!("HTTP {}", answer.status)), "{message}");
        assert!(id.contains(is_break) || message.ends_with(&format!("{id})")), "{message}");
    }
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn keeps_secrets(text: &str) {
    for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN] {
        assert!(!text.contains(secret), "{secret} is in: {text}");
    }
    assert!(!has_signature(text), "a signature is in: {text}");
}

fn has_signature(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= 64)
}

/// Redaction takes secrets out and nothing else, and once is enough.
fn redaction(text: &str, secrets: &Secrets) {
    let redacted = secrets.redact(text);
    keeps_secrets(&redacted);
    assert_eq!(secrets.redact(&redacted), redacted);
    let has_secret = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN].iter().any(|secret| text.contains(secret));
    assert_eq!(redacted != text, has_secret || has_signature(text));
}

/// A document that lost its end is never taken for a whole one. Comments and processing instructions may
/// stand behind the end, so that a cut there loses nothing.
fn is_whole(answer: &Answer, body: &[u8], secrets: &Secrets) {
    let text = String::from_utf8_lossy(body);
    if answer.flaw.is_some() || text.contains("<!") || text.trim_start_matches("<?").contains("<?") {
        return;
    }
    for (cut, _) in text.rmatch_indices('<').take(8) {
        assert!(
            Answer::read(answer.status, None, Some(&text.as_bytes()[..cut]), secrets).flaw.is_some(),
            "cut at {cut}: {text}"
        );
    }
}
