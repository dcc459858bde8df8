//! The function's response to an invocation.

use std::time::{Duration, Instant};

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    Success(Vec<u8>),
    Error {
        /// `Lambda-Runtime-Function-Error-Type`.
        error_type_header: Option<String>,
        body: Vec<u8>,
    },
}

impl Response {
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }

    #[must_use]
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Success(body) | Self::Error { body, .. } => body,
        }
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If the body is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(self.body());
            panic!("the response is not JSON, {error}: {body}")
        })
    }
}

/// When the function received an invocation, and when it responded.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub invoked: Instant,
    pub responded: Instant,
}

impl Timing {
    /// The duration of the invocation, as the Runtime API measures it.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.responded - self.invoked
    }
}
