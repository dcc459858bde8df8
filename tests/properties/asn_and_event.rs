//! Properties of the ASN and of the event, over random input.

use deprovision_ipam_byoasn::{
    asn::Asn,
    event::{Mode, Request},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const MAX_ASN: u32 = 4_294_967_294;
const BOOLEANS: [&str; 3] = ["DryRun", "DryRunFirst", "DescribeOnly"];
const MEMBERS: [&str; 5] = ["IpamId", "Asn", "DryRun", "DryRunFirst", "DescribeOnly"];

/// Any JSON of limited depth, with names and values that resemble those of a request.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(AS|as)?[0-9]{1,11}(\\.[0-9]{1,6})?".prop_map(Value::from),
        "ipam-(pool-)?[0-9a-fA-F]{0,17}".prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((member(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn member() -> impl Strategy<Value = String> {
    let similar = ["dryRun", "Dryrun", "ipamId", "dry_run", "Describe Only", "detail", "detail-type"];
    prop_oneof![
        4 => prop::sample::select(&MEMBERS[..]).prop_map(str::to_owned),
        1 => prop::sample::select(similar.to_vec()).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

/// The request table, written in another way than the parser.
fn follows_the_request_table(request: &Value) -> bool {
    let Some(members) = request.as_object() else { return false };
    let is_true = |name| members.get(name) == Some(&json!(true));
    members.keys().all(|name| MEMBERS.contains(&name.as_str()))
        && members.get("IpamId").and_then(Value::as_str).is_some_and(|id| {
            id.strip_prefix("ipam-")
                .is_some_and(|hex| !hex.is_empty() && hex.chars().all(|c| "0123456789abcdef".contains(c)))
        })
        && members.get("Asn").is_some_and(|asn| match asn {
            Value::Number(number) => number.as_u64().is_some_and(|n| (1..=u64::from(MAX_ASN)).contains(&n)),
            Value::String(text) => text.parse::<Asn>().is_ok(),
            _ => false,
        })
        && BOOLEANS.iter().all(|name| members.get(*name).is_none_or(Value::is_boolean))
        && !(is_true("DescribeOnly") && (is_true("DryRun") || is_true("DryRunFirst")))
}

/// Whether a name in an envelope is that of a request member, without case and without anything but letters and digits.
fn resembles_a_member(name: &str) -> bool {
    let reduced: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    !name.is_ascii() || MEMBERS.iter().any(|member| member.eq_ignore_ascii_case(&reduced))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_of_an_asn_is_parsed(number in 1..=MAX_ASN) {
        let asdot = format!("{}.{}", number >> 16, number & 0xffff);
        for text in [number.to_string(), format!("AS{number}"), format!("as{number}"), asdot] {
            let asn: Asn = text.parse().expect("an ASN");
            prop_assert_eq!(asn.to_string(), number.to_string());
        }
    }

    #[test]
    fn a_parsed_asn_was_canonical(text in "[Aa]?[Ss]?[0-9]{0,11}[.]?[0-9 +-]{0,6}") {
        let digits = text.trim_start_matches(['A', 'a', 'S', 's']);
        let canonical = |n: &str| {
            n == "0" || (!n.starts_with('0') && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        };
        if text.parse::<Asn>().is_ok() {
            prop_assert!(digits.splitn(2, '.').all(canonical), "{}", text);
        }
    }

    #[test]
    fn exactly_the_events_of_the_table_are_accepted(event in json_value()) {
        let request = match (event.get("detail-type"), event.get("detail")) {
            (Some(_), Some(detail)) => {
                prop_assume!(!event.as_object().expect("object").keys().any(|name| resembles_a_member(name)));
                detail
            }
            _ => &event,
        };
        let parsed = Request::parse(&event.to_string(), false);
        prop_assert_eq!(parsed.is_ok(), follows_the_request_table(request), "{:?}", parsed);
    }

    #[test]
    fn one_more_member_is_accepted_only_by_the_table(name in member(), value in json_value()) {
        let mut event = json!({ "IpamId": "ipam-0123456789abcdef0", "Asn": "64500" });
        event.as_object_mut().expect("object").insert(name.clone(), value.clone());
        let parsed = Request::parse(&event.to_string(), true);
        prop_assert_eq!(parsed.is_ok(), follows_the_request_table(&event));
        if value == json!(true) {
            match name.as_str() {
                "DryRun" => prop_assert_eq!(parsed.expect("a request").mode, Mode::DryRun),
                "DescribeOnly" => prop_assert_eq!(parsed.expect("a request").mode, Mode::DescribeOnly),
                _ => {}
            }
        }
    }

    #[test]
    fn a_repeated_member_is_rejected(name in member(), first in json_value(), second in json_value()) {
        let name = Value::from(name);
        let event = format!(r#"{{"IpamId":"ipam-0","Asn":1,{name}:{first},{name}:{second}}}"#);
        prop_assert!(Request::parse(&event, false).is_err());
    }
}
