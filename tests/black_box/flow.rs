//! The steps of an invocation, and the exact calls that EC2 sees.

use serde_json::json;
use stand_ins::ec2::{
    Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
    Asn, Association, Break, Cidr, Fault, Point, World,
};

use crate::support::*;

fn with_state(state: &str) -> World {
    World { asns: vec![Asn::new("64500", IPAM).state(state)], ..World::default() }
}

fn with_associations(states: &[&str]) -> World {
    let cidr = |(i, state): (usize, &&str)| {
        Cidr::new(&format!("203.0.113.{}/24", i * 64)).with(Association::new("64500").state(state))
    };
    World { cidrs: states.iter().enumerate().map(cidr).collect(), ..World::default() }
}

#[test]
fn the_happy_path_is_one_call() {
    let function = Function::start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn dry_run_false_is_as_good_as_none() {
    let function = Function::start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRun": false, "DryRunFirst": false }))), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn dry_run_first_is_a_dry_run_and_then_the_real_thing() {
    let function = Function::start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRunFirst": true }))), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DEPROVISION]);
}

#[test]
fn with_dry_run_the_dry_run_is_all_that_happens_even_with_dry_run_first() {
    let function = Function::start();
    let response = function.invoke(&request_with(&json!({ "DryRun": true, "DryRunFirst": true })));
    assert_eq!(response.expect("it passes")["DryRun"], true);
    assert_eq!(function.calls(), [DRY_RUN]);
}

#[test]
fn a_dry_run_that_is_refused_ends_the_invocation_without_looks() {
    for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
        let message = assert_error(
            function.invoke(&request_with(&members)),
            "IncorrectState",
            &["Dry run of deprovisioning ASN 64500 from ipam-0123456789abcdef0: No."],
        );
        assert!(!message.contains("unknown"), "{message}");
        assert_eq!(function.calls(), [DRY_RUN]);
    }
}

#[test]
fn a_dry_run_that_is_answered_with_success_ends_the_invocation() {
    for after_effect in [false, true] {
        for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
            let function = Function::start();
            function.ec2.fault(DeprovisionIpamByoasn, Fault::DryRunIgnored { after_effect });
            assert_error(
                function.invoke(&request_with(&members)),
                "DryRunNotHonored",
                &["ASN 64500", IPAM, "may have", "AWS_ENDPOINT_URL_EC2", "(HTTP 200, request ID "],
            );
            assert_eq!(function.calls(), [DRY_RUN]);
        }
    }
}

#[test]
fn a_repeat_is_a_success_once_a_look_has_shown_that_it_is_already_so() {
    let function = Function::start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, LOOK_AT_ASN]);
}

#[test]
fn what_is_already_deprovisioned_is_a_success_too() {
    let function = Function::in_world(with_state("deprovisioned"));
    let response = function.invoke(&request());
    assert_eq!(response, Ok(json!({ "Byoasn": { "Asn": "64500", "IpamId": IPAM, "State": "deprovisioned" } })));
    assert_eq!(function.calls(), [DEPROVISION, LOOK_AT_ASN]);
}

#[test]
fn a_look_reads_all_pages_and_wants_this_asn_under_this_ipam() {
    let other = "ipam-0fedcba9876543210";
    let function = Function::in_world(World {
        ipams: vec![IPAM.into(), other.into()],
        asns: vec![
            Asn::new("64501", IPAM).state("pending-deprovision"),
            Asn::new("64500", other).state("deprovisioned"),
            Asn::new("64502", IPAM),
            Asn::new("64500", IPAM).state("pending-deprovision").status_message("on its way"),
        ],
        page_size: 1,
        ..World::default()
    });
    assert_eq!(
        function.invoke(&request()),
        Ok(json!({ "Byoasn": {
            "Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision", "StatusMessage": "on its way"
        } }))
    );
    let calls = function.calls();
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(calls[..2], [DEPROVISION, LOOK_AT_ASN]);
    assert!(calls[2..].iter().all(|call| call.starts_with(&format!("{LOOK_AT_ASN} NextToken="))), "{calls:?}");
}

#[test]
fn an_asn_that_was_provisioned_again_is_not_taken_for_its_deprovisioned_entry() {
    let gone = Asn::new("64500", IPAM).state("deprovisioned");
    let function =
        Function::in_world(World { asns: vec![gone, Asn::new("64500", IPAM)], ..with_associations(&["associated"]) });
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "Whatever", "No."));
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24 (associated)"]);
}

