//! The errors of the EC2 API.
//!
//! Codes and messages are EC2's own if they are documented or if somebody published a response that
//! contains them. Codes that are published nowhere are in [`Codes`](super::world::Codes).

/// An EC2 error.
#[derive(Clone, Debug)]
pub struct ApiError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl ApiError {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// An error with HTTP status 400, which EC2 uses for most client errors.
    pub fn client(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub fn throttle() -> Self {
        Self::new(503, "RequestLimitExceeded", "Request limit exceeded.")
    }

    pub fn missing_parameter(name: &str) -> Self {
        Self::client("MissingParameter", format!("The request must contain the parameter {name}"))
    }

    pub fn unknown_parameter(name: &str) -> Self {
        Self::client("UnknownParameter", format!("The parameter {name} is not recognized"))
    }

    pub fn invalid_value(name: &str, value: &str, expected: &str) -> Self {
        Self::client("InvalidParameterValue", format!("Value ( {value} ) for parameter {name} is invalid. {expected}"))
    }
}
