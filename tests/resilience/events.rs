//! Hostile events. Each is rejected, EC2 is not called, and the process keeps working.

use std::iter::repeat_n;

use serde_json::json;
use stand_ins::ec2::World;

use crate::support::*;

/// The maximum size of an invocation's payload in Lambda.
const SIX_MB: usize = 6 * 1024 * 1024;

/// Asserts that each event is rejected, that EC2 is not called, that each invocation logs one line, and that the process
/// then handles a valid event.
fn assert_rejected<E: Into<Vec<u8>>>(events: impl IntoIterator<Item = E>) {
    let function = Function::start();
    let mut count = 0;
    for event in events {
        let event = event.into();
        let shown = String::from_utf8_lossy(&event[..event.len().min(200)]).into_owned();
        let outcome = function.invoke_text(event);
        let (error_type, message) = outcome.expect_err(&shown);
        assert_eq!(error_type, "InvalidEvent", "{shown}: {message}");
        assert!(message.ends_with("Nothing was sent to EC2."), "{shown}: {message}");
        count += 1;
    }
    assert_eq!(function.calls(), Vec::<String>::new());
    assert_eq!(function.invoke(&request()), Ok(pending()), "the process keeps working");
    assert_eq!(assert_no_secrets(function.raw_log()).len(), count + 1, "expected one line an invocation");
}

