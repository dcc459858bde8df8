//! Event to [`Request`]: the only code that knows the JSON members and the EventBridge envelope.
//!
//! Parsing is strict: ignoring a misspelled `DryRun` would deprovision. `#[derive(Deserialize)]` is not enough. A member
//! must be read as it was written, because the JSON number 1.10 would become 1.1. The envelope needs all its names, to find
//! those that resemble a member of a request. And an error must name the member and what is expected.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::asn::Asn;

/// A valid request. Contradictory combinations cannot be expressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The ID of the IPAM: `ipam-` and lowercase hexadecimal digits.
    pub ipam_id: String,
    /// The ASN to deprovision.
    pub asn: Asn,
    /// How far the invocation goes.
    pub mode: Mode,
}

/// How far an invocation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Deprovision.
    Deprovision,
    /// Check the permission with a dry run, and deprovision only if it passes.
    DryRunFirst,
    /// Check the permission with a dry run and stop.
    DryRun,
    /// Report the state of the ASN and its associations and stop.
    DescribeOnly,
}

/// The event is not a valid request. `Display` names the member and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEvent(String);

const MEMBERS: [&str; 5] = ["IpamId", "Asn", "DryRun", "DryRunFirst", "DescribeOnly"];

/// The maximum number of characters in one quotation from the event.
const MAX_QUOTED_CHARS: usize = 80;

impl Request {
    /// Parses an event in either shape: the request itself, or an EventBridge event with the request in `detail`.
    /// `dry_run_first` is the default for a request without `DryRunFirst`.
    ///
    /// # Errors
    ///
    /// [`InvalidEvent`].
    ///
    /// ```
    /// use deprovision_ipam_byoasn::event::{Mode, Request};
    ///
    /// let event = r#"{"IpamId": "ipam-0123456789abcdef0", "Asn": "AS64500", "DryRun": true}"#;
    /// let request = Request::parse(event, false)?;
    /// assert_eq!((request.asn.to_string().as_str(), request.mode), ("64500", Mode::DryRun));
    /// # Ok::<(), deprovision_ipam_byoasn::event::InvalidEvent>(())
    /// ```
    pub fn parse(event: &str, dry_run_first: bool) -> Result<Self, InvalidEvent> {
        let event = Object::parse(event, "The event")?;
        match (event.get("detail-type"), event.get("detail")) {
            (Some(_), Some(detail)) => {
                event.reject_members_outside_detail()?;
                Self::from_members(&Object::parse(detail.get(), "`detail`")?, dry_run_first)
            }
            _ => Self::from_members(&event, dry_run_first),
        }
    }

    fn from_members(members: &Object<'_>, dry_run_first: bool) -> Result<Self, InvalidEvent> {
        members.reject_unknown()?;
        let ipam_id = parse_ipam_id(members.required("IpamId")?)?;
        let asn = parse_asn(members.required("Asn")?)?;
        let dry_run = members.boolean("DryRun")?.unwrap_or(false);
        let dry_run_first_member = members.boolean("DryRunFirst")?;
        let describe_only = members.boolean("DescribeOnly")?.unwrap_or(false);
        let mode = match (describe_only, dry_run, dry_run_first_member) {
            (true, true, _) | (true, _, Some(true)) => {
                return Err(InvalidEvent(
                    "`DescribeOnly` is true together with `DryRun` or `DryRunFirst`; only one of them can be true"
                        .into(),
                ));
            }
            (true, ..) => Mode::DescribeOnly,
            (_, true, _) => Mode::DryRun,
            (_, _, first) if first.unwrap_or(dry_run_first) => Mode::DryRunFirst,
            _ => Mode::Deprovision,
        };
        Ok(Self { ipam_id, asn, mode })
    }
}

