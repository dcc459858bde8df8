//! Assertions about responses, errors and log lines.

use serde_json::Value;
use stand_ins::runtime_api::Response;

use super::function::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN};

/// The response of an invocation, or its error as `(errorType, errorMessage)`.
pub type Outcome = Result<Value, (String, String)>;

/// Reads a response, and asserts that an error message is one line of limited length.
pub fn outcome(response: &Response) -> Outcome {
    let json = response.json();
    match response {
        Response::Success(_) => Ok(json),
        Response::Error { .. } => {
            let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned();
            let (error_type, message) = (text("errorType"), text("errorMessage"));
            // An encoded authorization message is not truncated.
            let limit = if message.contains("Encoded authorization failure message") { 10_000 } else { 2_000 };
            assert!(message.len() <= limit, "{} bytes: {message}", message.len());
            assert!(!message.contains(char::is_control), "not one line: {message:?}");
            Err((error_type, message))
        }
    }
}

/// Asserts the error type, and that the message contains all these parts. Returns the message.
#[track_caller]
pub fn assert_error(outcome: Outcome, error_type: &str, parts: &[&str]) -> String {
    let (actual, message) = outcome.expect_err("a response");
    assert_eq!(actual, error_type, "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
    message
}

/// Asserts that no credential appears in these log lines, and returns them.
#[track_caller]
pub fn assert_no_secrets(log: Vec<String>) -> Vec<String> {
    for line in &log {
        for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    log
}
