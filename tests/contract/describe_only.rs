//! `DescribeOnly`: a complete report, or the error of the call that failed, and never a change.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{
        Action::{self, DescribeByoipCidrs, DescribeIpamByoasn},
        After, Asn, Association, Cidr, Fault, World,
    },
    runtime_api::Deadline,
};

use crate::support::*;

const OTHER_IPAM: &str = "ipam-0fedcba9876543210";

fn describe_only() -> Value {
    request_with(&json!({ "DescribeOnly": true }))
}

fn report(byoasns: &Value, associations: &Value) -> Value {
    json!({
        "DescribeOnly": true, "IpamId": IPAM, "Asn": "64500", "Byoasns": byoasns, "AsnAssociations": associations,
    })
}

/// The calls in a fixed order: both lists are read at the same time.
fn sorted_calls(function: &Function) -> Vec<String> {
    let mut calls = function.calls();
    calls.sort();
    calls
}

#[test]
fn report_has_the_asn_and_its_associations() {
    let cidr = Cidr::new("203.0.113.0/24").association(Association::new("64500").status_message("in use"));
    let function = Function::with_world(World { cidrs: vec![cidr], ..World::default() });
    let expected = report(
        &json!([{ "Asn": "64500", "IpamId": IPAM, "State": "provisioned" }]),
        &json!([{
            "Cidr": "203.0.113.0/24", "State": "associated", "StatusMessage": "in use", "ByoipCidrState": "advertised",
        }]),
    );
    assert_eq!(function.invoke(&describe_only()), Ok(expected.clone()));
    assert_eq!(sorted_calls(&function), [DESCRIBE_CIDRS, DESCRIBE_BYOASN]);
    let event = json!({ "detail-type": "a", "source": "b", "detail": describe_only() });
    assert_eq!(function.invoke(&event), Ok(expected));
    assert_eq!(function.ec2.world().asns[0].state, "provisioned");
}

#[test]
fn report_can_be_empty() {
    let function = Function::with_world(World { asns: Vec::new(), ..World::default() });
    assert_eq!(function.invoke(&describe_only()), Ok(report(&json!([]), &json!([]))));
}

#[test]
fn every_form_of_the_asn_is_found_and_others_are_not() {
    let asns = [
        Asn::new("64501", IPAM),
        Asn::new("0.64500", IPAM).state("failed-provision").status_message("no ROA"),
        Asn::new("64500", OTHER_IPAM),
        Asn::new("AS64500", IPAM).state("a-new-state"),
    ];
    let cidrs = [
        Cidr::new("192.0.2.0/24").association(Association::new("64501")),
        Cidr::new("198.51.100.0/24")
            .state("provisioned")
            .association(Association::new("64501"))
            .association(Association::new("0.64500").state("advertised")),
        Cidr::new("203.0.113.0/24").association(Association::new("64500").state("disassociated")),
    ];
    let ipams = vec![IPAM.to_owned(), OTHER_IPAM.to_owned()];
    let function = Function::with_world(World { ipams, asns: asns.into(), cidrs: cidrs.into(), ..World::default() });
    let expected = report(
        &json!([
            { "Asn": "64500", "IpamId": IPAM, "State": "failed-provision", "StatusMessage": "no ROA" },
            { "Asn": "64500", "IpamId": IPAM, "State": "a-new-state" },
        ]),
        &json!([{ "Cidr": "198.51.100.0/24", "State": "advertised", "ByoipCidrState": "provisioned" }]),
    );
    assert_eq!(function.invoke(&describe_only()), Ok(expected));
}

#[test]
fn every_association_state_but_disassociated_is_reported() {
    let states = [
        "pending-association", "associated", "failed-association", "pending-disassociation", "failed-disassociation",
        "advertised", "Disassociated", "a-new-state",
    ];
    let cidr = |state: &&str| Cidr::new("203.0.113.0/24").association(Association::new("64500").state(state));
    let mut cidrs: Vec<_> = states.iter().map(cidr).collect();
    cidrs.push(cidr(&"disassociated"));
    let function = Function::with_world(World { cidrs, ..World::default() });
    let report = function.invoke(&describe_only()).expect("a report");
    let reported: Vec<_> = report["AsnAssociations"].as_array().expect("list").iter().map(|a| &a["State"]).collect();
    assert_eq!(reported, states);
}