fn parse_ipam_id(value: &RawValue) -> Result<String, InvalidEvent> {
    const EXPECTED: &str = "expected an IPAM ID: `ipam-` followed by lowercase hexadecimal digits";
    /// IDs that are easily mistaken for an IPAM ID. A prefix that starts with another one precedes it.
    const OTHER_IDS: [(&str, &str); 10] = [
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
        return Err(InvalidEvent(format!("`IpamId` is {}; {EXPECTED}, as a string", quote(value.get()))));
    };
    let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if id.strip_prefix("ipam-").is_some_and(is_hex) {
        return Ok(id);
    }
    let kind = OTHER_IDS.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("", |(_, kind)| kind);
    Err(InvalidEvent(format!("`IpamId` is {}{kind}; {EXPECTED}", quote(value.get()))))
}

fn parse_asn(value: &RawValue) -> Result<Asn, InvalidEvent> {
    let raw = value.get();
    let invalid = |reason: &dyn fmt::Display| InvalidEvent(format!("`Asn` is {}: {reason}", quote(raw)));
    let text = match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map_err(|e| invalid(&e))?,
        // Read as text, because the JSON number 1.10 would become 1.1.
        Some(b'0'..=b'9') if raw.bytes().all(|b| b.is_ascii_digit()) => Cow::Borrowed(raw),
        Some(b'-' | b'0'..=b'9') => {
            return Err(invalid(
                &"expected a number without sign, fraction or exponent; write asdot as a string, such as \"1.10\"",
            ));
        }
        _ => return Err(invalid(&"expected a string or an integer")),
    };
    text.parse().map_err(|e| invalid(&e))
}

/// The members of a JSON object. Names are unique and values are unparsed.
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    fn parse(json: &'a str, what: &str) -> Result<Self, InvalidEvent> {
        serde_json::from_str(json).map_err(|e| InvalidEvent(format!("{what} cannot be parsed: {e}")))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    fn required(&self, name: &str) -> Result<&'a RawValue, InvalidEvent> {
        self.get(name).ok_or_else(|| InvalidEvent(format!("`{name}` is missing")))
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>, InvalidEvent> {
        match self.get(name).map(RawValue::get) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(InvalidEvent(format!("`{name}` is {}; expected true or false", quote(other)))),
        }
    }

    fn reject_unknown(&self) -> Result<(), InvalidEvent> {
        let Some(name) = self.0.keys().find(|name| !MEMBERS.contains(&name.as_str())) else { return Ok(()) };
        let hint = similar_member(name).map_or(String::new(), |member| format!(" (did you mean `{member}`?)"));
        let members = MEMBERS.map(|member| format!("`{member}`")).join(", ");
        Err(InvalidEvent(format!("{} is not a member of a request{hint}; members are {members}", quote(name))))
    }

    /// Other members of an envelope are ignored. But EventBridge itself never adds one that is named like a member of a
    /// request: a `DryRun` outside `detail` is a mistake of the sender, and ignoring it would deprovision. A name that was
    /// not UTF-8 contains replacement characters and may have been any name, so it is rejected too.
    fn reject_members_outside_detail(&self) -> Result<(), InvalidEvent> {
        let problem = |name: &str| match similar_member(name) {
            Some(_) => Some("must be inside `detail`, like every member of a request"),
            None => name.contains(char::REPLACEMENT_CHARACTER).then_some("is not valid UTF-8"),
        };
        match self.0.keys().find_map(|name| Some((name, problem(name)?))) {
            Some((name, problem)) => Err(InvalidEvent(format!("{} {problem}", quote(name)))),
            None => Ok(()),
        }
    }
}

/// The member whose name is the same if case and all characters but letters and digits are ignored.
fn similar_member(name: &str) -> Option<&'static str> {
    // To uppercase first, because some letters have an ASCII letter only as their uppercase, such as `ı`.
    let name: String = name.to_uppercase().to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    MEMBERS.into_iter().find(|member| member.eq_ignore_ascii_case(&name))
}

/// Quotes a part of the event in a message.
fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", &text[..end]),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            /// The maps of `serde_json` keep the last of two members with the same name.
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

        deserializer.deserialize_map(MembersVisitor)
    }
}
