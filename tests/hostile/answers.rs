//! Answers that no EC2 gives: an endpoint that is broken, or not EC2's at all.

use std::{thread, time::Duration};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{
        Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
        Fault, World,
    },
    runtime_api::Deadline,
};

use crate::{secret_free, support::*};

/// What a file or a shell leaves at the end of a credential.
const ENDED: &str = "AKIAIOSFODNN7EXAMPLE\r";

fn dry_run() -> Value {
    request_with(&json!({ "DryRun": true }))
}

fn byoasn(content: &str) -> String {
    format!("<DeprovisionIpamByoasnResponse><byoasn>{content}</byoasn></DeprovisionIpamByoasnResponse>")
}

fn refusal(code: &str, message: &str) -> String {
    format!("<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>")
}

/// What comes of this answer to a deprovision, at every attempt.
fn answered_with(status: u16, body: &str) -> Result<Value, (String, String)> {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.fault(DeprovisionIpamByoasn, Fault::raw(status, body));
    }
    let outcome = function.invoke(&request());
    function.ec2.clear_faults();
    assert_eq!(function.invoke(&request()), Ok(pending()), "the process goes on");
    assert_eq!(secret_free(function.raw_log()).len(), 2);
    outcome
}

#[test]
fn entities_and_document_types_are_not_read() {
    let laughs = (1..10)
        .map(|i| format!("<!ENTITY l{i} \"{}\">", format!("&l{};", i - 1).repeat(10)))
        .collect::<Vec<_>>()
        .concat();
    let state = "<asn>64500</asn><state>&l9;</state>";
    for document in [
        format!("<!DOCTYPE r [<!ENTITY l0 \"ha\">{laughs}]>{}", byoasn(state)),
        format!("<!DOCTYPE r [<!ENTITY l9 SYSTEM \"file:///etc/passwd\">]>{}", byoasn(state)),
        format!("<!DOCTYPE r [<!ENTITY l9 SYSTEM \"http://127.0.0.1:9/\">]>{}", byoasn(state)),
        format!("<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/r.dtd\">{}", byoasn("<state>deprovisioned</state>")),
        format!("<!DOCTYPE r [<!ENTITY l9 \"deprovisioned\">]>{}", byoasn(state)),
        byoasn(state),
        byoasn("<state>deprovisioned"),
        format!("{}{}", byoasn("<state>deprovisioned</state>"), byoasn("<state>failed-deprovision</state>")),
    ] {
        assert_error(answered_with(200, &document), "Ec2BadResponse", &["not plain, well-formed XML", "unknown"]);
    }
}

#[test]
fn an_answer_about_another_asn_or_ipam_is_no_success() {
    for content in [
        "<asn>64501</asn><state>pending-deprovision</state>",
        "<asn>64500</asn><ipamId>ipam-0</ipamId><state>pending-deprovision</state>",
        "<asn>six</asn><state>pending-deprovision</state>",
        "<asn></asn><state>pending-deprovision</state>",
    ] {
        assert_error(answered_with(200, &byoasn(content)), "Ec2BadResponse", &["another ASN or IPAM", "unknown"]);
    }
    let another_form = answered_with(200, &byoasn("<asn>AS64500</asn><state>pending-deprovision</state>"));
    assert_eq!(another_form, Ok(json!({ "Byoasn": { "Asn": "64500", "State": "pending-deprovision" } })));
}

#[test]
fn nesting_without_end_is_only_an_answer() {
    for depth in [1_000, 100_000] {
        let nested = "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert_error(answered_with(200, &nested), "Ec2BadResponse", &["unknown"]);
        assert_error(answered_with(403, &nested), "Ec2BadResponse", &[]);
        let found = refusal("SomeCode", &nested);
        assert_error(answered_with(403, &found), "SomeCode", &[]);
    }
}