#[test]
fn six_megabytes_of_garbage_are_rejected() {
    assert_rejected([
        "x".repeat(SIX_MB),
        "[".repeat(SIX_MB),
        r#"{"a":"#.repeat(SIX_MB / 5),
        format!("\"{}\"", "y".repeat(SIX_MB - 2)),
        format!(r#"{{"IpamId":"ipam-0","Asn":{}}}"#, "1".repeat(SIX_MB - 30)),
        format!(r#"{{"IpamId":"ipam-0","Asn":"{}"}}"#, "1".repeat(SIX_MB - 32)),
        format!(r#"{{"IpamId":"{}","Asn":1}}"#, "\\u0000".repeat(SIX_MB / 6 - 10)),
        format!(r#"{{"IpamId":"ipam-0","Asn":1,"{}":1}}"#, "D".repeat(SIX_MB - 40)),
        format!(r#"{{"IpamId":"ipam-0","Asn":1{}}}"#, r#","DryRun":true"#.repeat(SIX_MB / 14 - 4)),
        format!(r#"{{"IpamId":"ipam-0","Asn":{}{}}}"#, "[".repeat(SIX_MB / 2 - 20), "]".repeat(SIX_MB / 2 - 20)),
        format!("{}{}", " ".repeat(SIX_MB - 2), "{}"),
    ]);
}

#[test]
fn six_megabytes_around_a_valid_request_are_accepted() {
    let function = Function::start();
    let padding = "p".repeat(SIX_MB - 300);
    let event = json!({ "detail-type": "a", "padding": padding, "detail": request() });
    assert_eq!(function.invoke(&event), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn deeply_nested_events_are_rejected() {
    assert_rejected([120, 127, 128, 129, 1_000, 100_000, 1_000_000].map(|depth| {
        let nested: String = repeat_n("{\"a\":", depth).chain(["1"]).chain(repeat_n("}", depth)).collect();
        format!(r#"{{"IpamId":"ipam-0","Asn":1,"DryRun":{nested}}}"#)
    }));
}

#[test]
fn invalid_utf8_is_rejected_everywhere() {
    assert_rejected([
        &b"\xff\xfe"[..],
        b"\xef\xbb\xbf{\"IpamId\":\"ipam-0\",\"Asn\":1}",
        b"{\"IpamId\":\"ipam-0\xc0\x80\",\"Asn\":1}",
        b"{\"IpamId\":\"ipam-0\",\"Asn\":\"1\xed\xa0\x80\"}",
        b"{\"IpamId\":\"ipam-0\",\"Asn\":1,\"DryRun\xff\":true}",
        b"{\"IpamId\":\"ipam-0\",\"Asn\":1}\xff",
        b"{\"IpamId\":\"ipam-0\",\"Asn\":1}\0",
        b"{\0\"IpamId\":\"ipam-0\",\"Asn\":1}",
        // UTF-16.
        b"{\0\"\0I\0p\0a\0m\0I\0d\0\"\0:\0\"\0",
    ]);
}

#[test]
fn control_characters_and_lone_surrogates_are_rejected() {
    assert_rejected(
        [
            r#""ipam-0\u0000""#, r#""ipam-0\n""#, r#""ipam-0\u001b[31m""#, r#""ipam-0\u007f""#, r#""ipam-0\u0085""#,
            r#""\ud800ipam-0""#, r#""ipam-0\udfff""#, r#""ipam-0\ud83d""#, "\"ipam-0\u{1}\"", "\"ipam-0\n\"",
            "\"ipam-0\u{202e}\"", "\"ipam-0\u{200b}\"",
        ]
        .map(|id| format!(r#"{{"IpamId":{id},"Asn":1}}"#)),
    );
    assert_rejected([
        r#"{"IpamId":"ipam-0","Asn":1,"Dry\ud800Run":true}"#,
        r#"{"IpamId":"ipam-0","Asn":1,"DryRun\u0000":true}"#,
        r#"{"IpamId":"ipam-0","Asn":"1\u0000"}"#,
    ]);
}

#[test]
fn lookalike_digits_and_letters_are_rejected() {
    assert_rejected(
        [
            "６４５００", "𝟔𝟒𝟓𝟎𝟎", "٦٤٥٠٠", "۶۴۵۰۰", "६४५००", "⁶⁴⁵⁰⁰", "①", "Ⅵ", "АS64500", "ＡS64500", "1․10",
            "1。10", "−1", "64\u{ad}500",
        ]
        .map(|asn| json!({ "IpamId": IPAM, "Asn": asn }).to_string()),
    );
    assert_rejected(
        [
            "ipаm-0123", "ipam‐0123", "ipam–0123", "іpam-0123", "ipam-０123", "ipam-0123а", "ıpam-0123",
            "ipam-0123\u{301}",
        ]
        .map(|id| json!({ "IpamId": id, "Asn": 1 }).to_string()),
    );
    assert_rejected(
        ["DryRún", "DryRun\u{200b}", "\u{feff}DryRun", "DrуRun", "ＤryRun"]
            .map(|member| json!({ "IpamId": IPAM, "Asn": 1, member: true }).to_string()),
    );
}

#[test]
fn invalid_and_overflowing_numbers_are_rejected() {
    assert_rejected(
        [
            "4294967295",
            "4294967296",
            "18446744073709551615",
            "18446744073709551616",
            "340282366920938463463374607431768211457",
            "-0",
            "-1",
            "1e0",
            "1E400",
            "1e-400",
            "64500.0",
            "64500e0",
            "0x1",
            "01",
            "+1",
            "1_000",
            "NaN",
            "Infinity",
            ".5",
            "1.",
        ]
        .map(|asn| format!(r#"{{"IpamId":"ipam-0","Asn":{asn}}}"#)),
    );
    assert_rejected([
        format!(r#"{{"IpamId":"ipam-0","Asn":{}}}"#, "9".repeat(100_000)),
        format!(r#"{{"IpamId":"ipam-0","Asn":1{}}}"#, "0".repeat(400)),
        format!(r#"{{"IpamId":"ipam-0","Asn":"4294967296.{}"}}"#, "1".repeat(400)),
        // 64500 after an overflow of 32 and of 64 bits.
        r#"{"IpamId":"ipam-0","Asn":4295031796}"#.into(),
        r#"{"IpamId":"ipam-0","Asn":18446744073709616116}"#.into(),
    ]);
}

#[test]
fn ambiguous_events_are_rejected() {
    let spellings = ["DryRun", r"\u0044ryRun", r"Dry\u0052un", r"\u0044\u0072\u0079\u0052\u0075\u006e"];
    let twice = spellings.into_iter().flat_map(|a| spellings.map(|b| (a, b))).flat_map(|(a, b)| {
        [("true", "false"), ("false", "true"), ("true", "true"), ("true", "null")]
            .map(|(x, y)| format!(r#""IpamId":"{IPAM}","{a}":{x},"Asn":"64500","{b}":{y}"#))
    });
    assert_rejected(twice.flat_map(|members| {
        [
            format!("{{{members}}}"),
            format!(r#"{{"detail-type":"a","detail":{{{members}}}}}"#),
            format!(r#"{{"detail-type":"a","det\u0061il":{{{members}}}}}"#),
        ]
    }));
    let good = request();
    let dry = request_with(&json!({ "DryRun": true }));
    assert_rejected([
        format!(r#"{{"detail-type":"a","detail":{dry},"detail":{good}}}"#),
        format!(r#"{{"detail-type":"a","detail":{dry},"det\u0061il":{good}}}"#),
        format!(r#"{{"detail-type":"a","detail-type":"a","detail":{good}}}"#),
        format!(r#"{{"detail-type":"a","DryRun":true,"detail":{good}}}"#),
        format!(r#"{{"detail-type":"a","\u0044ryRun":true,"detail":{good}}}"#),
        format!(r#"{{"detail-type":"a","dryrun":true,"detail":{good}}}"#),
        format!("{dry}{good}"),
        format!("{dry}\n{good}"),
        format!("[{dry},{good}]"),
        format!(r#"{{"IpamId":"{IPAM}","Asn":"64500","Asn":"64501"}}"#),
        format!(r#"{{"IpamId":"{IPAM}","IpamId":"ipam-0","Asn":"64500"}}"#),
        format!(r#"{{"IpamId":"{IPAM}","Asn":"64500","DryRunFirst":true,"DryRunFirst":false}}"#),
        format!(r#"{{"IpamId":"{IPAM}","Asn":"64500",/* "DryRun":true */"DryRunFirst":false}}"#),
        format!(r#"{{"IpamId":"{IPAM}","Asn":"64500",}}"#),
        format!("{{'IpamId':'{IPAM}','Asn':'64500'}}"),
        json!(good.to_string()).to_string(),
    ]);
}

/// An ID that tries to add a false line to the log.
const FORGERY: &str = "ipam-0\n{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"EC2 has accepted\"}\r\n\
                       \u{1b}[2K\u{1b}[1A2026-01-01T00:00:00Z  INFO EC2 has accepted\u{85}\u{2028}\u{9b}2K\u{202e}";

#[test]
fn events_cannot_forge_log_lines() {
    for format in ["JSON", "Text"] {
        let function = Setup::new(World::default()).set("AWS_LAMBDA_LOG_FORMAT", format).start();
        let events = [
            json!({ "IpamId": FORGERY, "Asn": 1 }),
            json!({ "IpamId": IPAM, "Asn": FORGERY }),
            json!({ FORGERY: 1 }),
            json!({ "detail-type": "a", FORGERY: 1, "detail": { FORGERY: 1 } }),
            json!({ "IpamId": IPAM, "Asn": 1, "DryRun": FORGERY }),
        ];
        for event in &events {
            assert_error(function.invoke(event), "InvalidEvent", &[]);
        }
        // Unescaped, these characters are not valid JSON.
        assert_error(function.invoke_text(FORGERY), "InvalidEvent", &[]);
        assert_error(function.invoke_text(format!("{{\"{FORGERY}\":1}}")), "InvalidEvent", &[]);
        let log = function.raw_log();
        assert_eq!(log.len(), events.len() + 2, "{format}: expected one line an invocation: {log:#?}");
        for line in log {
            assert!(line.contains("ERROR") && line.contains("InvalidEvent"), "{line}");
            assert!(!line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{line:?}");
        }
    }
}

#[test]
fn long_ipam_id_is_sent_to_ec2_but_truncated_in_the_log() {
    let function = Function::start();
    let ipam_id = format!("ipam-{}", "0".repeat(500_000));
    let event = json!({ "IpamId": ipam_id, "Asn": 1 });
    assert_error(function.invoke(&event), "InvalidIpamId.NotFound", &["ipam-000", "HTTP 400"]);
    assert_eq!(function.ec2.calls()[0].params["IpamId"], ipam_id);
    let log = function.raw_log();
    assert!(log.len() == 1 && log[0].len() < 4_000, "{} lines, {} bytes", log.len(), log[0].len());
}

/// An event with the request in `detail` and another member outside it. Bytes, because the name may be invalid UTF-8.
fn envelope(name: &[u8]) -> Vec<u8> {
    let rest = format!(r#"":true,"detail":{}}}"#, request());
    [br#"{"detail-type":"a",""#, name, rest.as_bytes()].concat()
}

#[test]
fn envelope_names_like_members_are_rejected() {
    let names = [
        "DryRun", "dry_run", "Dry Run", "DRY-RUN", "dry.run", "d r y r u n", "_DryRun_", "DryRun!", "dryRunFirst",
        "DRY_RUN_FIRST", "Dry Run First", "describeOnly", "describe-only", "DESCRIBE ONLY", "ipamId", "IPAM_ID",
        "ipam id", "asn", "A-S-N", "\u{200b}DryRun", "Dry\u{a0}Run",
        // Its uppercase form is S.
        "de\u{17f}cribeOnly", r"\u0044ryRun", r"dry\u005frun", r"Dry\tRun", r"DryRun\u0000", r"DryRun\u202e",
    ];
    assert_rejected(names.map(|name| envelope(name.as_bytes())));
    let function = Function::start();
    for name in names {
        assert_error(function.invoke_text(envelope(name.as_bytes())), "InvalidEvent", &["must be inside `detail`"]);
    }
}

#[test]
fn envelope_names_that_are_not_utf8_are_rejected() {
    let names = [
        &b"DryRun\xff"[..],
        b"\xffDryRun",
        b"Dry\xc0\x80Run",
        b"dry\xed\xa0\x80run",
        b"D\xf4\x90\x80\x80",
        b"\xff",
        b"Dry\xe2\x80",
    ];
    assert_rejected(names.map(envelope));
    // A lone surrogate is valid UTF-8 as an escape, but it is no character.
    assert_rejected([envelope(br"Dry\ud800Run"), envelope(br"\udfff")]);
}

#[test]
fn other_envelope_names_are_ignored() {
    let function = Function::start();
    for name in [
        "id", "source", "account", "time", "region", "resources", "version", "replay-name", "trace-header", "DryRuns",
        "NotDryRun", "DryRunFirst1", "Describe", "Only", "Ipam", "IpamIds", "AsnAssociations", "Idempotency Key", "",
        "_", "é", "ДryRun", r"\u0069d",
    ] {
        function.ec2.set_world(World::default());
        assert_eq!(function.invoke_text(envelope(name.as_bytes())), Ok(pending()), "{name}");
        assert_eq!(function.calls(), [DEPROVISION]);
    }
}
