//! What the function sends back.

use std::time::{Duration, Instant};

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Response(Vec<u8>),
    Error {
        /// `Lambda-Runtime-Function-Error-Type`.
        error_type_header: Option<String>,
        body: Vec<u8>,
    },
}

impl Answer {
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }

    /// The body, be it a response or an error.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Response(body) | Self::Error { body, .. } => body,
        }
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(self.body());
            panic!("the answer is not JSON, {error}: {body}")
        })
    }
}

/// When an invocation was handed to the function, and when the answer came.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub handed: Instant,
    pub answered: Instant,
}

impl Timing {
    /// How long the function took, as the Runtime API sees it.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.answered - self.handed
    }
}
