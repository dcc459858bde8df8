//! Event to request: the request table of the README, read a second time in another way.

use std::{collections::BTreeSet, fmt};

use deprovision_ipam_byoasn::{
    error::INVALID_EVENT,
    event::{Mode, Request},
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json, value::RawValue};

use crate::message;

const MEMBERS: [&str; 4] = ["IpamId", "Asn", "DryRun", "DryRunFirst"];

/// Holds the parser against `read`, for a function with and without `DRY_RUN_FIRST`.
///
/// # Panics
///
/// Where a property does not hold.
pub fn check(input: &[u8]) {
    // As the runtime hands it over.
    let event = String::from_utf8_lossy(input);
    for dry_run_first in [false, true] {
        let expected = read(&event, dry_run_first);
        match Request::parse(&event, dry_run_first) {
            Ok(request) => {
                assert_eq!(Some((request.ipam_id.clone(), request.asn.to_string(), request.mode)), expected);
                keeps_to_a_dry_run(&event, request.mode);
                comes_back(&request);
            }
            Err(error) => {
                assert_eq!(expected, None, "{error:?}");
                assert_eq!(error.error_type, INVALID_EVENT);
                assert!(error.message.ends_with(". Nothing was sent to EC2."), "{error:?}");
                message::check(&error);
            }
        }
    }
}

/// What the event asks for, if it obeys the request table: ID, ASN in asplain, and how far to go.
fn read(event: &str, dry_run_first: bool) -> Option<(String, String, Mode)> {
    let members = each_once(event)?;
    let request = match (one(&members, "detail-type"), one(&members, "detail")) {
        (Some(_), Some(detail)) => {
            if members.iter().any(|(name, _)| MEMBERS.iter().any(|member| member.eq_ignore_ascii_case(name))) {
                return None;
            }
            each_once(detail)?
        }
        _ => members,
    };
    if request.iter().any(|(name, _)| !MEMBERS.contains(&name.as_str())) {
        return None;
    }
    let value = |name| match one(&request, name) {
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
    let boolean = |name, default| match value(name)? {
        None => Some(default),
        Some(value) => value.as_bool(),
    };
    let mode = if boolean("DryRun", false)? {
        boolean("DryRunFirst", false)?;
        Mode::DryRun
    } else if boolean("DryRunFirst", dry_run_first)? {
        Mode::DryRunFirst
    } else {
        Mode::Deprovision
    };
    Some((ipam_id, asn.to_string(), mode))
}

/// An ASN by writing the number back: what does not look the same was not its canonical form.
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

/// A dry run that was asked for in any spelling, at any level that is read, is none that deprovisions.
fn keeps_to_a_dry_run(event: &str, mode: Mode) {
    let top = members(event).unwrap_or_default();
    let detail = top.iter().find(|(name, _)| name == "detail").and_then(|(_, raw)| members(raw)).unwrap_or_default();
    for (name, raw) in top.iter().chain(&detail) {
        if name.eq_ignore_ascii_case("DryRun") {
            assert!(raw == "false" || mode == Mode::DryRun, "{name} is {raw}, and the mode is {mode:?}");
        }
    }
}

/// A request that is written down in full is read as the same request, whatever the setting.
fn comes_back(request: &Request) {
    let event = json!({
        "IpamId": request.ipam_id,
        "Asn": request.asn.to_string(),
        "DryRun": request.mode == Mode::DryRun,
        "DryRunFirst": request.mode == Mode::DryRunFirst,
    });
    for dry_run_first in [false, true] {
        assert_eq!(Request::parse(&event.to_string(), dry_run_first).as_ref(), Ok(request));
    }
}

/// Every member of an object in order, none lost: `None` for what is no object.
fn members(json: &str) -> Option<Vec<(String, String)>> {
    serde_json::from_str::<Members>(json).ok().map(|members| members.0)
}

/// The same, of an object that gives no member twice.
fn each_once(json: &str) -> Option<Vec<(String, String)>> {
    let members = members(json)?;
    let names: BTreeSet<_> = members.iter().map(|(name, _)| name).collect();
    (names.len() == members.len()).then_some(members)
}

fn one<'a>(members: &'a [(String, String)], name: &str) -> Option<&'a str> {
    members.iter().find(|(other, _)| other == name).map(|(_, raw)| raw.as_str())
}

struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
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

        deserializer.deserialize_map(InOrder)
    }
}
