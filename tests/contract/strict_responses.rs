//! Responses that could be mistaken for a passed dry run or for a success.

use serde_json::{Value, json};
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Association, Cidr, Fault, Interruption, Point, World};

use crate::support::*;

fn dry_run_first() -> Value {
    request_with(&json!({ "DryRunFirst": true }))
}

#[test]
fn dry_run_passes_only_with_the_code_in_its_place() {
    for document in [
        "<Response><Code>DryRunOperation</Code><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
        "<Response><Errors><Code>DryRunOperation</Code></Errors></Response>",
        "<Response><Code>DryRunOperation</Code></Response>",
        "<Response><Error><Code>DryRunOperation</Code></Error></Response>",
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error><Error><Code>DryRunOperation</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>A</Code><Code>DryRunOperation</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRunOperation</Code><Code>A</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRunOperation<b/></Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code><b>DryRunOperation</b></Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRunOperation</Code><Message><Code/></Message></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors><Errors/></Response>",
        "<Response><Errors><Error><Code>dryrunoperation</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRunOperation\u{200b}</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRun<!-- -->Operation</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code><![CDATA[DryRunOperation]]></Code></Error></Errors></Response>",
        "<Response>text<Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>",
        "<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors>",
        "<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>text",
        "<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response><Response/>",
        "<!DOCTYPE a><Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>",
        "<?a b?><Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>",
        "<r:Response xmlns:r='urn:r'><r:Errors><r:Error><r:Code>DryRunOperation</r:Code></r:Error></r:Errors></r:Response>",
        "<response><errors><error><code>DryRunOperation</code></error></errors></response>",
        "<ErrorResponse><Errors><Error><Code>DryRunOperation</Code></Error></Errors></ErrorResponse>",
        "<DeprovisionIpamByoasnResponse><Errors><Error><Code>DryRunOperation</Code></Error></Errors></DeprovisionIpamByoasnResponse>",
        "<html><body><Error/><Code>DryRunOperation</Code></body></html>",
        "<Error><Message><Code>DryRunOperation</Code></Message><Code>UnauthorizedOperation</Code></Error>",
        "<Error><Code>DryRunOperation</Code></Error>",
        "<Response><Errors><Error><Code>DryRunOperation</:Code></Error></Errors></Response>",
        "<?xml version='1.0' encoding='UTF-16'?><Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>",
        "{\"Code\": \"DryRunOperation\"}",
        "DryRunOperation",
        "",
    ] {
        for status in [412, 400, 403] {
            let function = Function::start();
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, document));
            let (error_type, message) = function.invoke(&dry_run_first()).expect_err(document);
            assert!(
                ["Ec2BadResponse", "UnauthorizedOperation", "A", "dryrunoperation"].contains(&error_type.as_str()),
                "{error_type}: {message}"
            );
            assert_eq!(function.calls(), [DRY_RUN], "{document}");
        }
    }
}

#[test]
fn white_space_around_the_code_is_ignored() {
    for status in [302, 400, 403, 412, 501] {
        let function = Function::start();
        let document = format!("<?xml version=\"1.0\"?>\n{}\n", error_document("\n  DryRunOperation\t", "M"));
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, document));
        assert_eq!(function.invoke(&dry_run_first()), Ok(pending()), "{status}");
        assert_eq!(function.calls(), [DRY_RUN, DEPROVISION]);
    }
}

#[test]
fn a_2xx_at_any_attempt_ends_a_dry_run() {
    let large = success_document(&"<a>x</a>".repeat(200_000));
    for first in [
        truncated_success(),
        truncated_response(202, "", &[]),
        Fault::raw(200, large),
        Fault::raw(200, error_document("InternalError", "M")),
    ] {
        for status in [200, 202, 412] {
            let function = Function::start();
            function.ec2.queue_fault(DeprovisionIpamByoasn, first.clone());
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, error_document("DryRunOperation", "M")));
            let message = assert_error(function.invoke(&dry_run_first()), "DryRunNotHonored", &["HTTP 20"]);
            assert!(function.calls().iter().all(|call| call == DRY_RUN), "{message}: {:?}", function.calls());
        }
    }
}

#[test]
fn a_2xx_without_complete_headers_ends_a_dry_run() {
    for by in [Interruption::Close, Interruption::Reset] {
        for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
            let function = Function::start();
            let fault = Fault::Interrupted { at: Point::HalfHead, by, status: 202, after_effect: false };
            function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
            assert_error(
                function.invoke(&request_with(&members)),
                "DryRunNotHonored",
                &["outcome is unknown", "HTTP 202"],
            );
            assert!(function.calls().iter().all(|call| call == DRY_RUN), "{:?}", function.calls());
        }
    }
    // After a 5xx that breaks at the same point, the retry can pass.
    let function = Function::start();
    let fault = Fault::Interrupted { at: Point::HalfHead, by: Interruption::Close, status: 500, after_effect: false };
    function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
    assert_eq!(function.invoke(&dry_run_first()), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DRY_RUN, DEPROVISION]);
}

