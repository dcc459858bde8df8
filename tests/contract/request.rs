//! Which events are accepted, and that no other event leads to a call.

use serde_json::{Value, json};
use stand_ins::ec2::{Asn, World};

use crate::support::*;

fn world_with_asns() -> World {
    let numbers = ["64500", "65546", "1", "4294967294"];
    World { asns: numbers.map(|asn| Asn::new(asn, IPAM)).into(), ..World::default() }
}

#[test]
fn every_asn_notation_is_sent_and_returned_as_asplain() {
    for (given, sent) in [
        (json!("64500"), "64500"),
        (json!(64500), "64500"),
        (json!("AS64500"), "64500"),
        (json!("as64500"), "64500"),
        (json!("aS64500"), "64500"),
        (json!("1.10"), "65546"),
        (json!("AS1.10"), "65546"),
        (json!("0.64500"), "64500"),
        (json!(1), "1"),
        (json!("1"), "1"),
        (json!(4_294_967_294_u32), "4294967294"),
        (json!("65535.65534"), "4294967294"),
    ] {
        let function = Function::with_world(world_with_asns());
        let response = function.invoke(&json!({ "IpamId": IPAM, "Asn": given }));
        assert_eq!(
            response,
            Ok(json!({ "Byoasn": { "Asn": sent, "IpamId": IPAM, "State": "pending-deprovision" } })),
            "{given}"
        );
        assert_eq!(function.calls(), [format!("DeprovisionIpamByoasn Asn={sent} IpamId={IPAM}")], "{given}");
    }
}

