//! Event to request: a second implementation of the request table in `docs/reference.md`.

use std::{collections::BTreeSet, fmt};

use deprovision_ipam_byoasn::{
    error::{Error, INVALID_EVENT},
    event::{Mode, Request},
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json, value::RawValue};

use crate::message;

const MEMBERS: [&str; 5] = ["IpamId", "Asn", "DryRun", "DryRunFirst", "DescribeOnly"];

/// Compares the parser with the second implementation, with and without `DRY_RUN_FIRST`.
///
/// # Panics
///
/// If a property is violated.
pub fn check(input: &[u8]) {
    // The runtime converts the payload in the same way.
    let event = String::from_utf8_lossy(input);
    for dry_run_first in [false, true] {
        let expected = expected_request(&event, dry_run_first);
        match Request::parse(&event, dry_run_first) {
            Ok(request) => {
                assert_eq!(Some((request.ipam_id.clone(), request.asn.to_string(), request.mode)), expected);
                check_mode(&event, request.mode);
                check_round_trip(&request);
            }
            Err(error) => {
                assert_eq!(expected, None, "{error:?}");
                check_error(&Error::InvalidEvent { reason: error.to_string() });
            }
        }
    }
}

fn check_error(error: &Error) {
    let text = error.to_string();
    assert_eq!(error.error_type(), INVALID_EVENT);
    assert!(text.ends_with(". Nothing was sent to EC2."), "{error:?}");
    message::check(error, &text);
}

/// The IPAM ID, the ASN as asplain and the mode, if the event follows the request table.
fn expected_request(event: &str, dry_run_first: bool) -> Option<(String, String, Mode)> {
    let members = unique_members(event)?;
    let request = match (value_of(&members, "detail-type"), value_of(&members, "detail")) {
        (Some(_), Some(detail)) => {
            if members.iter().any(|(name, _)| name.contains('\u{fffd}') || MEMBERS.iter().any(|m| resembles(name, m))) {
                return None;
            }
            unique_members(detail)?
        }
        _ => members,
    };
    if request.iter().any(|(name, _)| !MEMBERS.contains(&name.as_str())) {
        return None;
    }
    let value = |name| match value_of(&request, name) {
        Some(raw) => serde_json::from_str::<Value>(raw).ok().map(Some),
        None => Some(None),
    };
    let Value::String(ipam_id) = value("IpamId")?? else { return None };
    let digits = ipam_id.strip_prefix("ipam-")?;
    if digits.is_empty() || digits.contains(|c| !"0123456789abcdef".contains(c)) {
        return None;
    }
    let asn = match value("Asn")?? {
        Value::String(text) => asplain(&text)?,
        Value::Number(number) => number.as_u64()?,
        _ => return None,
    };
    if !(1..=4_294_967_294).contains(&asn) {
        return None;
    }
    let boolean = |name| match value(name)? {
        None => Some(None),
        Some(value) => value.as_bool().map(Some),
    };
    let (dry_run, first, describe_only) = (boolean("DryRun")?, boolean("DryRunFirst")?, boolean("DescribeOnly")?);
    let mode = if describe_only == Some(true) {
        if dry_run == Some(true) || first == Some(true) {
            return None;
        }
        Mode::DescribeOnly
    } else if dry_run == Some(true) {
        Mode::DryRun
    } else if first.unwrap_or(dry_run_first) {
        Mode::DryRunFirst
    } else {
        Mode::Deprovision
    };
    Some((ipam_id, asn.to_string(), mode))
}

/// Parses an ASN. A number that is formatted differently than the input is not in its canonical form.
fn asplain(text: &str) -> Option<u64> {
    let number = if text.len() >= 2 && text.as_bytes()[..2].eq_ignore_ascii_case(b"AS") { &text[2..] } else { text };
    let canonical = |digits: &str| digits.parse::<u64>().ok().filter(|n| n.to_string() == digits);
    match number.split('.').collect::<Vec<_>>()[..] {
        [whole] => canonical(whole),
        [high, low] => {
            let (high, low) = (canonical(high)?, canonical(low)?);
            (high <= 0xffff && low <= 0xffff).then_some(high * 0x1_0000 + low)
        }
        _ => None,
    }
}

/// Whether two names are equal without case and without characters other than letters and digits.
fn resembles(name: &str, member: &str) -> bool {
    let fold = |name: &str| {
        let folded = name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        folded.filter(|c| c.is_alphanumeric()).collect::<Vec<_>>()
    };
    fold(name) == fold(member)
}

/// An event that asks for a dry run or a report never deprovisions, however the member is spelled and wherever it is.
fn check_mode(event: &str, mode: Mode) {
    let outer = members(event).unwrap_or_default();
    let detail = value_of(&outer, "detail").and_then(members).unwrap_or_default();
    for (name, raw) in outer.iter().chain(&detail) {
        for (member, restricted_mode) in [("DryRun", Mode::DryRun), ("DescribeOnly", Mode::DescribeOnly)] {
            if resembles(name, member) {
                assert!(raw == "false" || mode == restricted_mode, "{name} is {raw}, but the mode is {mode:?}");
            }
        }
    }
}

/// A request that is written with all its members is parsed as the same request, whatever the setting.
fn check_round_trip(request: &Request) {
    let event = json!({
        "IpamId": request.ipam_id,
        "Asn": request.asn.to_string(),
        "DryRun": request.mode == Mode::DryRun,
        "DryRunFirst": request.mode == Mode::DryRunFirst,
        "DescribeOnly": request.mode == Mode::DescribeOnly,
    });
    for dry_run_first in [false, true] {
        assert_eq!(Request::parse(&event.to_string(), dry_run_first).as_ref(), Ok(request));
    }
}

/// All members of an object in order, with duplicates. `None` if the JSON is not an object.
fn members(json: &str) -> Option<Vec<(String, String)>> {
    serde_json::from_str::<Members>(json).ok().map(|members| members.0)
}

/// The members of an object. `None` if one is given twice.
fn unique_members(json: &str) -> Option<Vec<(String, String)>> {
    let members = members(json)?;
    let names: BTreeSet<_> = members.iter().map(|(name, _)| name).collect();
    (names.len() == members.len()).then_some(members)
}

fn value_of<'a>(members: &'a [(String, String)], name: &str) -> Option<&'a str> {
    members.iter().find(|(other, _)| other == name).map(|(_, raw)| raw.as_str())
}

struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    members.push((name, value.get().to_owned()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
