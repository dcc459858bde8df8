//! What holds for every error that a caller sees.

use deprovision_ipam_byoasn::error::Error;

/// One line of at most 2,000 bytes, under a name that Step Functions does not keep for itself.
pub fn check(error: &Error) {
    let Error { error_type, message } = error;
    assert!(message.len() <= 2_000, "{} bytes: {message}", message.len());
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!message.contains(breaks), "not one line: {message:?}");
    assert!(!error_type.is_empty() && error_type.len() <= 256, "{error_type:?}");
    assert!(error_type.bytes().all(|b| b.is_ascii_graphic()), "{error_type:?}");
    assert!(!error_type.starts_with("States."), "{error_type:?}");
}
