//! Faults on demand.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

pub use crate::http::{Interruption, Point};

/// A fault that affects one call. `after_effect` says whether the call is executed before the fault
/// occurs: a client that loses its connection cannot know.
///
/// In the message of [`Fault::Error`] and in the body of [`Fault::Raw`], the placeholders
/// `{authorization}` and `{session_token}` are replaced by the request's values. A test can then
/// check that a client never prints them.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// 503 `RequestLimitExceeded`.
    Throttle,
    /// An error in EC2's format.
    Error { status: u16, code: String, message: String },
    /// An error in EC2's format without the `Code`.
    NoCode { status: u16 },
    /// A response without a body.
    EmptyBody { status: u16 },
    /// An HTML page, such as proxies and load balancers send.
    Html { status: u16 },
    /// XML that ends in the middle. With status 200, the call is executed and its response is
    /// truncated. With another status, an error is truncated.
    TruncatedXml { status: u16 },
    /// The normal response after some time. Without `after_effect`, the call is executed after that
    /// time too, and not at all if the client disconnects first.
    Slow {
        seconds: f64,
        #[serde(default)]
        after_effect: bool,
    },
    /// No response, on a connection that stays open.
    Hang {
        #[serde(default)]
        after_effect: bool,
    },
    /// A connection reset (RST) in place of a response.
    Reset {
        #[serde(default)]
        after_effect: bool,
    },
    /// A closed connection (FIN) in place of a response.
    Close {
        #[serde(default)]
        after_effect: bool,
    },
    /// The first half of the normal response, and then a closed connection. The call is executed.
    HalfResponse,
    /// A response that is interrupted at this point. With status 200, it is the normal response, and
    /// the call is executed unless the point is `Start` and `after_effect` is false. With another
    /// status, it is an `InternalError`, and the call is executed if `after_effect` is true.
    Interrupted {
        at: Point,
        by: Interruption,
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        after_effect: bool,
    },
    /// The normal response after some time, with `connection: close`: the next call needs a new
    /// connection.
    CloseAfterResponse {
        #[serde(default)]
        seconds: f64,
    },
    /// A success that contains only a request ID. The call is executed.
    NoByoasn,
    /// The deprovisioned ASN gets this state at once, and the response shows it.
    State {
        state: String,
        #[serde(default)]
        status_message: Option<String>,
    },
    /// The parameter `DryRun` is ignored in the response. With `after_effect`, the real call is also
    /// executed.
    DryRunIgnored {
        #[serde(default)]
        after_effect: bool,
    },
    /// A response with this status, these headers and this body, sent unchanged. The headers may
    /// contradict the body, and their values may contain line breaks. In JSON, the body is text.
    Raw {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default, deserialize_with = "text")]
        body: Vec<u8>,
        #[serde(default)]
        after_effect: bool,
    },
}

impl Fault {
    /// An error in EC2's format.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// A response with this body, as XML. The call is not executed.
    #[must_use]
    pub fn raw(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Raw {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), "text/xml".to_owned())]),
            body: body.into(),
            after_effect: false,
        }
    }

    /// Checks the values, and describes the first invalid one.
    pub(super) fn validate(&self) -> Result<(), String> {
        match self {
            Self::Error { status, .. }
            | Self::NoCode { status }
            | Self::EmptyBody { status }
            | Self::Html { status }
            | Self::TruncatedXml { status }
            | Self::Interrupted { status, .. }
                if !(200..=599).contains(status) =>
            {
                Err(format!("status is {status}; expected 200 to 599"))
            }
            Self::Slow { seconds, .. }
            | Self::CloseAfterResponse { seconds }
            | Self::Interrupted { by: Interruption::Drip { seconds }, .. }
                if std::time::Duration::try_from_secs_f64(*seconds).is_err() =>
            {
                Err(format!("seconds is {seconds}; expected 0 or more"))
            }
            _ => Ok(()),
        }
    }
}

fn ok() -> u16 {
    200
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    String::deserialize(deserializer).map(String::into_bytes)
}
