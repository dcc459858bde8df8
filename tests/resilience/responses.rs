//! Responses from an endpoint that is broken or is not EC2.

use std::{thread, time::Duration};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{
        Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
        Fault, World,
    },
    runtime_api::Deadline,
};

use crate::support::*;

/// A credential with a carriage return at its end, as a file with Windows line ends leaves it.
const ENDS_WITH_CR: &str = "AKIAIOSFODNN7EXAMPLE\r";

fn dry_run() -> Value {
    request_with(&json!({ "DryRun": true }))
}

/// The outcome of an invocation if every attempt gets this response.
fn outcome_with_response(status: u16, body: &str) -> Outcome {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, body));
    }
    let outcome = function.invoke(&request());
    function.ec2.clear_faults();
    assert_eq!(function.invoke(&request()), Ok(pending()), "the process keeps working");
    assert_eq!(assert_no_secrets(function.raw_log()).len(), 2);
    outcome
}

#[test]
fn entities_and_doctypes_are_rejected() {
    let laughs = (1..10)
        .map(|i| format!("<!ENTITY l{i} \"{}\">", format!("&l{};", i - 1).repeat(10)))
        .collect::<Vec<_>>()
        .concat();
    let state = "<asn>64500</asn><state>&l9;</state>";
    for document in [
        format!("<!DOCTYPE r [<!ENTITY l0 \"ha\">{laughs}]>{}", success_document(state)),
        format!("<!DOCTYPE r [<!ENTITY l9 SYSTEM \"file:///etc/passwd\">]>{}", success_document(state)),
        format!("<!DOCTYPE r [<!ENTITY l9 SYSTEM \"http://127.0.0.1:9/\">]>{}", success_document(state)),
        format!("<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/r.dtd\">{}", success_document("<state>deprovisioned</state>")),
        format!("<!DOCTYPE r [<!ENTITY l9 \"deprovisioned\">]>{}", success_document(state)),
        success_document(state),
        success_document("<state>deprovisioned"),
        format!(
            "{}{}",
            success_document("<state>deprovisioned</state>"),
            success_document("<state>failed-deprovision</state>")
        ),
    ] {
        assert_error(outcome_with_response(200, &document), "Ec2BadResponse", &["cannot be understood", "unknown"]);
    }
}

#[test]
fn response_for_another_asn_or_ipam_is_rejected() {
    for content in [
        "<asn>64501</asn><state>pending-deprovision</state>",
        "<asn>64500</asn><ipamId>ipam-0</ipamId><state>pending-deprovision</state>",
        "<asn>six</asn><state>pending-deprovision</state>",
    ] {
        assert_error(
            outcome_with_response(200, &success_document(content)),
            "Ec2BadResponse",
            &["another ASN or IPAM", "unknown"],
        );
    }
    let another_form =
        outcome_with_response(200, &success_document("<asn>AS64500</asn><state>pending-deprovision</state>"));
    assert_eq!(another_form, Ok(json!({ "Byoasn": { "Asn": "64500", "State": "pending-deprovision" } })));
}

#[test]
fn deeply_nested_xml_is_a_bad_response() {
    for depth in [1_000, 100_000] {
        let nested = "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert_error(outcome_with_response(200, &nested), "Ec2BadResponse", &["unknown"]);
        assert_error(outcome_with_response(403, &nested), "Ec2BadResponse", &[]);
        let nested_message = error_document("SomeCode", &nested);
        assert_error(outcome_with_response(403, &nested_message), "Ec2BadResponse", &["more than 32 levels"]);
    }
}