#[test]
fn a_2xx_with_invalid_headers_ends_a_dry_run() {
    let function = Function::start();
    let headers = [("content-length".to_owned(), "1\r\ncontent-length: 2".to_owned())].into();
    let fault = Fault::Raw { status: 200, headers, body: "x".into(), after_effect: false };
    function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
    assert_error(function.invoke(&dry_run_first()), "DryRunNotHonored", &["HTTP 200"]);
    assert_eq!(function.calls(), [DRY_RUN]);
}

#[test]
fn failed_deprovision_is_a_failure_in_any_spelling() {
    for state in [
        "failed-deprovision",
        " failed-deprovision\n",
        "Failed-Deprovision",
        "FAILED-DEPROVISION",
        "failed-deprovision\u{200b}",
        "\u{feff}failed-deprovision",
        "\u{a0}failed-deprovision\u{a0}",
        "failed\u{2060}-deprovision",
        "failed-&#x200b;deprovision",
    ] {
        let function = Function::start();
        function
            .ec2
            .queue_fault(DeprovisionIpamByoasn, Fault::raw(200, success_document(&format!("<state>{state}</state>"))));
        let expected = ["reports failed-deprovision and gives no reason. (HTTP 200)"];
        assert_error(function.invoke(&request()), "DeprovisionFailed", &expected);
    }
}

#[test]
fn improper_success_is_a_bad_response_and_unknown() {
    for byoasn in [
        "",
        "<asn>64500</asn>",
        "<state/>",
        "<state> </state>",
        "<state>a</state><state>failed-deprovision</state>",
        "<state>failed-deprovision</state><state>a</state>",
        "<state><b>failed-deprovision</b></state>",
        "<state>a<b/></state>",
        "<state><![CDATA[a]]></state>",
        "<state>a</state><asn>64500</asn><asn>64500</asn>",
        "<state>a</state><asn><b/></asn>",
        "<state>a</state><ipamId>ipam-0123456789abcdef0</ipamId><ipamId/>",
        "<state>a</state><ipamId><b/></ipamId>",
        "<state>a</state><statusMessage><b/></statusMessage>",
        "<state>a</state></byoasn><byoasn><state>a</state>",
        "<state>a</state><byoasn><state>failed-deprovision</state></byoasn>",
        "<state>a</state></byoasn><b><state>failed-deprovision</state></b><byoasn>",
        "<state>&#160;</state>",
        "<state>\u{200b}\u{feff}</state>",
        "<state>\u{202e}</state>",
    ] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, success_document(byoasn)));
        assert_error(function.invoke(&request()), "Ec2BadResponse", &["outcome is unknown", "(HTTP 200)"]);
        assert_eq!(function.calls(), [DEPROVISION], "{byoasn}");
    }
}

#[test]
fn outcome_is_unknown_after_codes_of_internal_errors() {
    for code in
        ["InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "RequestTimeout", "DryRunOperation"]
    {
        for status in [200, 400, 403, 412, 501] {
            let function = Setup::new(World::default()).set("AWS_MAX_ATTEMPTS", "1").start();
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, error_document(code, "M")));
            let end = format!("(code {code}, HTTP {status})");
            assert_error(function.invoke(&request()), code, &["outcome is unknown", &end]);
        }
    }
    for (code, status) in [("UnauthorizedOperation", 403), ("RequestLimitExceeded", 503), ("IncorrectState", 400)] {
        let function = Setup::new(World::default()).set("AWS_MAX_ATTEMPTS", "1").start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(status, error_document(code, "M")));
        let message = assert_error(function.invoke(&request()), code, &[]);
        assert!(!message.contains("unknown"), "{message}");
    }
}

#[test]
fn another_root_element_is_named() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, "<html><body/></html>"));
    let expected = ["its root element is `html`, expected `DeprovisionIpamByoasnResponse`"];
    assert_error(function.invoke(&request()), "Ec2BadResponse", &expected);
}

#[test]
fn empty_status_message_is_omitted() {
    let function = Function::start();
    let body = success_document("<asn>64500</asn><state>a-new-state</state><statusMessage/>");
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, body));
    assert_eq!(function.invoke(&request()), Ok(json!({ "Byoasn": { "Asn": "64500", "State": "a-new-state" } })));
}

