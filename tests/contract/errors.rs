//! Every `errorType` and its message.

use serde_json::json;
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Association, Cidr, Fault, World};

use crate::support::*;

#[test]
fn ec2_code_and_message_are_passed_through() {
    for (status, code) in [
        (403, "UnauthorizedOperation"),
        (400, "InvalidIpamId.NotFound"),
        (400, "Client.Some_Code-1"),
        (401, "AuthFailure"),
    ] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(status, code, "EC2 says no."));
        let message = assert_error(
            function.invoke(&request()),
            code,
            &[
                &format!("Deprovisioning ASN 64500 from {IPAM}: EC2 says no."),
                &format!("(code {code}, HTTP {status}, request ID "),
            ],
        );
        assert!(message.ends_with(')'), "{message}");
    }
}

#[test]
fn denied_permission_has_encoded_message_and_advice() {
    let denied = World { denied_access_keys: vec![ACCESS_KEY_ID.into()], ..World::default() };
    for event in [request(), request_with(&json!({ "DryRun": true }))] {
        let function = Function::with_world(denied.clone());
        assert_error(
            function.invoke(&event),
            "UnauthorizedOperation",
            &["ncoded authorization failure message", "aws sts decode-authorization-message", "HTTP 403"],
        );
        assert_eq!(function.calls().len(), 1);
    }
}

#[test]
fn unknown_ipam_mentions_the_home_region() {
    let function = Function::with_world(World { ipams: vec![], asns: vec![], ..World::default() });
    assert_error(function.invoke(&request()), "InvalidIpamId.NotFound", &["home Region"]);
}

#[test]
fn persistent_throttle_has_a_known_outcome() {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Throttle);
    }
    let message = assert_error(function.invoke(&request()), "RequestLimitExceeded", &["HTTP 503", "call again"]);
    assert!(!message.contains("unknown"), "{message}");
    assert_eq!(function.calls(), [DEPROVISION; 3]);
}

#[test]
fn persistent_5xx_has_an_unknown_outcome() {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(500, "InternalError", "Oh."));
    }
    assert_error(
        function.invoke(&request()),
        "InternalError",
        &["Oh.", "outcome is unknown", "or call again", "(code InternalError, HTTP 500, request ID "],
    );
}

#[test]
fn request_id_is_read_from_the_body_without_a_header() {
    let function = Function::with_world(World { request_id_header: false, ..World::default() });
    function.ec2.queue_fault(
        DeprovisionIpamByoasn,
        Fault::raw(
            403,
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No.</Message></Error></Errors>\
             <RequestID>59dbff89-35bd-4eac-99ed-be587EXAMPLE</RequestID></Response>",
        ),
    );
    assert_error(
        function.invoke(&request()),
        "UnauthorizedOperation",
        &["(code UnauthorizedOperation, HTTP 403, request ID 59dbff89-35bd-4eac-99ed-be587EXAMPLE)"],
    );
}

/// A success with this content in its `state` element.
fn success_with_state(state: &str) -> Fault {
    Fault::raw(200, success_document(&format!("<asn>64500</asn><state>{state}</state>")))
}

#[test]
fn long_ipam_id_does_not_hide_an_unknown_outcome() {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Close { after_effect: false });
    }
    let event = json!({ "IpamId": format!("ipam-{}", "a".repeat(50_000)), "Asn": 1 });
    assert_error(function.invoke(&event), "Ec2Unreachable", &["outcome is unknown"]);
}

#[test]
fn unintelligible_response_is_bad_response() {
    let error_with_code = |code: &str| Fault::raw(400, error_document(code, "m"));
    for (fault, parts) in [
        (Fault::NoByoasn, vec!["no byoasn", "outcome is unknown", "HTTP 200"]),
        (Fault::TruncatedXml { status: 200 }, vec!["not well-formed XML", "outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, ""), vec!["outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, "{}"), vec!["outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, "<Other/>"), vec!["outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, "<DeprovisionIpamByoasnResponse><byoasn><asn>64500</asn></byoasn>"), vec!["not well-formed"]),
        (success_with_state("<![CDATA[failed-deprovision]]>"), vec!["a CDATA section"]),
        (success_with_state("failed-<!-- or not -->deprovision"), vec!["a comment"]),
        (Fault::Html { status: 403 }, vec!["HTTP 403"]),
        (Fault::TruncatedXml { status: 403 }, vec!["not well-formed XML", "HTTP 403"]),
        (Fault::EmptyBody { status: 403 }, vec!["HTTP 403"]),
        (Fault::NoCode { status: 403 }, vec!["no error code", "HTTP 403"]),
        (error_with_code(""), vec!["no error code", "HTTP 400"]),
        (error_with_code("States.TaskFailed"), vec!["States.TaskFailed", "not a valid error name", "HTTP 400"]),
        (error_with_code("States.ALL"), vec!["States.ALL"]),
        (error_with_code("two words"), vec!["two words"]),
        (error_with_code("a&#10;b"), vec!["not a valid error name"]),
        (error_with_code("ü"), vec!["not a valid error name"]),
        (error_with_code(&"x".repeat(5_000)), vec!["not a valid error name"]),
    ] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
        let (error_type, message) = function.invoke(&request()).expect_err("an error");
        assert_eq!(error_type, "Ec2BadResponse", "{fault:?}: {message}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
        assert_eq!(function.calls()[0], DEPROVISION);
        assert_eq!(function.calls().iter().filter(|call| call.starts_with("Deprovision")).count(), 1, "{fault:?}");
    }
}

