//! The deadline: answered before it, whatever EC2 does.

use std::time::{Duration, Instant};

use stand_ins::{
    ec2::{
        Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
        Association, Cidr, Fault, World,
    },
    runtime_api::Deadline,
};

use crate::support::*;

const HANG: Fault = Fault::Hang { after_effect: false };

#[test]
fn a_hang_ends_in_a_timeout_before_the_deadline_and_says_that_the_outcome_is_unknown() {
    for (members, call) in [(serde_json::json!({}), DEPROVISION), (serde_json::json!({ "DryRun": true }), DRY_RUN)] {
        let function = Function::start();
        function.ec2.fault(DeprovisionIpamByoasn, HANG);
        let start = Instant::now();
        let outcome = function.invoke_until(Deadline::In(Duration::from_secs(3)), &request_with(&members));
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert_error(outcome, "Ec2Timeout", &["ASN 64500", IPAM, "outcome is unknown", "safe to call again"]);
        assert_eq!(function.calls(), [call]);
    }
}

#[test]
fn a_timeout_after_the_change_took_effect_is_put_right_by_calling_again() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Hang { after_effect: true });
    let outcome = function.invoke_until(Deadline::In(Duration::from_secs(2)), &request());
    assert_error(outcome, "Ec2Timeout", &["outcome is unknown"]);
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn a_slow_answer_in_time_is_an_answer() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 1.5, after_effect: false });
    assert_eq!(function.invoke_until(Deadline::In(Duration::from_secs(10)), &request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn a_deadline_in_the_past_is_unknown_and_not_over() {
    for past in [0, 1, 600_000] {
        let function = Function::start();
        assert_eq!(function.invoke_until(Deadline::At(past), &request()), Ok(pending()));
    }
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 1.0, after_effect: false });
    assert_eq!(function.invoke_until(Deadline::At(600_000), &request()), Ok(pending()));
}

#[test]
fn a_deadline_that_lies_absurdly_far_away_is_no_trouble() {
    for far in [u64::MAX, 253_402_300_800_000] {
        let function = Function::start();
        assert_eq!(function.invoke_until(Deadline::At(far), &request()), Ok(pending()));
    }
}

#[test]
fn a_first_look_that_hangs_leaves_time_for_the_second() {
    let cidr = Cidr::new("203.0.113.0/24").with(Association::new("64500"));
    let function = Function::in_world(World { cidrs: vec![cidr], ..World::default() });
    function.ec2.fault(DescribeIpamByoasn, HANG);
    let outcome = function.invoke_until(Deadline::In(Duration::from_secs(4)), &request());
    assert_error(outcome, "AsnStillAssociated", &["203.0.113.0/24"]);
    assert_eq!(function.calls(), [DEPROVISION, LOOK_AT_ASN, LOOK_AT_CIDRS]);
}

#[test]
fn looks_that_hang_leave_the_original_error_in_time() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "EC2 says no."));
    function.ec2.fault(DescribeIpamByoasn, HANG);
    function.ec2.fault(DescribeByoipCidrs, HANG);
    let start = Instant::now();
    let outcome = function.invoke_until(Deadline::In(Duration::from_secs(3)), &request());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_error(outcome, "IncorrectState", &["EC2 says no."]);
}

#[test]
fn time_that_runs_out_between_two_attempts_leaves_the_refusal_and_not_a_timeout() {
    // The SDK waits up to a second and then up to two before it repeats a throttled call.
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.fault(DeprovisionIpamByoasn, Fault::Throttle);
    }
    let outcome = function.invoke_until(Deadline::In(Duration::from_millis(300)), &request());
    let message = assert_error(outcome, "RequestLimitExceeded", &["HTTP 503"]);
    assert!(!message.contains("unknown"), "{message}");
}

#[test]
fn time_that_runs_out_between_two_attempts_to_connect_leaves_no_timeout_either() {
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1").start();
    let outcome = function.invoke_until(Deadline::In(Duration::from_millis(100)), &request());
    let message = assert_error(outcome, "Ec2Unreachable", &["Connection refused"]);
    assert!(!message.contains("unknown"), "{message}");
}

#[test]
fn a_connection_that_is_lost_without_a_word_leaves_time_for_another_attempt() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Hang { after_effect: true });
    assert_eq!(function.invoke_until(Deadline::In(Duration::from_secs(20)), &request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, LOOK_AT_ASN]);
}
