//! Event to [`Request`]: the only place that knows JSON members and envelopes.
//!
//! Strict on purpose: a member that is misspelt, of the wrong type or given twice ends the
//! invocation before anything reaches EC2. Ignoring a misspelt `DryRun` would deprovision.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{asn::Asn, error::Error};

/// A valid request: nothing that contradicts itself can be written in this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The ID of the IPAM, `ipam-` and lower-case hexadecimal digits.
    pub ipam_id: String,
    /// The ASN to retire.
    pub asn: Asn,
    /// How far to go.
    pub mode: Mode,
}

/// How far an invocation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Deprovision.
    Deprovision,
    /// Check the permission, and only when the check passes deprovision.
    DryRunFirst,
    /// Check the permission and stop.
    DryRun,
}

const MEMBERS: [&str; 4] = ["IpamId", "Asn", "DryRun", "DryRunFirst"];

impl Request {
    /// Reads an event in either shape: the request itself, or an EventBridge event with the request
    /// as its `detail`. `dry_run_first` holds where the request does not say.
    ///
    /// # Errors
    ///
    /// `InvalidEvent`, with a message that names the member and what is wanted.
    ///
    /// ```
    /// use deprovision_ipam_byoasn::event::{Mode, Request};
    ///
    /// let event = r#"{"IpamId": "ipam-0123456789abcdef0", "Asn": "AS64500", "DryRun": true}"#;
    /// let request = Request::parse(event, false)?;
    /// assert_eq!((request.asn.to_string().as_str(), request.mode), ("64500", Mode::DryRun));
    /// # Ok::<(), deprovision_ipam_byoasn::error::Error>(())
    /// ```
    pub fn parse(event: &str, dry_run_first: bool) -> Result<Self, Error> {
        let event = Object::parse(event, "The event")?;
        match (event.get("detail-type"), event.get("detail")) {
            (Some(_), Some(detail)) => {
                event.refuse_members_beside_detail()?;
                Self::from_members(&Object::parse(detail.get(), "`detail`")?, dry_run_first)
            }
            _ => Self::from_members(&event, dry_run_first),
        }
    }

    fn from_members(members: &Object<'_>, dry_run_first: bool) -> Result<Self, Error> {
        members.refuse_unknown()?;
        let ipam_id = ipam_id(members.required("IpamId")?)?;
        let asn = asn(members.required("Asn")?)?;
        let dry_run = members.boolean("DryRun")?.unwrap_or(false);
        let dry_run_first = members.boolean("DryRunFirst")?.unwrap_or(dry_run_first);
        let mode = match (dry_run, dry_run_first) {
            (true, _) => Mode::DryRun,
            (false, true) => Mode::DryRunFirst,
            (false, false) => Mode::Deprovision,
        };
        Ok(Self { ipam_id, asn, mode })
    }
}

fn ipam_id(value: &RawValue) -> Result<String, Error> {
    const WANTED: &str = "wanted is the ID of the IPAM itself, `ipam-` and lower-case hexadecimal digits";
    /// IDs that are easily taken for the IPAM's own; of two that fit, the longer prefix comes first.
    const NEIGHBOURS: [(&str, &str); 10] = [
        ("ipam-pool-alloc-", ", the ID of an IPAM pool allocation"),
        ("ipam-pool-cidr-", ", the ID of an IPAM pool CIDR"),
        ("ipam-pool-", ", the ID of an IPAM pool"),
        ("ipam-policy-", ", the ID of an IPAM policy"),
        ("ipam-prefix-list-resolver-", ", the ID of an IPAM prefix list resolver"),
        ("ipam-scope-", ", the ID of an IPAM scope"),
        ("ipam-res-disco-assoc-", ", the ID of a resource discovery association"),
        ("ipam-res-disco-", ", the ID of a resource discovery"),
        ("ipam-ext-res-ver-token-", ", the ID of an external resource verification token"),
        ("arn:", ", an ARN"),
    ];
    let Ok(id) = serde_json::from_str::<String>(value.get()) else {
        return Err(Error::invalid_event(&format!("`IpamId` is {}; {WANTED}, as a string", quote(value.get()))));
    };
    let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if id.strip_prefix("ipam-").is_some_and(is_hex) {
        return Ok(id);
    }
    let given = NEIGHBOURS.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("", |(_, what)| what);
    Err(Error::invalid_event(&format!("`IpamId` is {}{given}; {WANTED}", quote(value.get()))))
}

fn asn(value: &RawValue) -> Result<Asn, Error> {
    let raw = value.get();
    let refuse = |why: &dyn fmt::Display| Error::invalid_event(&format!("`Asn` is {}: {why}", quote(raw)));
    let text = match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map_err(|e| refuse(&e))?,
        // Read as text, because a JSON number 1.10 would silently become 1.1.
        Some(b'0'..=b'9') if raw.bytes().all(|b| b.is_ascii_digit()) => Cow::Borrowed(raw),
        Some(b'-' | b'0'..=b'9') => {
            return Err(refuse(&"a number must be a whole one, without sign, fraction or exponent; asdot is a string"));
        }
        _ => return Err(refuse(&"a string or an integer is wanted")),
    };
    text.parse().map_err(|e| refuse(&e))
}

/// The members of a JSON object, each name once, each value as it was written.
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    fn parse(json: &'a str, what: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|e| Error::invalid_event(&format!("{what} cannot be read: {e}")))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    fn required(&self, name: &str) -> Result<&'a RawValue, Error> {
        self.get(name).ok_or_else(|| Error::invalid_event(&format!("`{name}` is missing")))
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.get(name).map(RawValue::get) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Error::invalid_event(&format!("`{name}` is {}; wanted is true or false", quote(other)))),
        }
    }

    fn refuse_unknown(&self) -> Result<(), Error> {
        match self.0.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::invalid_event(&format!(
                "{} is not a member of the request{}; members are `IpamId`, `Asn`, `DryRun` and `DryRunFirst`",
                quote(name),
                like_a_member(name).map_or(String::new(), |member| format!(" (is `{member}` meant?)")),
            ))),
        }
    }

    /// Members of an envelope are ignored, but EventBridge never writes one of these: a `DryRun` beside
    /// `detail` is a request put together wrongly, and ignoring it would deprovision.
    fn refuse_members_beside_detail(&self) -> Result<(), Error> {
        match self.0.keys().find(|name| like_a_member(name).is_some()) {
            None => Ok(()),
            Some(name) => Err(Error::invalid_event(&format!(
                "{} stands beside `detail`; members of the request belong inside it",
                quote(name)
            ))),
        }
    }
}

fn like_a_member(name: &str) -> Option<&'static str> {
    MEMBERS.into_iter().find(|member| member.eq_ignore_ascii_case(name))
}

/// Shows a part of the event in a message, as it was written and not at any length.
fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", &text[..end]),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            /// `serde_json`'s own maps keep the last of two members with one name; which of two
            /// `DryRun` is meant nobody can tell.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::<String, &RawValue>::new();
                while let Some(name) = map.next_key()? {
                    match members.entry(name) {
                        Entry::Vacant(free) => free.insert(map.next_value()?),
                        Entry::Occupied(taken) => {
                            return Err(A::Error::custom(format!("{} is given twice", quote(taken.key()))));
                        }
                    };
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
