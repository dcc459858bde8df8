//! Properties of the ASN and of the event, over inputs that nobody thought of.

use deprovision_ipam_byoasn::{
    asn::Asn,
    error::INVALID_EVENT,
    event::{Mode, Request},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const LARGEST: u32 = 4_294_967_294;

/// Any JSON, a little deep, with names and values that come close to a request's.
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
    prop_oneof![
        4 => prop::sample::select(&["IpamId", "Asn", "DryRun", "DryRunFirst"][..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["dryRun", "Dryrun", "ipamId", "detail", "detail-type"][..]).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

/// Says the rules of the request table in another way than the parser does.
fn obeys_the_table(request: &Value) -> bool {
    let Some(members) = request.as_object() else { return false };
    members.keys().all(|name| matches!(name.as_str(), "IpamId" | "Asn" | "DryRun" | "DryRunFirst"))
        && members.get("IpamId").and_then(Value::as_str).is_some_and(|id| {
            id.strip_prefix("ipam-")
                .is_some_and(|hex| !hex.is_empty() && hex.chars().all(|c| "0123456789abcdef".contains(c)))
        })
        && members.get("Asn").is_some_and(|asn| match asn {
            Value::Number(number) => number.as_u64().is_some_and(|n| (1..=u64::from(LARGEST)).contains(&n)),
            Value::String(text) => text.parse::<Asn>().is_ok(),
            _ => false,
        })
        && ["DryRun", "DryRunFirst"].iter().all(|name| members.get(*name).is_none_or(Value::is_boolean))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_asn_comes_back_from_each_of_its_forms(number in 1..=LARGEST) {
        let asdot = format!("{}.{}", number >> 16, number & 0xffff);
        for text in [number.to_string(), format!("AS{number}"), format!("as{number}"), asdot] {
            let asn: Asn = text.parse().expect("an ASN");
            prop_assert_eq!(asn.to_string(), number.to_string());
        }
    }

    #[test]
    fn whatever_is_read_as_an_asn_is_a_number_in_the_range(text in ".*") {
        if let Ok(asn) = text.parse::<Asn>() {
            let number: u32 = asn.to_string().parse().expect("a number");
            prop_assert!((1..=LARGEST).contains(&number));
        }
    }

    #[test]
    fn whatever_nearly_is_an_asn_is_read_only_in_its_canonical_way(text in "[Aa]?[Ss]?[0-9]{0,11}[.]?[0-9 +-]{0,6}") {
        let digits = text.trim_start_matches(['A', 'a', 'S', 's']);
        let canonical = |n: &str| n == "0" || (n.starts_with(|c: char| c.is_ascii_digit() && c != '0') && n.bytes().all(|b| b.is_ascii_digit()));
        if text.parse::<Asn>().is_ok() {
            prop_assert!(digits.splitn(2, '.').all(canonical), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(event in ".*") {
        if let Err(error) = Request::parse(&event, false) {
            prop_assert_eq!(error.error_type, INVALID_EVENT);
        }
    }

    #[test]
    fn an_event_is_accepted_exactly_when_it_obeys_the_table(event in json_value()) {
        let request = match (event.get("detail-type"), event.get("detail")) {
            (Some(_), Some(detail)) => {
                let beside = ["IpamId", "Asn", "DryRun", "DryRunFirst"];
                let beside = |name: &String| beside.iter().any(|member| member.eq_ignore_ascii_case(name));
                prop_assume!(!event.as_object().expect("object").keys().any(beside));
                detail
            }
            _ => &event,
        };
        let parsed = Request::parse(&event.to_string(), false);
        prop_assert_eq!(parsed.is_ok(), obeys_the_table(request), "{:?}", parsed);
    }

    #[test]
    fn a_member_more_or_of_the_wrong_type_is_never_a_request(name in member(), value in json_value()) {
        let mut event = json!({ "IpamId": "ipam-0123456789abcdef0", "Asn": "64500" });
        event.as_object_mut().expect("object").insert(name.clone(), value.clone());
        let parsed = Request::parse(&event.to_string(), false);
        prop_assert_eq!(parsed.is_ok(), obeys_the_table(&event));
        if name == "DryRun" && value == json!(true) {
            prop_assert_eq!(parsed.expect("a request").mode, Mode::DryRun);
        }
    }

    #[test]
    fn a_member_given_twice_is_never_a_request(name in member(), first in json_value(), second in json_value()) {
        let name = Value::from(name);
        let event = format!(r#"{{"IpamId":"ipam-0","Asn":1,{name}:{first},{name}:{second}}}"#);
        prop_assert!(Request::parse(&event, false).is_err());
    }
}
