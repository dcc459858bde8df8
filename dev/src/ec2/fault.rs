//! What can go wrong on demand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::http::{Break, Point};

/// Something that happens to one call. `after_effect` says on which side of the change to the
/// world it happens: a call that was cut off may or may not have been carried out.
///
/// In the message of an error and in a raw answer, `{authorization}` and `{session_token}` stand
/// for what the request carried, so that a test can look for secrets in what a client prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// 503 `RequestLimitExceeded`.
    Throttle,
    /// Any error in EC2's form.
    Error { status: u16, code: String, message: String },
    /// An error in EC2's form without the `Code`.
    NoCode { status: u16 },
    /// An answer without a body.
    EmptyBody { status: u16 },
    /// A page for people, as proxies and load balancers send it.
    Html { status: u16 },
    /// XML that ends in the middle: with 200 of the normal answer (and the change is made), with
    /// another status of an error.
    TruncatedXml { status: u16 },
    /// The normal answer after some time. Without `after_effect` the change comes after that time
    /// too, and not at all when the client does not wait for it.
    Slow {
        seconds: f64,
        #[serde(default)]
        after_effect: bool,
    },
    /// No answer at all, on a connection that stays open.
    Hang {
        #[serde(default)]
        after_effect: bool,
    },
    /// A TCP reset in place of an answer.
    Reset {
        #[serde(default)]
        after_effect: bool,
    },
    /// An orderly end of the connection in place of an answer.
    Close {
        #[serde(default)]
        after_effect: bool,
    },
    /// The first half of the normal answer, then the end of the connection. The change is made.
    HalfAnswer,
    /// The answer up to this point, and then this instead of the rest. `status` 200 is the normal
    /// answer; another one is that of an `InternalError`, and then `after_effect` says whether the
    /// change is made all the same. At the start of the normal answer it also does; later the
    /// change was made.
    Breaks {
        at: Point,
        by: Break,
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        after_effect: bool,
    },
    /// The normal answer, after some time, with `connection: close`: the next call needs another
    /// connection.
    LastAnswer {
        #[serde(default)]
        seconds: f64,
    },
    /// A success that has nothing but a request ID. The change is made.
    NoByoasn,
    /// The deprovisioned ASN comes into this state at once, and the answer says so.
    State {
        state: String,
        #[serde(default)]
        status_message: Option<String>,
    },
    /// `DryRun` is not looked at: the answer is that of the real thing, and with `after_effect` it
    /// also happens.
    DryRunIgnored {
        #[serde(default)]
        after_effect: bool,
    },
    /// This answer, as it is.
    Raw {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: String,
        #[serde(default)]
        after_effect: bool,
    },
}

impl Fault {
    /// Any error in EC2's form.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// An answer with this XML as body, and without a change.
    #[must_use]
    pub fn raw(status: u16, body: &str) -> Self {
        Self::Raw {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), "text/xml".to_owned())]),
            body: body.to_owned(),
            after_effect: false,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Error { status, .. }
            | Self::NoCode { status }
            | Self::EmptyBody { status }
            | Self::Html { status }
            | Self::TruncatedXml { status }
            | Self::Breaks { status, .. }
            | Self::Raw { status, .. }
                if !(200..=599).contains(status) =>
            {
                Err(format!("status is {status}, and wants 200 to 599"))
            }
            Self::Slow { seconds, .. }
            | Self::LastAnswer { seconds }
            | Self::Breaks { by: Break::Drip { seconds }, .. }
                if std::time::Duration::try_from_secs_f64(*seconds).is_err() =>
            {
                Err(format!("seconds is {seconds}, and wants 0 or more"))
            }
            _ => Ok(()),
        }
    }
}

fn ok() -> u16 {
    200
}
