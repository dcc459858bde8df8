//! The steps of an invocation, and the exact calls to EC2.

use serde_json::json;
use stand_ins::ec2::{
    Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
    Asn, Association, Cidr, Fault, Interruption, Point, World,
};

use crate::support::*;

fn with_state(state: &str) -> World {
    World { asns: vec![Asn::new("64500", IPAM).state(state)], ..World::default() }
}

fn with_associations(states: &[&str]) -> World {
    let cidr = |(i, state): (usize, &&str)| {
        Cidr::new(&format!("203.0.113.{}/24", i * 64)).association(Association::new("64500").state(state))
    };
    World { cidrs: states.iter().enumerate().map(cidr).collect(), ..World::default() }
}

#[test]
fn happy_path_is_one_call() {
    let function = Function::start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn dry_run_false_is_the_default() {
    let function = Function::start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRun": false, "DryRunFirst": false }))), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn dry_run_first_makes_a_dry_run_and_then_the_real_call() {
    let function = Function::start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRunFirst": true }))), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DEPROVISION]);
}

#[test]
fn dry_run_takes_precedence_over_dry_run_first() {
    let function = Function::start();
    let response = function.invoke(&request_with(&json!({ "DryRun": true, "DryRunFirst": true })));
    assert_eq!(response.expect("a passed dry run")["DryRun"], true);
    assert_eq!(function.calls(), [DRY_RUN]);
}

#[test]
fn rejected_dry_run_ends_the_invocation() {
    for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
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
fn successful_dry_run_is_not_honored() {
    for after_effect in [false, true] {
        for members in [json!({ "DryRun": true }), json!({ "DryRunFirst": true })] {
            let function = Function::start();
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::DryRunIgnored { after_effect });
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
fn repeated_deprovision_is_success() {
    let function = Function::start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, DESCRIBE_BYOASN]);
}

#[test]
fn already_deprovisioned_is_success() {
    let function = Function::with_world(with_state("deprovisioned"));
    let response = function.invoke(&request());
    assert_eq!(response, Ok(json!({ "Byoasn": { "Asn": "64500", "IpamId": IPAM, "State": "deprovisioned" } })));
    assert_eq!(function.calls(), [DEPROVISION, DESCRIBE_BYOASN]);
}

#[test]
fn reconcile_reads_all_pages_and_matches_asn_and_ipam() {
    let other = "ipam-0fedcba9876543210";
    let function = Function::with_world(World {
        ipams: vec![IPAM.into(), other.into()],
        asns: vec![
            Asn::new("64501", IPAM).state("pending-deprovision"),
            Asn::new("64500", other).state("deprovisioned"),
            Asn::new("64502", IPAM),
            Asn::new("64500", IPAM).state("pending-deprovision").status_message("in progress"),
        ],
        page_size: 1,
        ..World::default()
    });
    assert_eq!(
        function.invoke(&request()),
        Ok(json!({ "Byoasn": {
            "Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision", "StatusMessage": "in progress"
        } }))
    );
    let calls = function.calls();
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(calls[..2], [DEPROVISION, DESCRIBE_BYOASN]);
    assert!(calls[2..].iter().all(|call| call.starts_with(&format!("{DESCRIBE_BYOASN} NextToken="))), "{calls:?}");
}

#[test]
fn live_entry_takes_precedence_over_deprovisioned_entry() {
    let old = Asn::new("64500", IPAM).state("deprovisioned");
    let function =
        Function::with_world(World { asns: vec![old, Asn::new("64500", IPAM)], ..with_associations(&["associated"]) });
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "Whatever", "No."));
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24 (associated)"]);
}