#[test]
fn every_asn_state_is_reported() {
    let states = [
        "pending-provision", "provisioned", "failed-provision", "pending-deprovision", "deprovisioned",
        "failed-deprovision", "a-new-state",
    ];
    // Stays pending during the test.
    let asn = |state: &str| Asn::new("64500", IPAM).state(state).after(After::Seconds(1e6));
    for state in states {
        let function = Function::with_world(World { asns: vec![asn(state)], ..World::default() });
        let expected = report(&json!([{ "Asn": "64500", "IpamId": IPAM, "State": state }]), &json!([]));
        assert_eq!(function.invoke(&describe_only()), Ok(expected));
    }
    let function = Function::with_world(World { asns: states.map(asn).into(), ..World::default() });
    let report = function.invoke(&describe_only()).expect("a report");
    let reported: Vec<_> = report["Byoasns"].as_array().expect("list").iter().map(|byoasn| &byoasn["State"]).collect();
    assert_eq!(reported, states);
}

#[test]
fn report_is_redacted_and_has_no_control_characters() {
    let function = Function::start();
    let text = format!("a{SESSION_TOKEN}b&#10;c\u{202e}d");
    queue_lists(
        &function,
        &format!(
            "<item><asn>64500</asn><ipamId>{IPAM}</ipamId><state>{text}</state><statusMessage>{text}</statusMessage></item>"
        ),
        &format!(
            "<item><cidr>{text}</cidr><state>{text}</state><asnAssociationSet><item><asn>64500</asn><state>{text}</state>\
             <statusMessage>{text}</statusMessage></item></asnAssociationSet></item>"
        ),
    );
    let text = "a[redacted]b c d";
    let expected = report(
        &json!([{ "Asn": "64500", "IpamId": IPAM, "State": text, "StatusMessage": text }]),
        &json!([{ "Cidr": text, "State": text, "StatusMessage": text, "ByoipCidrState": text }]),
    );
    assert_eq!(function.invoke(&describe_only()), Ok(expected));
    assert_no_secrets(function.raw_log());
    for action in [DescribeIpamByoasn, DescribeByoipCidrs] {
        // A new one each time: the call to the other list, which the error ends, may reach EC2 during the next invocation.
        let function = Function::start();
        function.ec2.queue_fault(action, Fault::error(403, "AuthFailure", "Bad: {authorization}, {session_token}."));
        assert_error(function.invoke(&describe_only()), "AuthFailure", &["Signature=[redacted], [redacted]."]);
        assert_no_secrets(function.raw_log());
    }
}

#[test]
fn report_without_credentials_is_unavailable() {
    let function = Setup::new(World::default()).unset("AWS_SECRET_ACCESS_KEY").start();
    assert_error(function.invoke(&describe_only()), "CredentialsUnavailable", &["Nothing was sent to EC2."]);
    assert_eq!(function.calls(), Vec::<String>::new());
}