#[test]
fn a_document_that_takes_an_age_to_read_is_not_read() {
    let attributes: Vec<_> = (0..80_000).map(|i| format!(" a{i}='u'")).collect();
    let namespaces: Vec<_> = (0..20_000).map(|i| format!("<a xmlns:p{i}='u'>")).collect();
    let prefixed: Vec<_> = (0..1_400).map(|i| format!(" x:a{i}=''")).collect();
    for hostile in [
        format!("<a{}/>", attributes.concat()),
        namespaces.concat() + &"</a>".repeat(20_000),
        // Every two of these have the same megabyte in common.
        format!("<a xmlns:x='{}'{}/>", "u".repeat(1_000_000), prefixed.concat()),
    ] {
        for (status, unknown) in [(200, true), (403, false)] {
            let function = Function::start();
            function.ec2.fault(DeprovisionIpamByoasn, Fault::raw(status, &hostile));
            let outcome = function.invoke_until(Deadline::In(Duration::from_secs(10)), &request());
            let message = assert_error(outcome, "Ec2BadResponse", &["not plain, well-formed XML"]);
            assert_eq!(message.contains("unknown"), unknown, "{message}");
            assert_eq!(function.invoke(&request()), Ok(pending()));
        }
    }
}

#[test]
fn what_ec2_writes_is_read_with_its_equals_signs() {
    let message = "x=1&amp;".repeat(1_000);
    let outcome = answered_with(403, &refusal("SomeCode", &format!("xmlns {message}")));
    assert_error(outcome, "SomeCode", &["xmlns x=1&x=1"]);
}

#[test]
fn no_date_of_an_answer_changes_the_clock() {
    let function = Function::start();
    let headers = [("date".to_owned(), "Fri, 31 Dec 9999 23:59:59 GMT".to_owned())].into();
    let body = refusal("RequestExpired", "Look at the clock.");
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Raw { status: 400, headers, body, after_effect: false });
    assert_error(function.invoke(&request()), "RequestExpired", &["the clock"]);
    // A signature has a date in whole seconds.
    thread::sleep(Duration::from_millis(1_100));
    function.ec2.set_world(World::default());
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn an_answer_beyond_a_mebibyte_is_not_read_to_its_end() {
    let long = |n: usize| refusal("SomeCode", &"m".repeat(n));
    assert_error(answered_with(403, &long(1_000_000)), "SomeCode", &["mmm", "…", "HTTP 403"]);
    let expected = ["longer than 1 MiB", "HTTP 403"];
    let message = assert_error(answered_with(403, &long(1_100_000)), "Ec2BadResponse", &expected);
    assert!(!message.contains("unknown"), "{message}");
    let success = byoasn(&format!("<state>{}</state>", "s".repeat(15_000_000)));
    assert_error(answered_with(200, &success), "Ec2BadResponse", &["longer than 1 MiB", "HTTP 200", "unknown"]);
}

#[test]
fn a_body_without_end_fills_no_memory() {
    // A chunk of 4 GiB, of which 64 MiB come; and a length that never comes.
    for (name, value, body) in [
        ("transfer-encoding", "chunked", format!("ffffffff\r\n{}", "x".repeat(64 << 20))),
        ("content-length", "1000000000000", "x".repeat(64 << 20)),
    ] {
        let function = Function::start();
        let headers = [(name.to_owned(), value.to_owned())].into();
        let fault = Fault::Raw { status: 200, headers, body, after_effect: true };
        for _ in 0..3 {
            function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
        }
        assert_error(function.invoke(&request()), "Ec2BadResponse", &["longer than 1 MiB", "unknown"]);
        assert_eq!(function.invoke(&request()), Ok(pending()));
        let peak = crate::soak::memory(function.pid(), "VmHWM");
        assert!(peak < 64 << 10, "{peak} KiB");
    }
}