#[test]
fn failed_provision_entry_is_ignored_beside_deprovisioned_entry() {
    let failed = Asn::new("64500", IPAM).state("failed-provision");
    let old = Asn::new("64500", IPAM).state("deprovisioned");
    let function = Function::with_world(World { asns: vec![failed.clone(), old], ..World::default() });
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
    let response = function.invoke(&request());
    assert_eq!(response, Ok(json!({ "Byoasn": { "Asn": "64500", "IpamId": IPAM, "State": "deprovisioned" } })));

    let function = Function::with_world(World { asns: vec![failed], ..World::default() });
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
    assert_error(function.invoke(&request()), "IncorrectState", &["in state failed-provision."]);
}

#[test]
fn remaining_associations_are_listed_with_their_cidrs() {
    let function = Function::with_world(World {
        page_size: 1,
        ..with_associations(&["associated", "disassociated", "pending-disassociation", "failed-disassociation"])
    });
    let message = assert_error(
        function.invoke(&request()),
        "AsnStillAssociated",
        &[
            "Deprovisioning ASN 64500 from ipam-0123456789abcdef0: CIDRs are still associated",
            "EC2's message: ",
            "203.0.113.0/24 (associated)",
            "203.0.113.128/24 (pending-disassociation)",
            "203.0.113.192/24 (failed-disassociation)",
            "DisassociateIpamByoasn",
            "(code DependencyViolation, HTTP 400, request ID ",
        ],
    );
    assert!(!message.contains("203.0.113.64/24"), "{message}");
    let calls = function.calls();
    assert_eq!(calls[..3], [DEPROVISION, DESCRIBE_BYOASN, DESCRIBE_CIDRS]);
    assert_eq!(calls.len(), 6, "all four pages: {calls:?}");
}

#[test]
fn advertised_cidrs_are_mentioned() {
    let advice = "Re-advertise advertised CIDRs with Amazon's ASN (AdvertiseByoipCidr with Asn AWS) or withdraw them first. \
                  Call DisassociateIpamByoasn for each CIDR";
    for (cidr_state, association_state, is_advertised) in [
        ("advertised", "associated", true),
        ("provisioned", "advertised", true),
        ("advertised", "pending-disassociation", true),
        ("provisioned", "associated", false),
        ("pending-withdrawal", "failed-disassociation", false),
        ("advertised-elsewhere", "associated", false),
        // Only the CIDRs of this ASN count.
        ("advertised", "disassociated", false),
    ] {
        let association = Association::new("64500").state(association_state);
        let other = Association::new("64501").state("advertised");
        let cidrs = vec![
            Cidr::new("203.0.113.0/24").state("provisioned").association(Association::new("64500")).association(other),
            Cidr::new("198.51.100.0/24").state(cidr_state).association(association),
        ];
        let function = Function::with_world(World { cidrs, ..World::default() });
        let message = assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24 (associated)"]);
        assert_eq!(message.contains(advice), is_advertised, "{cidr_state}, {association_state}: {message}");
        assert_eq!(message.contains("dvertise"), is_advertised, "{cidr_state}, {association_state}: {message}");
    }
}

#[test]
fn unexplained_refusal_mentions_other_regions() {
    let command = "DescribeByoipCidrs lists no association in this Region. It does not show other Regions: check them with \
                   `aws ec2 describe-byoip-cidrs --max-results 100 --region REGION`.";
    let refused = |world: World, list_fault: Option<Fault>| {
        let function = Function::with_world(world);
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "DependencyViolation", "No."));
        if let Some(fault) = list_fault {
            function.ec2.queue_fault(DescribeByoipCidrs, fault);
        }
        function.invoke(&request()).expect_err("a refusal")
    };
    for state in ["provisioned", "failed-deprovision", "pending-provision", "a-new-state"] {
        let (error_type, message) = refused(with_state(state), None);
        assert_eq!(error_type, "DependencyViolation");
        assert!(
            message
                .contains(&format!("No. DescribeIpamByoasn lists the ASN under this IPAM in state {state}. {command}")),
            "{message}"
        );
    }
    for (world, list_fault) in [
        (World { asns: Vec::new(), ..World::default() }, None),
        (World { asns: vec![Asn::new("64500", "ipam-0fedcba9876543210")], ..World::default() }, None),
        (with_associations(&["associated"]), None),
        (with_state("provisioned"), Some(Fault::Throttle)),
    ] {
        let (error_type, message) = refused(world, list_fault);
        assert!(!message.contains("Region"), "{error_type}: {message}");
    }
}

