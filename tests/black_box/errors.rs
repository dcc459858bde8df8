//! Every `errorType`, literally, and what its message says.

use serde_json::json;
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Association, Cidr, Fault, World};

use crate::support::*;

#[test]
fn an_ec2_code_is_passed_on_verbatim_with_what_ec2_said_and_the_reference() {
    for (status, code) in [
        (403, "UnauthorizedOperation"),
        (400, "InvalidIpamId.NotFound"),
        (400, "Client.Some_Code-1"),
        (401, "AuthFailure"),
    ] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, Fault::error(status, code, "EC2 says no."));
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
fn a_real_refusal_of_permission_carries_the_encoded_message_and_advice() {
    let denied = World { denied_access_keys: vec![ACCESS_KEY_ID.into()], ..World::default() };
    for event in [request(), request_with(&json!({ "DryRun": true }))] {
        let function = Function::in_world(denied.clone());
        assert_error(
            function.invoke(&event),
            "UnauthorizedOperation",
            &["ncoded authorization failure message", "aws sts decode-authorization-message", "HTTP 403"],
        );
        assert_eq!(function.calls().len(), 1);
    }
}

#[test]
fn an_unknown_ipam_is_ec2s_business_and_the_region_is_hinted_at() {
    let function = Function::in_world(World { ipams: vec![], asns: vec![], ..World::default() });
    assert_error(function.invoke(&request()), "InvalidIpamId.NotFound", &["home Region"]);
}

#[test]
fn a_throttle_that_lasts_keeps_its_name_and_is_no_unknown_outcome() {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.fault(DeprovisionIpamByoasn, Fault::Throttle);
    }
    let message = assert_error(function.invoke(&request()), "RequestLimitExceeded", &["HTTP 503", "call again"]);
    assert!(!message.contains("unknown"), "{message}");
    assert_eq!(function.calls(), [DEPROVISION; 3]);
}

#[test]
fn a_5xx_that_lasts_keeps_its_name_and_leaves_the_outcome_unknown() {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.fault(DeprovisionIpamByoasn, Fault::error(500, "InternalError", "Oh."));
    }
    assert_error(
        function.invoke(&request()),
        "InternalError",
        &["Oh.", "outcome is unknown", "safe to call again", "(code InternalError, HTTP 500, request ID "],
    );
}