#[test]
fn pathological_xml_is_rejected_quickly() {
    let attributes: Vec<_> = (0..80_000).map(|i| format!(" a{i}='u'")).collect();
    let namespaces: Vec<_> = (0..20_000).map(|i| format!("<a xmlns:p{i}='u'>")).collect();
    let prefixed: Vec<_> = (0..1_400).map(|i| format!(" x:a{i}=''")).collect();
    for hostile in [
        format!("<a{}/>", attributes.concat()),
        namespaces.concat() + &"</a>".repeat(20_000),
        // Each of these attributes has the same namespace name of a megabyte.
        format!("<a xmlns:x='{}'{}/>", "u".repeat(1_000_000), prefixed.concat()),
    ] {
        for (status, unknown) in [(200, true), (403, false)] {
            let function = Function::start();
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, hostile.clone()));
            let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(10)), &request());
            let message = assert_error(outcome, "Ec2BadResponse", &["cannot be understood"]);
            assert_eq!(message.contains("unknown"), unknown, "{message}");
            assert_eq!(function.invoke(&request()), Ok(pending()));
        }
    }
}

#[test]
fn messages_with_many_equals_signs_are_accepted() {
    let message = "x=1&amp;".repeat(1_000);
    let outcome = outcome_with_response(403, &error_document("SomeCode", &format!("xmlns {message}")));
    assert_error(outcome, "SomeCode", &["xmlns x=1&x=1"]);
}