#[test]
fn associations_in_any_state_but_disassociated_are_named_with_their_cidrs() {
    let function = Function::in_world(World {
        page_size: 1,
        ..with_associations(&["associated", "disassociated", "pending-disassociation", "failed-disassociation"])
    });
    let message = assert_error(
        function.invoke(&request()),
        "AsnStillAssociated",
        &[
            "Deprovisioning ASN 64500 from ipam-0123456789abcdef0: CIDRs are still associated",
            "EC2 said: ",
            "203.0.113.0/24 (associated)",
            "203.0.113.128/24 (pending-disassociation)",
            "203.0.113.192/24 (failed-disassociation)",
            "DisassociateIpamByoasn",
            "(code DependencyViolation, HTTP 400, request ID ",
        ],
    );
    assert!(!message.contains("203.0.113.64/24"), "{message}");
    let calls = function.calls();
    assert_eq!(calls[..3], [DEPROVISION, LOOK_AT_ASN, LOOK_AT_CIDRS]);
    assert_eq!(calls.len(), 6, "all four pages: {calls:?}");
}

#[test]
fn an_asn_with_associations_that_is_not_under_this_ipam_is_said_to_be_none_of_its() {
    let function = Function::in_world(World { asns: vec![], ..with_associations(&["associated"]) });
    assert_error(
        function.invoke(&request()),
        "AsnStillAssociated",
        &["disassociated. DescribeIpamByoasn lists no such ASN under this IPAM. EC2 said: "],
    );
}

#[test]
fn an_outcome_that_is_unknown_stays_so_beside_associations() {
    let function = Function::in_world(with_associations(&["associated"]));
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    function.ec2.fault(DescribeIpamByoasn, Fault::Throttle);
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24", "outcome is unknown"]);
}

#[test]
fn associations_of_another_asn_do_not_matter() {
    let cidr = Cidr::new("203.0.113.0/24").with(Association::new("64501"));
    let function = Function::in_world(World { cidrs: vec![cidr], ..World::default() });
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
    assert_error(function.invoke(&request()), "IncorrectState", &["in state provisioned"]);
}

#[test]
fn a_refusal_that_no_look_explains_keeps_its_code_and_says_what_was_seen() {
    for (world, code, seen) in [
        (World { asns: vec![], ..World::default() }, "InvalidByoasn.NotFound", "lists no such ASN under this IPAM"),
        (with_state("failed-deprovision"), "IncorrectState", "in state failed-deprovision"),
        (with_state("pending-provision"), "IncorrectState", "in state pending-provision"),
    ] {
        let function = Function::in_world(world);
        function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, code, "EC2 says no."));
        assert_error(
            function.invoke(&request()),
            code,
            &["EC2 says no.", seen, &format!("(code {code}, HTTP 400, request ID ")],
        );
        assert_eq!(function.calls(), [DEPROVISION, LOOK_AT_ASN, LOOK_AT_CIDRS]);
    }
}

#[test]
fn a_look_that_fails_is_one_attempt_and_leaves_the_original_error() {
    for fault in [
        Fault::Throttle,
        Fault::error(403, "UnauthorizedOperation", "Not you."),
        Fault::error(500, "InternalError", "Oh."),
        Fault::Html { status: 502 },
        Fault::TruncatedXml { status: 200 },
        Fault::Close { after_effect: false },
    ] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "EC2 says no."));
        function.ec2.fault(DescribeIpamByoasn, fault.clone());
        function.ec2.fault(DescribeByoipCidrs, fault);
        let expected = [
            "EC2 says no.",
            "with DescribeIpamByoasn",
            "with DescribeByoipCidrs",
            "(code IncorrectState, HTTP 400, request ID ",
        ];
        let message = assert_error(function.invoke(&request()), "IncorrectState", &expected);
        assert!(!message.contains("Not you."), "{message}");
        assert_eq!(function.calls(), [DEPROVISION, LOOK_AT_ASN, LOOK_AT_CIDRS]);
    }
}

