//! Properties of every error that a caller receives.

use deprovision_ipam_byoasn::error::Error;

/// Precedes an encoded authorization message.
const ENCODED_MARKER: &str = "Encoded authorization failure message: ";

/// Checks the error type, and that the message is one line of at most 2,000 bytes. An encoded authorization message in
/// `detail`, the variable part of the message, may extend it to 10,000 bytes. It is truncated only at that limit. Returns the
/// message.
pub fn check(error: &Error, detail: &str) -> String {
    let (error_type, message) = (error.error_type(), error.to_string());
    assert!(is_error_type(error_type), "{error_type:?}");
    assert!(!message.contains(changes_layout), "not a single line: {message:?}");
    let detail = detail.replace(changes_layout, " ");
    let encoded = encoded_message(&detail);
    let is_complete = message.contains(encoded);
    assert!(is_complete || message.len() == 10_000, "the encoded message is truncated: {message}");
    let max_bytes = if is_complete { 2_000 + encoded.len() } else { 10_000 };
    assert!(message.len() <= max_bytes.min(10_000), "{} bytes: {message}", message.len());
    message
}

/// Whether `Retry` and `Catch` of Step Functions can match a name.
pub fn is_error_type(name: &str) -> bool {
    let is_reserved = name.to_ascii_lowercase().starts_with("states.");
    (1..=256).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic()) && !is_reserved
}

/// Whether a character ends a line or changes the direction of writing.
pub fn changes_layout(c: char) -> bool {
    let is_bidirectional_control =
        "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".contains(c);
    c.is_control() || is_bidirectional_control || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The first encoded authorization message in a text. May be empty.
fn encoded_message(text: &str) -> &str {
    let (_, rest) = text.split_once(ENCODED_MARKER).unwrap_or_default();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_+/=".contains(c)).unwrap_or(rest.len());
    &rest[..end]
}