#[test]
fn headers_without_end_are_no_answer() {
    let headers = (0..5_000).map(|i| (format!("x-{i}"), "y".repeat(100))).collect();
    let function = Function::start();
    let fault = Fault::Raw { status: 200, headers, body: String::new(), after_effect: true };
    for _ in 0..3 {
        function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
    }
    assert_error(function.invoke(&request()), "Ec2Unreachable", &["head is too large", "unknown"]);
    function.ec2.clear_faults();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn a_code_that_step_functions_would_take_for_its_own_is_not_passed_on() {
    for code in [
        "States.ALL",
        "States.TaskFailed",
        " States.Timeout ",
        "\n\tStates.Timeout",
        "states.all",
        "STATES.ALL",
        "States.",
        "States\u{200b}.ALL",
        "States.ALL&#10;",
        "&#9;States.ALL",
        "\u{a0}States.ALL",
        "\u{2003}States.Timeout",
        "Two Words",
        "a\u{1f4a5}",
        "Ünknown",
        "\u{202e}LLA.setatS",
    ] {
        assert_error(answered_with(400, &refusal(code, "m")), "Ec2BadResponse", &["HTTP 400"]);
    }
    // XML allows no such character at all.
    assert_error(answered_with(400, &refusal("a\u{1b}[31m", "m")), "Ec2BadResponse", &["HTTP 400"]);
    assert_error(answered_with(400, &refusal(&"x".repeat(257), "m")), "Ec2BadResponse", &["cannot be passed on"]);
    assert_error(answered_with(400, &refusal(&"x".repeat(256), "m")), &"x".repeat(256), &["HTTP 400"]);
    // Only at its start it is reserved.
    assert_error(answered_with(400, &refusal("My.States.ALL", "m")), "My.States.ALL", &[]);
}

#[test]
fn a_code_that_is_one_of_the_functions_own_names_is_passed_on_and_its_reference_says_whose_it_is() {
    for code in ["InvalidEvent", "Ec2Timeout", "DryRunNotHonored", "CredentialsUnavailable", "FunctionPanicked"] {
        let expected = ["Deprovisioning ASN 64500", &format!("(code {code}, HTTP 403")];
        assert_error(answered_with(403, &refusal(code, "m")), code, &expected);
    }
}

#[test]
fn a_success_to_a_dry_run_is_never_a_pass_readable_or_not() {
    for body in
        ["", "<html>", "<DeprovisionIpamByoasn", &byoasn("<state>provisioned</state>"), &refusal("Whatever", "m")]
    {
        for status in [200, 202, 204] {
            for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
                let function = Function::start();
                function.ec2.fault(DeprovisionIpamByoasn, Fault::raw(status, body));
                assert_error(function.invoke(&request_with(&members)), "DryRunNotHonored", &["may have"]);
                assert_eq!(function.calls(), [DRY_RUN]);
            }
        }
    }
    // So is one that is not read to its end,
    for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
        let function = Function::start();
        let long = byoasn(&format!("<statusMessage>{}</statusMessage>", "m".repeat(1_100_000)));
        function.ec2.fault(DeprovisionIpamByoasn, Fault::raw(200, &long));
        assert_error(function.invoke(&request_with(&members)), "DryRunNotHonored", &["may have", "HTTP 200"]);
        assert_eq!(function.calls(), [DRY_RUN, DRY_RUN]);
    }
    // and one that breaks off or stays away, though the SDK asks again and hears the right answer then.
    for (connection, calls) in [("close", 2), ("keep-alive", 1)] {
        for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
            let function = Function::start();
            let headers = [("content-length", "1000"), ("connection", connection), ("x-amzn-requestid", "id-of-half")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let fault = Fault::Raw { status: 200, headers, body: "<Dep".into(), after_effect: false };
            function.ec2.fault(DeprovisionIpamByoasn, fault);
            let outcome = function.invoke_until(Deadline::In(Duration::from_secs(4)), &request_with(&members));
            assert_error(outcome, "DryRunNotHonored", &["may have", "(HTTP 200, request ID id-of-half)"]);
            assert_eq!(function.calls(), vec![DRY_RUN; calls]);
        }
    }
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::raw(200, &refusal("DryRunOperation", "It would.")));
    assert_eq!(function.invoke(&dry_run()).expect("it passes by its code")["Message"], "It would.");
}

#[test]
fn what_a_success_says_comes_without_secrets_and_not_at_any_length() {
    let function = Function::start();
    let content = format!(
        "<asn>64500</asn><statusMessage>{SESSION_TOKEN} {{authorization}} {}</statusMessage><state>{ACCESS_KEY_ID}{}</state>",
        "m".repeat(500_000),
        "s".repeat(100_000)
    );
    function.ec2.fault(DeprovisionIpamByoasn, Fault::raw(200, &byoasn(&content)));
    let response = function.invoke(&request()).expect("a state that nobody knows is a state").to_string();
    assert!(response.len() < 5_000, "{} bytes", response.len());
    assert!(response.contains("[redacted]"), "{response}");
    for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN] {
        assert!(!response.contains(secret), "{response}");
    }
    secret_free(function.raw_log());
}

