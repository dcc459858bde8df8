//! Lambda freezes a sandbox between two invocations. What was a connection before it may be none after it.

use std::{process::Command, thread, time::Duration};

use stand_ins::{
    ec2::{Action::DeprovisionIpamByoasn, Fault, Network, World},
    runtime_api::{Deadline, Invocation},
};

use crate::support::*;

/// Sends the function a signal, as the freezer of Lambda's sandbox does.
fn signal(function: &Function, name: &str) {
    let kill = format!("kill -{name} {}", function.pid());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
}

/// A function that has a connection to EC2 and sleeps while `meanwhile` happens; then what it answers.
fn asleep(meanwhile: impl Fn(&Function)) -> Function {
    let function = Function::start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    function.ec2.set_world(World::default());
    signal(&function, "STOP");
    meanwhile(&function);
    let id = function.api.send(Invocation::new(request().to_string()));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(function.api.answer(&id, Duration::ZERO), None, "it sleeps");
    signal(&function, "CONT");
    let answer = function.api.answer(&id, Duration::from_secs(30)).expect("an answer");
    assert_eq!(outcome(&answer), Ok(pending()));
    function
}

#[test]
fn a_sandbox_that_was_frozen_goes_on() {
    assert_eq!(asleep(|_| ()).calls(), [DEPROVISION]);
}

#[test]
fn a_connection_that_ec2_closed_meanwhile_is_replaced() {
    assert_eq!(asleep(|function| function.ec2.end_connections(false)).calls(), [DEPROVISION]);
}

#[test]
fn a_connection_that_ec2_reset_meanwhile_is_replaced() {
    assert_eq!(asleep(|function| function.ec2.end_connections(true)).calls(), [DEPROVISION]);
}

#[test]
fn a_connection_whose_peer_has_vanished_without_a_word_is_replaced_after_an_attempt_of_ten_seconds() {
    // What is sent over the old connection reaches nobody, and nobody says so.
    let function = asleep(|function| {
        function.ec2.fault(DeprovisionIpamByoasn, Fault::Hang { after_effect: false });
    });
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION], "the first call is the lost one");
}

#[test]
fn sleeping_through_the_deadline_is_a_timeout_or_an_answer_and_never_the_end() {
    let function = Function::start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Slow { seconds: 1.0, after_effect: true });
    let invocation =
        Invocation { deadline: Deadline::In(Duration::from_secs(2)), ..Invocation::new(request().to_string()) };
    let id = function.api.send(invocation);
    while function.ec2.calls().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    signal(&function, "STOP");
    thread::sleep(Duration::from_millis(2_500));
    signal(&function, "CONT");
    let answer = function.api.answer(&id, Duration::from_secs(30)).expect("an answer");
    match outcome(&answer) {
        Ok(response) => assert_eq!(response, pending()),
        error => drop(assert_error(error, "Ec2Timeout", &["outcome is unknown"])),
    }
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn a_network_that_stays_silent_is_given_up_when_each_attempt_to_connect_was() {
    let function = Function::start();
    function.ec2.network(Network::Silent);
    let (error_type, message) =
        function.invoke_until(Deadline::In(Duration::from_secs(30)), &request()).expect_err("no connection");
    assert_eq!(error_type, "Ec2Unreachable", "{message}");
    assert!(!message.contains("unknown"), "nothing can have been sent: {message}");
    function.ec2.network(Network::Fine);
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn credentials_that_have_expired_are_ec2s_error_and_a_new_process_has_new_ones() {
    let expired = World { denied_access_keys: vec![ACCESS_KEY_ID.into()], ..World::default() };
    let function = Function::in_world(expired);
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(400, "RequestExpired", "Request has expired."));
    assert_error(function.invoke(&request()), "RequestExpired", &["credentials", "clock"]);
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &[]);
    let (ec2, _) = function.crash();
    let function = Setup::beside(ec2).set("AWS_ACCESS_KEY_ID", "ASIARENEWEDEXAMPLE00").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}