#[test]
fn empty_status_message_is_not_shown_after_a_refusal() {
    for (status_message, shown) in [
        ("<statusMessage/>", "in state provisioned."),
        ("<statusMessage> </statusMessage>", "in state provisioned."),
        ("<statusMessage>no ROA</statusMessage>", "in state provisioned (no ROA)."),
    ] {
        let function = Function::start();
        let item =
            format!("<item><asn>64500</asn><ipamId>{IPAM}</ipamId><state>provisioned</state>{status_message}</item>");
        let list = format!("<DescribeIpamByoasnResponse><byoasnSet>{item}</byoasnSet></DescribeIpamByoasnResponse>");
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
        function.ec2.queue_fault(DescribeIpamByoasn, Fault::raw(200, list));
        assert_error(function.invoke(&request()), "IncorrectState", &[shown]);
    }
}

#[test]
fn asn_not_under_this_ipam_is_reported_with_associations() {
    let function = Function::with_world(World { asns: vec![], ..with_associations(&["associated"]) });
    assert_error(
        function.invoke(&request()),
        "AsnStillAssociated",
        &["disassociated. DescribeIpamByoasn lists no such ASN under this IPAM. EC2's message: "],
    );
}

#[test]
fn unknown_outcome_is_kept_with_associations() {
    let function = Function::with_world(with_associations(&["associated"]));
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    function.ec2.queue_fault(DescribeIpamByoasn, Fault::Throttle);
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24", "outcome is unknown"]);
}

#[test]
fn associations_of_another_asn_are_ignored() {
    let cidr = Cidr::new("203.0.113.0/24").association(Association::new("64501"));
    let function = Function::with_world(World { cidrs: vec![cidr], ..World::default() });
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
    assert_error(function.invoke(&request()), "IncorrectState", &["in state provisioned"]);
}

#[test]
fn unexplained_rejection_reports_the_observed_state() {
    for (world, code, observed) in [
        (World { asns: vec![], ..World::default() }, "InvalidByoasn.NotFound", "lists no such ASN under this IPAM"),
        (with_state("failed-deprovision"), "IncorrectState", "in state failed-deprovision"),
        (with_state("pending-provision"), "IncorrectState", "in state pending-provision"),
    ] {
        let function = Function::with_world(world);
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, code, "EC2 says no."));
        assert_error(
            function.invoke(&request()),
            code,
            &["EC2 says no.", observed, &format!("(code {code}, HTTP 400, request ID ")],
        );
        assert_eq!(function.calls(), [DEPROVISION, DESCRIBE_BYOASN, DESCRIBE_CIDRS]);
    }
}

#[test]
fn failed_describe_is_not_retried_and_keeps_the_error() {
    for fault in [
        Fault::Throttle,
        Fault::error(403, "UnauthorizedOperation", "Not you."),
        Fault::error(500, "InternalError", "Oh."),
        Fault::Html { status: 502 },
        Fault::TruncatedXml { status: 200 },
        Fault::Close { after_effect: false },
    ] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "EC2 says no."));
        function.ec2.queue_fault(DescribeIpamByoasn, fault.clone());
        function.ec2.queue_fault(DescribeByoipCidrs, fault);
        let expected = [
            "EC2 says no.",
            "DescribeIpamByoasn failed",
            "DescribeByoipCidrs failed",
            "(code IncorrectState, HTTP 400, request ID ",
        ];
        let message = assert_error(function.invoke(&request()), "IncorrectState", &expected);
        assert!(!message.contains("Not you."), "{message}");
        assert_eq!(function.calls(), [DEPROVISION, DESCRIBE_BYOASN, DESCRIBE_CIDRS]);
    }
}