#[test]
fn date_header_does_not_change_the_clock() {
    let function = Function::start();
    let headers = [("date".to_owned(), "Fri, 31 Dec 9999 23:59:59 GMT".to_owned())].into();
    let body = error_document("RequestExpired", "Check the clock.");
    function.ec2.queue_fault(
        DeprovisionIpamByoasn,
        Fault::Raw { status: 400, headers, body: body.into(), after_effect: false },
    );
    assert_error(function.invoke(&request()), "RequestExpired", &["the clock"]);
    // The date in a signature has a resolution of one second.
    thread::sleep(Duration::from_millis(1_100));
    function.ec2.set_world(World::default());
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn responses_over_one_mebibyte_are_rejected() {
    let long = |n: usize| error_document("SomeCode", &"m".repeat(n));
    assert_error(outcome_with_response(403, &long(1_000_000)), "SomeCode", &["mmm", "…", "HTTP 403"]);
    let expected = ["longer than 1 MiB", "HTTP 403"];
    let message = assert_error(outcome_with_response(403, &long(1_100_000)), "Ec2BadResponse", &expected);
    assert!(!message.contains("unknown"), "{message}");
    let success = success_document(&format!("<state>{}</state>", "s".repeat(15_000_000)));
    assert_error(outcome_with_response(200, &success), "Ec2BadResponse", &["longer than 1 MiB", "HTTP 200", "unknown"]);
}

#[test]
fn endless_body_does_not_fill_memory() {
    // A chunk of 4 GiB, of which 64 MiB are sent, and a length that is never reached.
    for (name, value, body) in [
        ("transfer-encoding", "chunked", format!("ffffffff\r\n{}", "x".repeat(64 << 20))),
        ("content-length", "1000000000000", "x".repeat(64 << 20)),
    ] {
        let function = Function::start();
        let headers = [(name.to_owned(), value.to_owned())].into();
        let fault = Fault::Raw { status: 200, headers, body: body.into(), after_effect: true };
        for _ in 0..3 {
            function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
        }
        assert_error(function.invoke(&request()), "Ec2BadResponse", &["longer than 1 MiB", "unknown"]);
        assert_eq!(function.invoke(&request()), Ok(pending()));
        let peak = function.memory_kib("VmHWM");
        assert!(peak < 64 << 10, "{peak} KiB");
    }
}

#[test]
fn endless_headers_are_rejected() {
    let headers = (0..5_000).map(|i| (format!("x-{i}"), "y".repeat(100))).collect();
    let function = Function::start();
    let fault = Fault::Raw { status: 200, headers, body: Vec::new(), after_effect: true };
    for _ in 0..3 {
        function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
    }
    assert_error(function.invoke(&request()), "Ec2Unreachable", &["head is too large", "unknown"]);
    function.ec2.clear_faults();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn codes_reserved_by_step_functions_are_not_passed_through() {
    for code in [
        "States.ALL", "States.TaskFailed", " States.Timeout ", "\n\tStates.Timeout", "states.all", "STATES.ALL",
        "States.", "States\u{200b}.ALL", "States.ALL&#10;", "&#9;States.ALL", "\u{a0}States.ALL",
        "\u{2003}States.Timeout", "Two Words", "a\u{1f4a5}", "Ünknown", "\u{202e}LLA.setatS",
    ] {
        assert_error(outcome_with_response(400, &error_document(code, "m")), "Ec2BadResponse", &["HTTP 400"]);
    }
    // XML does not allow this character.
    assert_error(outcome_with_response(400, &error_document("a\u{1b}[31m", "m")), "Ec2BadResponse", &["HTTP 400"]);
    assert_error(
        outcome_with_response(400, &error_document(&"x".repeat(257), "m")),
        "Ec2BadResponse",
        &["not a valid error name"],
    );
    assert_error(outcome_with_response(400, &error_document(&"x".repeat(256), "m")), &"x".repeat(256), &["HTTP 400"]);
    // Only the prefix is reserved.
    assert_error(outcome_with_response(400, &error_document("My.States.ALL", "m")), "My.States.ALL", &[]);
}

#[test]
fn ec2_codes_equal_to_function_errors_are_passed_through() {
    for code in ["InvalidEvent", "Ec2Timeout", "DryRunNotHonored", "CredentialsUnavailable", "FunctionPanicked"] {
        let expected = ["Deprovisioning ASN 64500", &format!("(code {code}, HTTP 403")];
        assert_error(outcome_with_response(403, &error_document(code, "m")), code, &expected);
    }
}

#[test]
fn successful_response_never_passes_a_dry_run() {
    for body in [
        "",
        "<html>",
        "<DeprovisionIpamByoasn",
        &success_document("<state>provisioned</state>"),
        &error_document("Whatever", "m"),
    ] {
        for status in [200, 202, 204] {
            for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
                let function = Function::start();
                function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, body));
                assert_error(function.invoke(&request_with(&members)), "DryRunNotHonored", &["may have"]);
                assert_eq!(function.calls(), [DRY_RUN]);
            }
        }
    }
    // The same holds for a success that is longer than the limit.
    for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
        let function = Function::start();
        let long = success_document(&format!("<statusMessage>{}</statusMessage>", "m".repeat(1_100_000)));
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, long));
        assert_error(function.invoke(&request_with(&members)), "DryRunNotHonored", &["may have", "HTTP 200"]);
        assert_eq!(function.calls(), [DRY_RUN, DRY_RUN]);
    }
    // It also holds for a truncated or missing body, although the SDK then retries and gets a passed dry run.
    for (connection, calls) in [("close", 2), ("keep-alive", 1)] {
        for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
            let function = Function::start();
            let headers = [("connection", connection), ("x-amzn-requestid", "id-of-half")];
            let fault = truncated_response(200, "<Dep", &headers);
            function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
            let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(4)), &request_with(&members));
            assert_error(outcome, "DryRunNotHonored", &["may have", "(HTTP 200, request ID id-of-half)"]);
            assert_eq!(function.calls(), vec![DRY_RUN; calls]);
        }
    }
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, error_document("DryRunOperation", "It would.")));
    assert_error(function.invoke(&dry_run()), "DryRunNotHonored", &["HTTP 200"]);
}

#[test]
fn success_is_redacted_and_truncated() {
    let function = Function::start();
    let content = format!(
        "<asn>64500</asn><statusMessage>{SESSION_TOKEN} {{authorization}} {}</statusMessage><state>{ACCESS_KEY_ID}{}</state>",
        "m".repeat(500_000),
        "s".repeat(100_000)
    );
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, success_document(&content)));
    let response = function.invoke(&request()).expect("an unknown state is passed through").to_string();
    assert!(response.len() < 5_000, "{} bytes", response.len());
    assert!(response.contains("[redacted]"), "{response}");
    for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN] {
        assert!(!response.contains(secret), "{response}");
    }
    assert_no_secrets(function.raw_log());
}

