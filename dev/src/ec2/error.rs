//! The errors of the EC2 API.
//!
//! Codes and messages are EC2's own where they are documented, or where people have published
//! what they got. The ones nobody has published are in [`Codes`](super::world::Codes).

/// An error as EC2 answers it.
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

    /// Most of what a client can do wrong.
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

    pub fn invalid_value(name: &str, value: &str, wanted: &str) -> Self {
        Self::client("InvalidParameterValue", format!("Value ( {value} ) for parameter {name} is invalid. {wanted}"))
    }
}