#[test]
fn all_pages_of_both_lists_are_read() {
    let asns = (1..=3).map(|_| Asn::new("64500", IPAM).state("deprovisioned")).collect();
    let cidrs = (1..=5).map(|i| Cidr::new(&format!("192.0.2.{i}/32")).association(Association::new("64500"))).collect();
    let function = Function::with_world(World { asns, cidrs, page_size: 1, ..World::default() });
    let report = function.invoke(&describe_only()).expect("a report");
    assert_eq!(report["Byoasns"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["AsnAssociations"].as_array().map(Vec::len), Some(5));
    assert_eq!(function.calls().len(), 8);
}

#[test]
fn missing_members_are_omitted() {
    let function = Function::start();
    let byoasns = "<item><asn>64500</asn><ipamId>ipam-0123456789abcdef0</ipamId><statusMessage/><state/></item>";
    let cidrs =
        "<item><cidr>192.0.2.0/24</cidr><asnAssociationSet><item><asn>64500</asn></item></asnAssociationSet></item>
                 <item><asnAssociationSet><item><asn>64500</asn></item></asnAssociationSet></item>";
    queue_lists(&function, byoasns, cidrs);
    let expected = report(&json!([{ "Asn": "64500", "IpamId": IPAM }]), &json!([{ "Cidr": "192.0.2.0/24" }, {}]));
    assert_eq!(function.invoke(&describe_only()), Ok(expected));
}

fn queue_lists(function: &Function, byoasns: &str, cidrs: &str) {
    function.ec2.queue_fault(DescribeIpamByoasn, list(DescribeIpamByoasn, "byoasnSet", byoasns));
    function.ec2.queue_fault(DescribeByoipCidrs, list(DescribeByoipCidrs, "byoipCidrSet", cidrs));
}

fn list(action: Action, set: &str, items: &str) -> Fault {
    Fault::raw(200, format!("<{action:?}Response><requestId>id</requestId><{set}>{items}</{set}></{action:?}Response>"))
}

#[test]
fn dry_run_first_setting_does_not_apply() {
    let function = Setup::new(World::default()).set("DRY_RUN_FIRST", "true").start();
    for members in [
        json!({ "DescribeOnly": true }),
        json!({ "DescribeOnly": true, "DryRun": false }),
        json!({ "DescribeOnly": true, "DryRun": false, "DryRunFirst": false }),
    ] {
        let report = function.invoke(&request_with(&members)).expect("a report");
        assert_eq!(report["DescribeOnly"], true);
    }
    assert!(function.calls().iter().all(|call| call.starts_with("Describe")), "{:?}", function.calls());
}

#[test]
fn describe_only_excludes_dry_runs() {
    let function = Function::start();
    for members in [
        json!({ "DescribeOnly": true, "DryRun": true }),
        json!({ "DescribeOnly": true, "DryRunFirst": true }),
        json!({ "DescribeOnly": true, "DryRun": false, "DryRunFirst": true }),
        json!({ "DescribeOnly": "true" }),
        json!({ "DescribeOnly": null }),
        json!({ "DescribeOnly": 1 }),
        json!({ "describeOnly": true }),
    ] {
        assert_error(function.invoke(&request_with(&members)), "InvalidEvent", &["escribeOnly"]);
    }
    assert_eq!(function.calls(), Vec::<String>::new());
    assert_eq!(function.invoke(&request_with(&json!({ "DescribeOnly": false }))), Ok(pending()));
}

#[test]
fn throttles_are_retried() {
    let function = Function::start();
    for action in [DescribeIpamByoasn, DescribeByoipCidrs] {
        function.ec2.queue_fault(action, Fault::Throttle);
        function.ec2.queue_fault(action, Fault::Reset { after_effect: true });
    }
    assert!(function.invoke(&describe_only()).is_ok());
    assert_eq!(function.calls().len(), 6);
}

#[test]
fn broken_connections_are_replaced_on_every_page() {
    let cidrs = (1..=3).map(|i| Cidr::new(&format!("192.0.2.{i}/32")).association(Association::new("64500"))).collect();
    let function = Function::with_world(World { cidrs, page_size: 1, ..World::default() });
    for _ in 0..2 {
        function.ec2.queue_fault(DescribeByoipCidrs, Fault::Reset { after_effect: true });
        function.ec2.queue_fault(DescribeByoipCidrs, Fault::CloseAfterResponse { seconds: 0.0 });
    }
    let report = function.invoke(&describe_only()).expect("a report");
    assert_eq!(report["AsnAssociations"].as_array().map(Vec::len), Some(3));
    assert_eq!(function.calls().len(), 1 + 3 + 2);
}

#[test]
fn max_attempts_setting_limits_the_attempts_of_a_page() {
    for (attempts, setting) in [(1, Some("1")), (2, Some("2")), (3, None)] {
        for (action, call, other) in [
            (DescribeIpamByoasn, DESCRIBE_BYOASN, DESCRIBE_CIDRS),
            (DescribeByoipCidrs, DESCRIBE_CIDRS, DESCRIBE_BYOASN),
        ] {
            let setup = Setup::new(World::default());
            let setup = if let Some(setting) = setting { setup.set("AWS_MAX_ATTEMPTS", setting) } else { setup };
            let function = setup.start();
            for _ in 0..attempts {
                function.ec2.queue_fault(action, Fault::Throttle);
            }
            let expected = ["Describing ASN 64500", "call again later", "HTTP 503"];
            assert_error(function.invoke(&describe_only()), "RequestLimitExceeded", &expected);
            let calls = function.calls();
            assert_eq!(calls.iter().filter(|made| *made == call).count(), attempts, "{calls:?}");
            assert!(calls.iter().all(|made| made == call || made == other), "{calls:?}");
            assert!(function.invoke(&describe_only()).is_ok());
        }
    }
}

#[test]
fn persistent_throttles_on_both_lists_are_the_error() {
    let function = Function::start();
    for action in [DescribeIpamByoasn, DescribeByoipCidrs] {
        for _ in 0..3 {
            function.ec2.queue_fault(action, Fault::Throttle);
        }
    }
    let message = assert_error(function.invoke(&describe_only()), "RequestLimitExceeded", &["call again later"]);
    assert!(!message.contains("unknown"), "{message}");
    assert!((4..=6).contains(&function.calls().len()), "{:?}", function.calls());
}

#[test]
fn invocations_do_not_share_retries() {
    let function = Function::start();
    let close_once = || {
        function.ec2.clear_faults();
        for action in [DescribeIpamByoasn, DescribeByoipCidrs] {
            function.ec2.queue_fault(action, Fault::Close { after_effect: false });
        }
    };
    // Each of these ends while the SDK waits before a retry. The SDK's quota for a whole process would be used up.
    for _ in 0..60 {
        close_once();
        let _ = function.invoke_with_deadline(Deadline::In(Duration::from_millis(50)), &describe_only());
    }
    close_once();
    assert!(function.invoke(&describe_only()).is_ok());
}

#[test]
fn hanging_list_times_out_before_the_deadline() {
    for action in [DescribeIpamByoasn, DescribeByoipCidrs] {
        let function = Function::start();
        function.ec2.queue_fault(action, Fault::Hang { after_effect: false });
        let start = Instant::now();
        let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(2)), &describe_only());
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        let message = assert_error(outcome, "Ec2Timeout", &["Describing ASN 64500"]);
        assert!(!message.contains("unknown"), "{message}");
        assert!(function.invoke(&describe_only()).is_ok());
    }
}