#[test]
fn ec2_cannot_forge_a_log_line_in_either_format() {
    let forgery = "no&#10;{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"forged\"}&#13;&#10;\
                   2026-01-01T00:00:00Z  INFO forged&#x85;&#x9b;2K&#x2028;&#x202e;";
    for format in ["JSON", "Text"] {
        let function = Setup::new(World::default()).set("AWS_LAMBDA_LOG_FORMAT", format).start();
        let faults = [
            Fault::raw(403, &refusal("SomeCode", forgery)),
            Fault::raw(403, &refusal(forgery, forgery)),
            Fault::raw(200, &byoasn(&format!("<state>{forgery}</state><statusMessage>{forgery}</statusMessage>"))),
            Fault::raw(
                200,
                &byoasn(&format!("<state>failed-deprovision</state><statusMessage>{forgery}</statusMessage>")),
            ),
            Fault::raw(400, &format!("{forgery}<RequestID>{forgery}</RequestID>")),
        ];
        for fault in faults.clone() {
            function.ec2.fault(DeprovisionIpamByoasn, fault);
            let _ = function.invoke(&request());
        }
        let log = function.raw_log();
        assert_eq!(log.len(), faults.len(), "{format}: one line an invocation: {log:#?}");
        for line in log {
            assert!(!line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{line:?}");
        }
    }
}

#[test]
fn pages_that_never_end_are_left_after_a_hundred() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "SomeCode", "No."));
    for i in 0..500 {
        for (action, name) in [(DescribeIpamByoasn, "DescribeIpamByoasn"), (DescribeByoipCidrs, "DescribeByoipCidrs")] {
            function.ec2.fault(
                action,
                Fault::raw(200, &format!("<{name}Response><nextToken>token{i}</nextToken></{name}Response>")),
            );
        }
    }
    let outcome = function.invoke_until(Deadline::In(Duration::from_secs(30)), &request());
    assert_error(outcome, "SomeCode", &["DescribeIpamByoasn", "DescribeByoipCidrs", "could not be read"]);
    assert_eq!(function.calls().len(), 1 + 100 + 100);
}

#[test]
fn a_list_that_is_about_nothing_but_this_asn_is_left_after_a_thousand() {
    let function = Function::start();
    let entry = format!("<item><asn>64500</asn><ipamId>{IPAM}</ipamId><state>provisioned</state></item>").repeat(250);
    let association = "<item><asn>64500</asn><state>associated</state></item>".repeat(250);
    let association = format!("<item><asnAssociationSet>{association}</asnAssociationSet></item>");
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "SomeCode", "No."));
    for i in 0..50 {
        for (action, name, set, items) in [
            (DescribeIpamByoasn, "DescribeIpamByoasn", "byoasnSet", &entry),
            (DescribeByoipCidrs, "DescribeByoipCidrs", "byoipCidrSet", &association),
        ] {
            let page = format!("<{set}>{items}</{set}><nextToken>token{i}</nextToken>");
            function.ec2.fault(action, Fault::raw(200, &format!("<{name}Response>{page}</{name}Response>")));
        }
    }
    assert_error(function.invoke(&request()), "SomeCode", &["DescribeIpamByoasn", "DescribeByoipCidrs"]);
    assert_eq!(function.calls().len(), 1 + 5 + 5, "a thousand are read, and more are not followed by another page");
}

#[test]
fn credentials_that_cannot_stand_in_a_header_are_no_credentials() {
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        for bad in [
            "AKIA\nHost: x",
            "AKIA\rIOSFODNN7",
            "AKIA\u{7f}IOSFODNN7",
            "AKIA\u{1b}[31m",
            "AKIÄIOSFODNN7",
            "A\u{1}",
            ENDED,
        ] {
            // The SDK trims a session token, and only that.
            if variable == "AWS_SESSION_TOKEN" && bad == ENDED {
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
