//! What is sent to the function.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One invocation. Start from [`Invocation::new`] and change what matters:
///
/// ```
/// use std::time::Duration;
/// use stand_ins::runtime_api::{Deadline, Invocation};
///
/// let hurried = Invocation {
///     deadline: Deadline::In(Duration::from_secs(2)),
///     ..Invocation::new("{}")
/// };
/// # assert_eq!(hurried.payload, b"{}");
/// ```
#[derive(Clone, Debug)]
pub struct Invocation {
    pub payload: Vec<u8>,
    pub deadline: Deadline,
    /// A fresh one when there is none here.
    pub request_id: Option<String>,
    pub function_arn: String,
    pub trace_id: String,
    /// `ClientContext` of an `Invoke`: JSON, as whoever invokes wrote it.
    pub client_context: Option<String>,
}

impl Invocation {
    /// An event, to be answered in 30 seconds.
    #[must_use]
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: payload.into(),
            deadline: Deadline::In(Duration::from_secs(30)),
            request_id: None,
            function_arn: "arn:aws:lambda:us-east-1:123456789012:function:deprovision-ipam-byoasn".to_owned(),
            trace_id: "Root=1-5e1b4151-5ac6c58f5b5daa6f5b5daa6f;Parent=53995c3f42cd8ad8;Sampled=0".to_owned(),
            client_context: None,
        }
    }
}

/// When Lambda kills the function.
#[derive(Clone, Copy, Debug)]
pub enum Deadline {
    /// After this time, counted from when the function gets the invocation.
    In(Duration),
    /// At this time, in milliseconds since 1970, whether that makes sense or not.
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
