//! Invocations that are sent to the function.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One invocation. Use [`Invocation::new`] and change individual fields:
///
/// ```
/// use std::time::Duration;
/// use stand_ins::runtime_api::{Deadline, Invocation};
///
/// let short = Invocation {
///     deadline: Deadline::In(Duration::from_secs(2)),
///     ..Invocation::new("{}")
/// };
/// # assert_eq!(short.payload, b"{}");
/// ```
#[derive(Clone, Debug)]
pub struct Invocation {
    pub payload: Vec<u8>,
    pub deadline: Deadline,
    /// If this is `None`, a new ID is generated.
    pub request_id: Option<String>,
    pub function_arn: String,
    pub trace_id: String,
    /// The `ClientContext` of an `Invoke` call: JSON text from the caller.
    pub client_context: Option<String>,
    /// The Cognito identity of the caller, as JSON text.
    pub cognito_identity: Option<String>,
}

impl Invocation {
    /// An invocation with this payload and a deadline in 30 seconds.
    #[must_use]
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: payload.into(),
            deadline: Deadline::In(Duration::from_secs(30)),
            request_id: None,
            function_arn: "arn:aws:lambda:us-east-1:123456789012:function:deprovision-ipam-byoasn".to_owned(),
            trace_id: "Root=1-5e1b4151-5ac6c58f5b5daa6f5b5daa6f;Parent=53995c3f42cd8ad8;Sampled=0".to_owned(),
            client_context: None,
            cognito_identity: None,
        }
    }
}

/// The deadline that the function is given.
#[derive(Clone, Copy, Debug)]
pub enum Deadline {
    /// This long after the function receives the invocation.
    In(Duration),
    /// Any value, in milliseconds since 1970.
    At(u64),
}

impl Deadline {
    pub(super) fn as_millis(self) -> u128 {
        match self {
            Self::In(duration) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                (now + duration).as_millis()
            }
            Self::At(millis) => millis.into(),
        }
    }
}