#[test]
fn eventbridge_detail_is_the_request() {
    let function = Function::start();
    let event = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "Deprovision IPAM BYOASN",
        "source": "com.example.network", "account": "123456789012", "time": "2026-11-23T12:00:00Z",
        "region": "us-east-1", "resources": [{ "a": 1 }], "replay-name": "again", "detail": request(),
    });
    assert_eq!(function.invoke(&event), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

/// Asserts that each event is rejected with a message that contains these parts, that EC2 is not called, and that the
/// process then handles a valid event.
fn assert_rejected<E: Into<String>>(cases: impl IntoIterator<Item = (E, Vec<&'static str>)>) {
    let function = Function::start();
    for (event, parts) in cases {
        let event = event.into();
        let (error_type, message) = function.invoke_text(event.as_str()).expect_err(&event);
        assert_eq!(error_type, "InvalidEvent", "{event}");
        for part in parts.into_iter().chain(["Nothing was sent to EC2."]) {
            assert!(message.contains(part), "{part:?} is not in the message for {event}: {message}");
        }
    }
    assert_eq!(function.calls(), Vec::<String>::new());
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

/// [`request_with`] as text.
fn with(members: &Value) -> String {
    request_with(members).to_string()
}

#[test]
fn events_other_than_one_json_object_are_rejected() {
    assert_rejected([
        (String::new(), vec!["The event cannot be parsed"]),
        ("null".into(), vec!["The event cannot be parsed", "null", "a JSON object"]),
        ("[]".into(), vec!["The event cannot be parsed", "a JSON object"]),
        ("\"64500\"".into(), vec!["The event cannot be parsed", "a JSON object"]),
        ("64500".into(), vec!["The event cannot be parsed", "a JSON object"]),
        ("{".into(), vec!["The event cannot be parsed"]),
        (format!("{} {{}}", request()), vec!["The event cannot be parsed", "trailing characters"]),
        (format!("{},", request()), vec!["The event cannot be parsed", "trailing characters"]),
    ]);
}

#[test]
fn missing_member_is_named() {
    assert_rejected([
        ("{}".into(), vec!["`IpamId` is missing"]),
        (json!({ "IpamId": IPAM }).to_string(), vec!["`Asn` is missing"]),
        (json!({ "Asn": 64500 }).to_string(), vec!["`IpamId` is missing"]),
    ]);
}

#[test]
fn unknown_members_are_rejected_with_a_suggestion() {
    assert_rejected([
        (with(&json!({ "dryRun": true })), vec!["`dryRun` is not a member", "did you mean `DryRun`?"]),
        (with(&json!({ "Dryrun": true })), vec!["`Dryrun` is not a member", "did you mean `DryRun`?"]),
        (with(&json!({ "DryRunfirst": true })), vec!["`DryRunfirst`", "did you mean `DryRunFirst`?"]),
        (with(&json!({ "Dry_Run": true })), vec!["`Dry_Run` is not a member", "`DryRun`"]),
        (with(&json!({ "DryRun ": true })), vec!["`DryRun ` is not a member"]),
        (with(&json!({ "": true })), vec!["`` is not a member"]),
        (with(&json!({ "detail": {} })), vec!["`detail` is not a member"]),
        (with(&json!({ "detail-type": "x" })), vec!["`detail-type` is not a member"]),
    ]);
}

#[test]
fn duplicate_members_are_rejected() {
    assert_rejected([
        (r#"{"IpamId":"ipam-0","Asn":1,"DryRun":true,"DryRun":false}"#.into(), vec!["`DryRun` is given twice"]),
        (r#"{"IpamId":"ipam-0","Asn":1,"Asn":1}"#.into(), vec!["`Asn` is given twice"]),
        (r#"{"IpamId":"ipam-0","Asn":1,"DryRun":true,"Dry\u0052un":false}"#.into(), vec!["`DryRun` is given twice"]),
        (
            r#"{"detail-type":"a","detail":{"IpamId":"ipam-0","Asn":1,"DryRun":true,"DryRun":false}}"#.into(),
            vec!["`detail` cannot be parsed", "`DryRun` is given twice"],
        ),
        (format!(r#"{{"detail-type":"a","detail":{{}},"detail":{}}}"#, request()), vec!["`detail` is given twice"]),
        (
            format!(r#"{{"detail-type":"a","source":"a","source":"b","detail":{}}}"#, request()),
            vec!["`source` is given twice"],
        ),
    ]);
}

#[test]
fn values_of_another_type_are_rejected() {
    assert_rejected([
        (with(&json!({ "IpamId": 1 })), vec!["`IpamId` is `1`", "as a string"]),
        (with(&json!({ "IpamId": null })), vec!["`IpamId` is `null`"]),
        (with(&json!({ "Asn": null })), vec!["`Asn` is `null`", "expected a string or an integer"]),
        (with(&json!({ "Asn": true })), vec!["`Asn` is `true`"]),
        (with(&json!({ "Asn": ["64500"] })), vec!["`Asn` is"]),
        (with(&json!({ "DryRun": "true" })), vec!["`DryRun` is", "true or false"]),
        (with(&json!({ "DryRun": "false" })), vec!["`DryRun` is", "true or false"]),
        (with(&json!({ "DryRun": 1 })), vec!["`DryRun` is `1`"]),
        (with(&json!({ "DryRun": null })), vec!["`DryRun` is `null`"]),
        (with(&json!({ "DryRunFirst": "yes" })), vec!["`DryRunFirst` is"]),
    ]);
}

#[test]
fn invalid_asns_are_rejected() {
    assert_rejected([
        (r#"{"IpamId":"ipam-0","Asn":1.10}"#.into(), vec!["`Asn` is `1.10`", "fraction"]),
        (r#"{"IpamId":"ipam-0","Asn":64500.0}"#.into(), vec!["`Asn` is `64500.0`", "fraction"]),
        (r#"{"IpamId":"ipam-0","Asn":6.45e4}"#.into(), vec!["`Asn` is `6.45e4`", "exponent"]),
        (r#"{"IpamId":"ipam-0","Asn":645E2}"#.into(), vec!["`Asn` is `645E2`", "exponent"]),
        (r#"{"IpamId":"ipam-0","Asn":-64500}"#.into(), vec!["`Asn` is `-64500`", "sign"]),
        (r#"{"IpamId":"ipam-0","Asn":064500}"#.into(), vec!["The event cannot be parsed"]),
        (with(&json!({ "Asn": 0 })), vec!["`Asn` is `0`", "1 to 4294967294"]),
        (with(&json!({ "Asn": 4_294_967_295_u32 })), vec!["1 to 4294967294"]),
        (r#"{"IpamId":"ipam-0","Asn":99999999999999999999999}"#.into(), vec!["1 to 4294967294"]),
        (with(&json!({ "Asn": "" })), vec!["`Asn` is", "AS64500"]),
        (with(&json!({ "Asn": "064500" })), vec!["leading zeros"]),
        (with(&json!({ "Asn": "+64500" })), vec!["signs"]),
        (with(&json!({ "Asn": " 64500" })), vec!["blanks"]),
        (with(&json!({ "Asn": "64500\n" })), vec!["`Asn` is"]),
        (with(&json!({ "Asn": "AS 64500" })), vec!["blanks"]),
        (with(&json!({ "Asn": "٦٤٥٠٠" })), vec!["`Asn` is"]),
        (with(&json!({ "Asn": "65536.0" })), vec!["1 to 4294967294"]),
        (with(&json!({ "Asn": "65535.65535" })), vec!["1 to 4294967294"]),
    ]);
}

#[test]
fn invalid_ipam_ids_are_rejected_and_other_kinds_named() {
    assert_rejected([
        (with(&json!({ "IpamId": "" })), vec!["`IpamId` is", "expected an IPAM ID"]),
        (with(&json!({ "IpamId": "ipam-" })), vec!["hexadecimal"]),
        (with(&json!({ "IpamId": "ipam-XYZ" })), vec!["hexadecimal"]),
        (with(&json!({ "IpamId": "ipam-0123ABC" })), vec!["lowercase"]),
        (with(&json!({ "IpamId": "IPAM-0123" })), vec!["`IpamId` is"]),
        (with(&json!({ "IpamId": " ipam-0123" })), vec!["`IpamId` is"]),
        (with(&json!({ "IpamId": "ipam-0123&Asn=1" })), vec!["`IpamId` is"]),
        (
            with(&json!({ "IpamId": "ipam-pool-0123" })),
            vec!["ipam-pool-0123", "the ID of an IPAM pool;", "expected an IPAM ID"],
        ),
        (with(&json!({ "IpamId": "ipam-scope-0123" })), vec!["the ID of an IPAM scope;"]),
        (with(&json!({ "IpamId": "ipam-res-disco-0123" })), vec!["the ID of a resource discovery;"]),
        (with(&json!({ "IpamId": "ipam-res-disco-assoc-0123" })), vec!["a resource discovery association;"]),
        (with(&json!({ "IpamId": "ipam-pool-alloc-0123" })), vec!["an IPAM pool allocation;"]),
        (with(&json!({ "IpamId": "arn:aws:ec2::123456789012:ipam/ipam-0123" })), vec!["an ARN;"]),
    ]);
}

#[test]
fn invalid_envelopes_are_rejected() {
    assert_rejected([
        (json!({ "detail": request() }).to_string(), vec!["`detail` is not a member"]),
        (json!({ "detail-type": "a", "detail": null }).to_string(), vec!["`detail` cannot be parsed"]),
        (json!({ "detail-type": "a", "detail": request().to_string() }).to_string(), vec!["`detail` cannot be parsed"]),
        (
            json!({ "detail-type": "a", "detail": request_with(&json!({ "dryrun": true })) }).to_string(),
            vec!["`dryrun` is not a member"],
        ),
        (
            json!({ "detail-type": "a", "detail": { "detail-type": "b", "detail": request() } }).to_string(),
            vec!["is not a member"],
        ),
        (
            json!({ "detail-type": "a", "DryRun": true, "detail": request() }).to_string(),
            vec!["`DryRun` must be inside `detail`"],
        ),
        (json!({ "Payload": request() }).to_string(), vec!["`Payload` is not a member"]),
        (json!({ "Records": [request()] }).to_string(), vec!["`Records` is not a member"]),
    ]);
}

#[test]
fn non_utf8_and_huge_events_are_rejected() {
    let function = Function::start();
    assert_error(function.invoke_text(&b"{\"IpamId\": \"\xff\", \"Asn\": 1}"[..]), "InvalidEvent", &["`IpamId`"]);
    let long = "x".repeat(1_000_000);
    assert_error(function.invoke(&json!({ "IpamId": long, "Asn": 1 })), "InvalidEvent", &["`IpamId`", "…"]);
    assert_error(function.invoke(&json!({ long: 1 })), "InvalidEvent", &["is not a member", "…"]);
    let many: serde_json::Map<_, _> = (0..300_000).map(|i| (format!("member {i}"), json!(i))).collect();
    assert_error(function.invoke(&many.into()), "InvalidEvent", &["is not a member"]);
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_error(function.invoke_text(format!("{{\"Asn\": {deep}, \"IpamId\": 1}}")), "InvalidEvent", &[]);
    assert_eq!(function.calls(), Vec::<String>::new());
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn credentials_in_an_event_are_not_repeated() {
    let function = Function::start();
    let encoded = SECRET_ACCESS_KEY.replace('/', "%2f");
    for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, &encoded] {
        let in_member = |name: &str| request_with(&json!({ name: secret })).to_string();
        for event in [
            in_member("IpamId"),
            in_member("Asn"),
            in_member("DryRun"),
            in_member(secret),
            json!(format!("{} {}", "x".repeat(70), request_with(&json!({ "Token": secret })))).to_string(),
            json!({ "detail-type": "a", "detail": secret }).to_string(),
            in_member(&format!("{}{secret}", "x".repeat(41))),
        ] {
            for slash in ["/", r"\/", r"\u002F"] {
                let event = event.replace('/', slash);
                let message = assert_error(function.invoke_text(event), "InvalidEvent", &["Nothing was sent"]);
                // All but the last character of a secret, because a quotation is truncated.
                let secret = &secret[..secret.len() - 1];
                assert!(!message.replace(slash, "/").contains(secret), "{message}");
            }
        }
    }
    for line in function.raw_log() {
        for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, &encoded] {
            assert!(!line.replace(r"\\/", "/").replace(r"\\u002F", "/").contains(secret), "{line}");
        }
    }
}

#[test]
fn long_digits_in_an_event_are_not_taken_for_a_signature() {
    let function = Function::start();
    let digits = "1".repeat(64);
    for (event, expected) in [
        (format!(r#"{{"IpamId":"{IPAM}","Asn":{digits}}}"#), "an ASN from 1 to 4294967294"),
        (format!(r#"{{"IpamId":"ipam-{digits}","Asn":1,"DryRun":"yes"}}"#), "`DryRun` is `\"yes\"`"),
    ] {
        assert_error(function.invoke_text(event), "InvalidEvent", &[expected]);
    }
}