#[test]
fn the_request_id_is_found_in_the_body_where_no_header_has_it() {
    let function = Function::in_world(World { request_id_header: false, ..World::default() });
    function.ec2.fault(
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

fn deprovisioned_as(state: &str) -> Fault {
    let byoasn = format!("<byoasn><asn>64500</asn><state>{state}</state></byoasn>");
    Fault::raw(200, &format!("<DeprovisionIpamByoasnResponse>{byoasn}</DeprovisionIpamByoasnResponse>"))
}

#[test]
fn an_ipam_id_of_absurd_length_neither_breaks_the_limit_nor_hides_what_is_unknown() {
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.fault(DeprovisionIpamByoasn, Fault::Close { after_effect: false });
    }
    let event = json!({ "IpamId": format!("ipam-{}", "a".repeat(50_000)), "Asn": 1 });
    assert_error(function.invoke(&event), "Ec2Unreachable", &["outcome is unknown"]);
}

#[test]
fn an_answer_that_cannot_be_understood_is_a_bad_response() {
    let coded = |code: &str| {
        Fault::raw(
            400,
            &format!("<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors></Response>"),
        )
    };
    for (fault, parts) in [
        (Fault::NoByoasn, vec!["no byoasn", "outcome is unknown", "HTTP 200"]),
        (Fault::TruncatedXml { status: 200 }, vec!["not plain, well-formed XML", "outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, ""), vec!["outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, "{}"), vec!["outcome is unknown", "HTTP 200"]),
        (Fault::raw(200, "<Other/>"), vec!["outcome is unknown", "HTTP 200"]),
        (
            Fault::raw(200, "<DeprovisionIpamByoasnResponse><byoasn><asn>64500</asn></byoasn>"),
            vec!["not plain, well-formed"],
        ),
        (deprovisioned_as("<![CDATA[failed-deprovision]]>"), vec!["not plain, well-formed"]),
        (deprovisioned_as("failed-<!-- or not -->deprovision"), vec!["not plain, well-formed"]),
        (Fault::Html { status: 403 }, vec!["HTTP 403"]),
        (Fault::TruncatedXml { status: 403 }, vec!["not plain, well-formed XML", "HTTP 403"]),
        (Fault::EmptyBody { status: 403 }, vec!["HTTP 403"]),
        (Fault::NoCode { status: 403 }, vec!["no error code", "HTTP 403"]),
        (coded(""), vec!["no error code", "HTTP 400"]),
        (coded("States.TaskFailed"), vec!["States.TaskFailed", "cannot be passed on", "HTTP 400"]),
        (coded("States.ALL"), vec!["States.ALL"]),
        (coded("two words"), vec!["two words"]),
        (coded("a&#10;b"), vec!["cannot be passed on"]),
        (coded("ü"), vec!["cannot be passed on"]),
        (coded(&"x".repeat(5_000)), vec!["cannot be passed on"]),
    ] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
        let (error_type, message) = function.invoke(&request()).expect_err("a bad response");
        assert_eq!(error_type, "Ec2BadResponse", "{fault:?}: {message}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
        assert_eq!(function.calls()[0], DEPROVISION);
        assert_eq!(function.calls().iter().filter(|call| call.starts_with("Deprovision")).count(), 1, "{fault:?}");
    }
}

#[test]
fn a_5xx_without_a_code_that_lasts_is_a_bad_response() {
    for fault in [Fault::Html { status: 502 }, Fault::EmptyBody { status: 503 }, Fault::NoCode { status: 500 }] {
        let function = Function::start();
        for _ in 0..3 {
            function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
        }
        assert_error(function.invoke(&request()), "Ec2BadResponse", &["outcome is unknown", "HTTP 50"]);
        assert_eq!(function.calls(), [DEPROVISION; 3]);
    }
}

#[test]
fn no_connection_is_unreachable_and_nothing_is_unknown() {
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1").start();
    let message =
        assert_error(function.invoke(&request()), "Ec2Unreachable", &["ASN 64500", IPAM, "Connection refused"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", "http://ec2.invalid").start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["ASN 64500", IPAM]);
    assert!(!message.contains("outcome is unknown"), "{message}");
}

#[test]
fn a_connection_that_breaks_before_the_answer_is_unreachable_and_the_outcome_is_unknown() {
    for fault in [Fault::Reset { after_effect: false }, Fault::Close { after_effect: true }, Fault::HalfAnswer] {
        let function = Function::start();
        for _ in 0..3 {
            function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
        }
        assert_error(function.invoke(&request()), "Ec2Unreachable", &["outcome is unknown", "safe to call again"]);
        assert_eq!(function.calls(), [DEPROVISION; 3]);
        let again = function.invoke(&request());
        assert_eq!(again, Ok(pending()), "and calling again is safe indeed");
    }
}

#[test]
fn an_outcome_that_one_attempt_left_unknown_stays_unknown_when_the_last_one_is_refused() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", "Not any more."));
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &["outcome is unknown"]);
}

#[test]
fn credentials_that_are_missing_or_blank_are_unavailable() {
    for blank in [None, Some(""), Some("  ")] {
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let setup = Setup::new(World::default());
            let setup = match blank {
                None => setup.unset(variable),
                Some(blank) => setup.set(variable, blank),
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
fn more_cidrs_than_a_message_holds_are_cut_and_the_advice_is_not() {
    let cidr = |i| Cidr::new(&format!("2001:db8:{i:x}::/48")).with(Association::new("64500"));
    let function = Function::in_world(World { cidrs: (0..300).map(cidr).collect(), ..World::default() });
    let expected = ["2001:db8:0::/48 (associated)", " more. Call DisassociateIpamByoasn", "EC2 said: ", "request ID "];
    assert_error(function.invoke(&request()), "AsnStillAssociated", &expected);
}

#[test]
fn a_message_of_ec2_becomes_one_line_and_keeps_the_reference_when_it_is_cut() {
    let function = Function::start();
    let long = format!("line one\nline two\r\n\ttab {}", "é".repeat(3_000));
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(403, "SomeCode", &long));
    let message = assert_error(
        function.invoke(&request()),
        "SomeCode",
        &["line one line two", "…", "(code SomeCode, HTTP 403, request ID "],
    );
    assert!(message.len() > 1_900, "{}", message.len());
}

/// The function with a handler that panics, to show what a bug looks like from outside.
#[test]
fn a_panic_is_an_error_of_this_invocation_and_the_process_goes_on() {
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