#[test]
fn every_fault_of_either_list_is_the_error() {
    let bad_responses = [
        Fault::EmptyBody { status: 200 },
        Fault::TruncatedXml { status: 200 },
        Fault::Html { status: 200 },
        Fault::NoCode { status: 400 },
        Fault::NoByoasn,
        Fault::raw(200, "<Other/>"),
    ];
    let refusals =
        [Fault::error(403, "UnauthorizedOperation", "No."), Fault::error(200, "UnauthorizedOperation", "No.")];
    for action in [DescribeIpamByoasn, DescribeByoipCidrs] {
        let expected = [("Ec2BadResponse", &bad_responses[..]), ("UnauthorizedOperation", &refusals[..])];
        for (error_type, fault) in
            expected.iter().flat_map(|(name, faults)| faults.iter().map(move |fault| (name, fault)))
        {
            let function = Function::start();
            function.ec2.queue_fault(action, fault.clone());
            let message = assert_error(function.invoke(&describe_only()), error_type, &["Describing ASN 64500 in "]);
            assert!(!message.contains("unknown"), "{action:?} {fault:?}: {message}");
            assert!(function.calls().iter().all(|call| call.starts_with("Describe")), "{:?}", function.calls());
        }
    }
}

#[test]
fn ambiguous_lists_are_bad_responses() {
    for byoasns in [
        "<item><asn>64500</asn><ipamId>ipam-0123456789abcdef0</ipamId><state>a</state><state>b</state></item>",
        "<item><asn>64500</asn><ipamId>ipam-0123456789abcdef0</ipamId><state><b>a</b></state></item>",
        "<item><asn>64500</asn><!-- x --></item>",
        "<item><asn>64500</asn><state>provisioned</state></item>",
        "<item><ipamId>ipam-0123456789abcdef0</ipamId><state>provisioned</state></item>",
        "<item><asn>064500</asn><ipamId>ipam-0123456789abcdef0</ipamId></item>",
        "<entry/>",
    ] {
        let function = Function::start();
        queue_lists(&function, byoasns, "");
        assert_error(function.invoke(&describe_only()), "Ec2BadResponse", &["cannot be understood", "HTTP 200"]);
    }
}

#[test]
fn failure_on_a_later_page_is_the_error() {
    let asns = (1..=3).map(|_| Asn::new("64500", IPAM)).collect();
    let function = Setup::new(World { asns, page_size: 1, ..World::default() }).set("AWS_MAX_ATTEMPTS", "1").start();
    function.ec2.queue_fault(DescribeIpamByoasn, Fault::CloseAfterResponse { seconds: 0.0 });
    function.ec2.queue_fault(DescribeIpamByoasn, Fault::error(500, "InternalError", "Oh."));
    let message = assert_error(function.invoke(&describe_only()), "InternalError", &["Oh."]);
    assert!(!message.contains("unknown"), "{message}");
}

#[test]
fn large_entries_are_truncated() {
    let function = Function::start();
    let long = "x".repeat(900_000);
    queue_lists(
        &function,
        &format!("<item><asn>64500</asn><ipamId>{IPAM}</ipamId><state>{long}</state></item>"),
        &format!(
            "<item><cidr>{long}</cidr><asnAssociationSet><item><asn>64500</asn></item></asnAssociationSet></item>"
        ),
    );
    let report = function.invoke(&describe_only()).expect("a report");
    for text in [&report["Byoasns"][0]["State"], &report["AsnAssociations"][0]["Cidr"]] {
        assert_eq!(text.as_str().map(str::len), Some(2_000));
    }
}

#[test]
fn outcome_line_says_that_it_was_a_report() {
    let function = Function::start();
    assert!(function.invoke(&describe_only()).is_ok());
    let log = function.log();
    let [line] = &log[..] else { panic!("not one line: {log:?}") };
    assert_eq!(line["describe_only"], true);
    assert_eq!(line["message"], "the state was reported; nothing was changed");
    assert_eq!((&line["ipam_id"], &line["asn"], &line["dry_run"]), (&json!(IPAM), &json!("64500"), &json!(false)));
}