#[test]
fn a_first_look_that_fails_does_not_hinder_the_second() {
    let function = Function::in_world(with_associations(&["associated"]));
    function.ec2.fault(DescribeIpamByoasn, Fault::error(403, "UnauthorizedOperation", "Not you."));
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24 (associated)"]);
}

#[test]
fn pages_that_repeat_end_a_look() {
    let page = |action| {
        Fault::raw(
            200,
            &format!("<{action}Response><requestId>1</requestId><nextToken>again</nextToken></{action}Response>"),
        )
    };
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "EC2 says no."));
    for _ in 0..2 {
        function.ec2.fault(DescribeIpamByoasn, page("DescribeIpamByoasn"));
        function.ec2.fault(DescribeByoipCidrs, page("DescribeByoipCidrs"));
    }
    assert_error(function.invoke(&request()), "IncorrectState", &["could not be read"]);
    assert_eq!(function.calls().len(), 5);
}

#[test]
fn only_http_400_is_worth_a_look() {
    for status in [401, 403, 404, 409, 501] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, Fault::error(status, "SomeCode", "EC2 says no."));
        assert_error(function.invoke(&request()), "SomeCode", &[&format!("(code SomeCode, HTTP {status}, ")]);
        assert_eq!(function.calls(), [DEPROVISION]);
    }
}

#[test]
fn failed_deprovision_in_an_answer_is_an_error() {
    let function = Function::start();
    function.ec2.fault(
        DeprovisionIpamByoasn,
        Fault::State { state: "failed-deprovision".into(), status_message: Some("The registry says no.".into()) },
    );
    assert_error(
        function.invoke(&request()),
        "DeprovisionFailed",
        &["ASN 64500", IPAM, "failed-deprovision", "The registry says no.", "(HTTP 200, request ID "],
    );
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn a_lost_answer_is_found_again_by_the_repeat_and_a_look() {
    for fault in [Fault::Reset { after_effect: true }, Fault::Close { after_effect: true }, Fault::HalfAnswer] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, fault);
        assert_eq!(function.invoke(&request()), Ok(pending()));
        assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, LOOK_AT_ASN]);
    }
}

#[test]
fn an_unknown_outcome_stays_unknown_when_a_look_shows_no_change() {
    // EC2 is eventually consistent: what it lists may be of before the change.
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: false });
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "Not now."));
    let expected = ["in state provisioned.", "The outcome is unknown; it is safe to call again."];
    assert_error(function.invoke(&request()), "IncorrectState", &expected);
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, LOOK_AT_ASN, LOOK_AT_CIDRS]);

    let function = Function::in_world(with_associations(&["associated"]));
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: false });
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["The outcome is unknown"]);
}

#[test]
fn throttles_and_5xx_are_repeated_up_to_three_attempts() {
    for fault in [
        Fault::Throttle,
        Fault::error(500, "InternalError", "Oh."),
        Fault::error(503, "Unavailable", "Oh."),
        Fault::Html { status: 502 },
        Fault::EmptyBody { status: 504 },
        Fault::NoCode { status: 500 },
        Fault::Reset { after_effect: false },
    ] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
        function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
        assert_eq!(function.invoke(&request()), Ok(pending()), "{fault:?}");
        assert_eq!(function.calls(), [DEPROVISION; 3], "{fault:?}");
    }
}

#[test]
fn an_answer_that_is_no_http_is_not_asked_for_again() {
    let function = Function::start();
    let garbage = Fault::Breaks { at: Point::Start, by: Break::Garbage, status: 200, after_effect: false };
    function.ec2.fault(DeprovisionIpamByoasn, garbage);
    assert_error(function.invoke(&request()), "Ec2Unreachable", &["invalid HTTP", "outcome is unknown"]);
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn one_process_serves_good_and_bad_invocations_in_turn() {
    let function = Function::start();
    for _ in 0..15 {
        function.ec2.set_world(World::default());
        for _ in 0..3 {
            function.ec2.fault(DeprovisionIpamByoasn, Fault::Close { after_effect: false });
        }
        assert_error(function.invoke(&request()), "Ec2Unreachable", &[]);
        assert_eq!(function.calls(), [DEPROVISION; 3], "the retries of one invocation are not those of another");
        assert_error(function.invoke(&json!({})), "InvalidEvent", &[]);
        assert_eq!(function.invoke(&request()), Ok(pending()));
    }
}