#[test]
fn failed_first_describe_does_not_prevent_the_second() {
    let function = Function::with_world(with_associations(&["associated"]));
    function.ec2.queue_fault(DescribeIpamByoasn, Fault::error(403, "UnauthorizedOperation", "Not you."));
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["203.0.113.0/24 (associated)"]);
}

#[test]
fn repeated_page_token_ends_pagination() {
    let page = |action, set| {
        let content = format!("<requestId>1</requestId><{set}/><nextToken>again</nextToken>");
        Fault::raw(200, format!("<{action}Response>{content}</{action}Response>"))
    };
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "EC2 says no."));
    for _ in 0..2 {
        function.ec2.queue_fault(DescribeIpamByoasn, page("DescribeIpamByoasn", "byoasnSet"));
        function.ec2.queue_fault(DescribeByoipCidrs, page("DescribeByoipCidrs", "byoipCidrSet"));
    }
    assert_error(function.invoke(&request()), "IncorrectState", &["DescribeIpamByoasn failed"]);
    assert_eq!(function.calls().len(), 5);
}

#[test]
fn only_http_400_is_reconciled() {
    for status in [401, 403, 404, 409, 501] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(status, "SomeCode", "EC2 says no."));
        assert_error(function.invoke(&request()), "SomeCode", &[&format!("(code SomeCode, HTTP {status}, ")]);
        assert_eq!(function.calls(), [DEPROVISION]);
    }
}

#[test]
fn failed_deprovision_in_a_response_is_an_error() {
    let function = Function::start();
    function.ec2.queue_fault(
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
fn lost_response_is_recovered_by_retry_and_describe() {
    for fault in [Fault::Reset { after_effect: true }, Fault::Close { after_effect: true }, Fault::HalfResponse] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, fault);
        assert_eq!(function.invoke(&request()), Ok(pending()));
        assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, DESCRIBE_BYOASN]);
    }
}

#[test]
fn unknown_outcome_stays_unknown_if_no_change_is_visible() {
    // EC2 is eventually consistent: a list may not show the change yet.
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: false });
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "Not now."));
    let expected = [
        "in state provisioned.",
        "The outcome is unknown: check the state of the ASN with DescribeOnly, or call again.",
    ];
    assert_error(function.invoke(&request()), "IncorrectState", &expected);
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, DESCRIBE_BYOASN, DESCRIBE_CIDRS]);

    let function = Function::with_world(with_associations(&["associated"]));
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: false });
    assert_error(function.invoke(&request()), "AsnStillAssociated", &["The outcome is unknown"]);
}

#[test]
fn throttles_and_5xx_are_retried_twice() {
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
        function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
        function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
        assert_eq!(function.invoke(&request()), Ok(pending()), "{fault:?}");
        assert_eq!(function.calls(), [DEPROVISION; 3], "{fault:?}");
    }
}

#[test]
fn non_http_response_is_not_retried() {
    let function = Function::start();
    let garbage = Fault::Interrupted { at: Point::Start, by: Interruption::Garbage, status: 200, after_effect: false };
    function.ec2.queue_fault(DeprovisionIpamByoasn, garbage);
    assert_error(function.invoke(&request()), "Ec2Unreachable", &["invalid HTTP", "outcome is unknown"]);
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn one_process_alternates_successes_and_errors() {
    let function = Function::start();
    for _ in 0..5 {
        function.ec2.set_world(World::default());
        for _ in 0..3 {
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Close { after_effect: false });
        }
        assert_error(function.invoke(&request()), "Ec2Unreachable", &[]);
        assert_eq!(function.calls(), [DEPROVISION; 3]);
        assert_error(function.invoke(&json!({})), "InvalidEvent", &[]);
        assert_eq!(function.invoke(&request()), Ok(pending()));
    }
}