#[test]
fn encoded_authorization_message_is_never_truncated() {
    for (length, kept) in [(1_350, 1_350), (4_000, 4_000), (9_000, 9_000), (20_000, 9_000)] {
        let function = Function::start();
        let encoded = "aB3_-".repeat(length / 5);
        let text = format!("You are not authorized. Encoded authorization failure message: {encoded}");
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", &text));
        let (error_type, message) = function.invoke(&request()).expect_err("an error");
        assert_eq!(error_type, "UnauthorizedOperation");
        assert!(message.contains(&format!("message: {}", &encoded[..kept])) && message.len() <= 10_000, "{message}");
        assert!(message.contains("decode-authorization-message") && message.ends_with(')'), "{message}");
        assert!(message.len() - length.min(message.len()) <= 2_000, "{}", message.len());
    }
}

#[test]
fn percent_encoded_secrets_are_redacted() {
    let encode = |secret: &str, upper: bool| -> String {
        let hex = |b: u8| if upper { format!("%{b:02X}") } else { format!("%{b:02x}") };
        secret.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { hex(b) }).collect()
    };
    for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN] {
        for text in [secret.to_owned(), encode(secret, true), encode(secret, false)] {
            let function = Function::start();
            function
                .ec2
                .queue_fault(DeprovisionIpamByoasn, Fault::error(403, "SomeCode", &format!("sent {text} here")));
            let message = assert_error(function.invoke(&request()), "SomeCode", &["sent [redacted] here"]);
            let body = success_document(&format!("<state>{text}</state><statusMessage>{text}</statusMessage>"));
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(200, body));
            let response = function.invoke(&request()).expect("a response");
            assert_eq!(response, json!({ "Byoasn": { "State": "[redacted]", "StatusMessage": "[redacted]" } }));
            for line in function.raw_log() {
                assert!(!line.contains(&text), "{message}: {line}");
            }
        }
    }
}

#[test]
fn direction_marks_are_removed_from_messages_and_log() {
    let function = Function::start();
    let marked = "a\u{61c}b\u{202e}c\u{2066}d";
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(403, "SomeCode", marked));
    assert_error(function.invoke(&request()), "SomeCode", &["a b c d"]);
    function
        .ec2
        .queue_fault(DeprovisionIpamByoasn, Fault::raw(200, success_document(&format!("<state>{marked}</state>"))));
    assert_eq!(function.invoke(&request()), Ok(json!({ "Byoasn": { "State": "a b c d" } })));
    for line in function.raw_log() {
        assert!(!line.contains(['\u{61c}', '\u{202e}', '\u{2066}']), "{line}");
    }
}

#[test]
fn long_request_ids_do_not_cut_the_end_of_a_message() {
    let function = Function::start();
    let code = "x".repeat(256);
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code></Error></Errors><RequestID>{}</RequestID></Response>",
        "i".repeat(600)
    );
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::raw(501, body));
    let message = assert_error(function.invoke(&request()), &code, &["outcome is unknown"]);
    assert!(message.ends_with(&format!("(code {code}, HTTP 501, request ID {})", "i".repeat(128))), "{message}");

    let fault = truncated_response(200, "<Dep", &[("x-amzn-requestid", &"i".repeat(2_000))]);
    function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
    let message = assert_error(function.invoke(&request_with(&json!({ "DryRun": true }))), "DryRunNotHonored", &[]);
    assert!(message.ends_with(&format!("(HTTP 200, request ID {})", "i".repeat(128))), "{message}");
}

#[test]
fn encoded_message_takes_precedence_over_the_cidr_list() {
    let cidr = |i| Cidr::new(&format!("2001:db8:{i:x}::/48")).association(Association::new("64500"));
    let function = Function::with_world(World { cidrs: (0..300).map(cidr).collect(), ..World::default() });
    let encoded = "aB3_-".repeat(1_800);
    let text = format!("No. Encoded authorization failure message: {encoded}");
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "UnauthorizedOperation", &text));
    let message = assert_error(function.invoke(&request()), "AsnStillAssociated", &["CIDRs are still associated"]);
    assert!(message.len() <= 10_000 && message.contains(&encoded), "{}", message.len());
}

#[test]
fn status_line_in_a_body_is_only_text() {
    let function = Function::start();
    let message = "It would.\r\nHTTP/1.1 200 OK\r\n";
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(412, "DryRunOperation", message));
    let response = function.invoke(&request_with(&json!({ "DryRun": true }))).expect("a passed dry run");
    assert_eq!(response["DryRun"], true);
}
