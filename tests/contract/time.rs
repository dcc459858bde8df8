//! The function responds before its deadline, whatever EC2 does.

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
fn hanging_call_times_out_before_the_deadline() {
    for (members, call) in [(serde_json::json!({}), DEPROVISION), (serde_json::json!({ "DryRun": true }), DRY_RUN)] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, HANG);
        let start = Instant::now();
        let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(3)), &request_with(&members));
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert_error(outcome, "Ec2Timeout", &["ASN 64500", IPAM, "outcome is unknown", "or call again"]);
        assert_eq!(function.calls(), [call]);
    }
}

#[test]
fn retry_after_a_timeout_finds_the_change() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Hang { after_effect: true });
    let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(2)), &request());
    assert_error(outcome, "Ec2Timeout", &["outcome is unknown"]);
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn slow_response_before_the_deadline_is_success() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 1.5, after_effect: false });
    assert_eq!(function.invoke_with_deadline(Deadline::In(Duration::from_secs(10)), &request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn past_deadline_is_treated_as_unknown() {
    for past in [0, 1, 600_000] {
        let function = Function::start();
        assert_eq!(function.invoke_with_deadline(Deadline::At(past), &request()), Ok(pending()));
    }
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 1.0, after_effect: false });
    assert_eq!(function.invoke_with_deadline(Deadline::At(600_000), &request()), Ok(pending()));
}

#[test]
fn very_distant_deadline_is_accepted() {
    for far in [u64::MAX, 253_402_300_800_000] {
        let function = Function::start();
        assert_eq!(function.invoke_with_deadline(Deadline::At(far), &request()), Ok(pending()));
    }
}

#[test]
fn hanging_first_describe_leaves_time_for_the_second() {
    let cidr = Cidr::new("203.0.113.0/24").association(Association::new("64500"));
    let function = Function::with_world(World { cidrs: vec![cidr], ..World::default() });
    function.ec2.queue_fault(DescribeIpamByoasn, HANG);
    let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(4)), &request());
    assert_error(outcome, "AsnStillAssociated", &["203.0.113.0/24"]);
    assert_eq!(function.calls(), [DEPROVISION, DESCRIBE_BYOASN, DESCRIBE_CIDRS]);
}

#[test]
fn hanging_describes_keep_the_error_and_the_deadline() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "EC2 says no."));
    function.ec2.queue_fault(DescribeIpamByoasn, HANG);
    function.ec2.queue_fault(DescribeByoipCidrs, HANG);
    let start = Instant::now();
    let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(3)), &request());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_error(outcome, "IncorrectState", &["EC2 says no."]);
}

#[test]
fn deadline_between_attempts_keeps_the_throttle_error() {
    // The SDK waits up to one second before the first retry of a throttled call and up to two before the second.
    let function = Function::start();
    for _ in 0..3 {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Throttle);
    }
    let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_secs(1)), &request());
    let message = assert_error(outcome, "RequestLimitExceeded", &["HTTP 503"]);
    assert!(!message.contains("unknown"), "{message}");
}

#[test]
fn deadline_between_connection_attempts_is_unreachable() {
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1").start();
    let outcome = function.invoke_with_deadline(Deadline::In(Duration::from_millis(100)), &request());
    let message = assert_error(outcome, "Ec2Unreachable", &["Connection refused"]);
    assert!(!message.contains("unknown"), "{message}");
}

#[test]
fn silently_dropped_connection_leaves_time_for_a_retry() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Hang { after_effect: true });
    assert_eq!(function.invoke_with_deadline(Deadline::In(Duration::from_secs(20)), &request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION, DESCRIBE_BYOASN]);
}