#[test]
fn persistent_5xx_without_a_code_is_bad_response() {
    for fault in [Fault::Html { status: 502 }, Fault::EmptyBody { status: 503 }, Fault::NoCode { status: 500 }] {
        let function = Function::start();
        for _ in 0..3 {
            function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
        }
        assert_error(function.invoke(&request()), "Ec2BadResponse", &["outcome is unknown", "HTTP 50"]);
        assert_eq!(function.calls(), [DEPROVISION; 3]);
    }
}

#[test]
fn failed_connection_is_unreachable_with_a_known_outcome() {
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1").start();
    let message =
        assert_error(function.invoke(&request()), "Ec2Unreachable", &["ASN 64500", IPAM, "Connection refused"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", "http://ec2.invalid").start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["ASN 64500", IPAM]);
    assert!(!message.contains("outcome is unknown"), "{message}");
}

#[test]
fn lost_response_is_unreachable_with_an_unknown_outcome() {
    for fault in [Fault::Reset { after_effect: false }, Fault::Close { after_effect: true }, Fault::HalfResponse] {
        let function = Function::start();
        for _ in 0..3 {
            function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
        }
        assert_error(function.invoke(&request()), "Ec2Unreachable", &["outcome is unknown", "or call again"]);
        assert_eq!(function.calls(), [DEPROVISION; 3]);
        let again = function.invoke(&request());
        assert_eq!(again, Ok(pending()), "calling again is safe");
    }
}

#[test]
fn unknown_outcome_survives_a_rejected_retry() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", "Not any more."));
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &["outcome is unknown"]);
}

#[test]
fn missing_or_blank_credentials_are_unavailable() {
    for value in [None, Some(""), Some("  ")] {
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let setup = Setup::new(World::default());
            let setup = match value {
                None => setup.unset(variable),
                Some(value) => setup.set(variable, value),
            };
            let function = setup.start();
            let expected = ["ASN 64500", IPAM, "no usable credentials", "Nothing was sent"];
            assert_error(function.invoke(&request()), "CredentialsUnavailable", &expected);
            assert_error(function.invoke(&request_with(&json!({ "DryRun": true }))), "CredentialsUnavailable", &[]);
            assert_eq!(function.calls(), Vec::<String>::new());
        }
    }
}

#[test]
fn long_cidr_list_is_truncated_but_advice_is_kept() {
    let cidr = |i| Cidr::new(&format!("2001:db8:{i:x}::/48")).association(Association::new("64500"));
    let function = Function::with_world(World { cidrs: (0..300).map(cidr).collect(), ..World::default() });
    let expected = [
        "2001:db8:0::/48 (associated)", " more. Re-advertise", "Call DisassociateIpamByoasn", "EC2's message: ",
        "request ID ",
    ];
    assert_error(function.invoke(&request()), "AsnStillAssociated", &expected);
}

#[test]
fn long_ec2_message_is_truncated_to_one_line() {
    let function = Function::start();
    let long = format!("line one\nline two\r\n\ttab {}", "é".repeat(3_000));
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(403, "SomeCode", &long));
    let message = assert_error(
        function.invoke(&request()),
        "SomeCode",
        &["line one line two", "…", "(code SomeCode, HTTP 403, request ID "],
    );
    assert!(message.len() > 1_900, "{}", message.len());
}

/// Runs the `panics` example: the function's runtime with a handler that panics.
#[test]
fn panic_fails_only_its_invocation() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_deprovision-ipam-byoasn"));
    let panics = program.parent().expect("a folder").join("examples/panics");
    let function = Setup::new(World::default()).program(panics).start();
    for _ in 0..2 {
        assert_error(function.invoke(&request()), "FunctionPanicked", &["on purpose", "outcome is unknown"]);
    }
    assert_eq!(function.invoke(&json!("calm")), Ok(json!("calm")));
    for line in function.log() {
        assert_eq!(line["level"], "ERROR");
        let message = line["message"].as_str().expect("text");
        assert!(message.contains("on purpose") && !message.contains(char::is_control), "{line}");
    }
}
