//! Lambda freezes a sandbox between two invocations. Open connections may be lost in the meantime.

use std::{process::Command, thread, time::Duration};

use stand_ins::{
    ec2::{Action::DeprovisionIpamByoasn, Fault, Network, World},
    runtime_api::{Deadline, Invocation},
};

use crate::support::*;

/// Sends a signal to the function.
fn signal(function: &Function, name: &str) {
    let kill = format!("kill -{name} {}", function.pid());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
}

/// Stops a function that has an open connection to EC2, runs `while_frozen`, and asserts that the next invocation works
/// once the function runs again.
fn freeze_and_invoke(while_frozen: impl Fn(&Function)) -> Function {
    let function = Function::start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    function.ec2.set_world(World::default());
    signal(&function, "STOP");
    while_frozen(&function);
    let id = function.api.send(Invocation::new(request().to_string()));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(function.api.wait_for_response(&id, Duration::ZERO), None, "the function is stopped");
    signal(&function, "CONT");
    let response = function.api.wait_for_response(&id, Duration::from_secs(30)).expect("a response");
    assert_eq!(outcome(&response), Ok(pending()));
    function
}

#[test]
fn frozen_sandbox_resumes() {
    assert_eq!(freeze_and_invoke(|_| ()).calls(), [DEPROVISION]);
}

#[test]
fn connection_closed_while_frozen_is_replaced() {
    assert_eq!(freeze_and_invoke(|function| function.ec2.close_connections()).calls(), [DEPROVISION]);
}

#[test]
fn connection_reset_while_frozen_is_replaced() {
    assert_eq!(freeze_and_invoke(|function| function.ec2.reset_connections()).calls(), [DEPROVISION]);
}

#[test]
fn connection_lost_while_frozen_is_replaced_on_retry() {
    // Bytes on the old connection are lost without a reset. The first attempt ends after ten seconds.
    let function = freeze_and_invoke(|function| {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Hang { after_effect: false });
    });
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION], "the first call is lost");
}

#[test]
fn frozen_past_the_deadline_is_timeout_or_success() {
    let function = Function::start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 1.0, after_effect: true });
    let invocation =
        Invocation { deadline: Deadline::In(Duration::from_secs(2)), ..Invocation::new(request().to_string()) };
    let id = function.api.send(invocation);
    while function.ec2.calls().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    signal(&function, "STOP");
    thread::sleep(Duration::from_millis(2_500));
    signal(&function, "CONT");
    let response = function.api.wait_for_response(&id, Duration::from_secs(30)).expect("a response");
    match outcome(&response) {
        Ok(response) => assert_eq!(response, pending()),
        error => drop(assert_error(error, "Ec2Timeout", &["outcome is unknown"])),
    }
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn silent_network_is_unreachable_after_all_attempts() {
    let function = Function::start();
    function.ec2.set_network(Network::Silent);
    let (error_type, message) =
        function.invoke_with_deadline(Deadline::In(Duration::from_secs(30)), &request()).expect_err("no connection");
    assert_eq!(error_type, "Ec2Unreachable", "{message}");
    assert!(!message.contains("unknown"), "nothing was sent: {message}");
    function.ec2.set_network(Network::Normal);
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn expired_credentials_are_an_ec2_error_until_restart() {
    let expired = World { denied_access_keys: vec![ACCESS_KEY_ID.into()], ..World::default() };
    let function = Function::with_world(expired);
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "RequestExpired", "Request has expired."));
    assert_error(function.invoke(&request()), "RequestExpired", &["credentials", "clock"]);
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &[]);
    let (ec2, _) = function.kill();
    let function = Setup::with_ec2(ec2).set("AWS_ACCESS_KEY_ID", "ASIARENEWEDEXAMPLE00").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn closing_an_idle_connection_does_not_fail_a_dry_run() {
    let function = Function::start();
    // The two lists are read over two connections, and both get a 2xx.
    let report = request_with(&serde_json::json!({ "DescribeOnly": true }));
    assert_eq!(function.invoke(&report).expect("a report")["DescribeOnly"], true);
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 5.0, after_effect: false });
    let dry_run = request_with(&serde_json::json!({ "DryRun": true }));
    let id = function.api.send(Invocation::new(dry_run.to_string()));
    thread::sleep(Duration::from_millis(500));
    function.ec2.close_connections();
    let response = function.api.wait_for_response(&id, Duration::from_secs(30)).expect("a response");
    assert_eq!(outcome(&response).expect("a passed dry run")["DryRun"], true);
}