#[test]
fn ec2_cannot_forge_log_lines() {
    let forgery = "no&#10;{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"forged\"}&#13;&#10;\
                   2026-01-01T00:00:00Z  INFO forged&#x85;&#x9b;2K&#x2028;&#x202e;";
    for format in ["JSON", "Text"] {
        let function = Setup::new(World::default()).set("AWS_LAMBDA_LOG_FORMAT", format).start();
        let faults = [
            Fault::raw(403, error_document("SomeCode", forgery)),
            Fault::raw(403, error_document(forgery, forgery)),
            Fault::raw(
                200,
                success_document(&format!("<state>{forgery}</state><statusMessage>{forgery}</statusMessage>")),
            ),
            Fault::raw(
                200,
                success_document(&format!("<state>failed-deprovision</state><statusMessage>{forgery}</statusMessage>")),
            ),
            Fault::raw(400, format!("{forgery}<RequestID>{forgery}</RequestID>")),
        ];
        for fault in faults.clone() {
            function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
            let _ = function.invoke(&request());
        }
        let log = function.raw_log();
        assert_eq!(log.len(), faults.len(), "{format}: expected one line an invocation: {log:#?}");
        for line in log {
            assert!(!line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{line:?}");
        }
    }
}

#[test]
fn pagination_stops_after_a_hundred_pages() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "SomeCode", "No."));
    for i in 0..500 {
        for (action, set) in [(DescribeIpamByoasn, "byoasnSet"), (DescribeByoipCidrs, "byoipCidrSet")] {
            let page = format!("<{action:?}Response><{set}/><nextToken>token{i}</nextToken></{action:?}Response>");
            function.ec2.queue_fault(action, Fault::raw(200, page));
        }
    }
    let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(30)), &request());
    assert_error(outcome, "SomeCode", &["DescribeIpamByoasn", "DescribeByoipCidrs", "DescribeIpamByoasn failed"]);
    assert_eq!(function.calls().len(), 1 + 100 + 100);
}

#[test]
fn pagination_stops_after_a_thousand_matches() {
    let function = Function::start();
    let entry = format!("<item><asn>64500</asn><ipamId>{IPAM}</ipamId><state>provisioned</state></item>").repeat(250);
    let association = "<item><asn>64500</asn><state>associated</state></item>".repeat(250);
    let association = format!("<item><asnAssociationSet>{association}</asnAssociationSet></item>");
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "SomeCode", "No."));
    for i in 0..50 {
        for (action, name, set, items) in [
            (DescribeIpamByoasn, "DescribeIpamByoasn", "byoasnSet", &entry),
            (DescribeByoipCidrs, "DescribeByoipCidrs", "byoipCidrSet", &association),
        ] {
            let page = format!("<{set}>{items}</{set}><nextToken>token{i}</nextToken>");
            function.ec2.queue_fault(action, Fault::raw(200, format!("<{name}Response>{page}</{name}Response>")));
        }
    }
    assert_error(function.invoke(&request()), "SomeCode", &["DescribeIpamByoasn", "DescribeByoipCidrs"]);
    assert_eq!(function.calls().len(), 1 + 5 + 5, "after a thousand entries no further page is read");
}

#[test]
fn credentials_invalid_in_a_header_are_unavailable() {
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        for bad in [
            "AKIA\nHost: x", "AKIA\rIOSFODNN7", "AKIA\u{7f}IOSFODNN7", "AKIA\u{1b}[31m", "AKIÄIOSFODNN7", "A\u{1}",
            ENDS_WITH_CR,
        ] {
            // The SDK trims the session token, but not the other two.
            if variable == "AWS_SESSION_TOKEN" && bad == ENDS_WITH_CR {
                continue;
            }
            let function = Setup::new(World::default()).set(variable, bad).start();
            for event in [request(), dry_run()] {
                let expected = ["no usable credentials", "Nothing was sent"];
                assert_error(function.invoke(&event), "CredentialsUnavailable", &expected);
            }
            assert_eq!(function.calls(), Vec::<String>::new());
        }
    }
}
