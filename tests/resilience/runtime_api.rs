//! Failures of the Lambda Runtime API, and invocation metadata that `lambda_runtime` cannot parse.

use serde_json::Value;
use stand_ins::runtime_api::Invocation;

use crate::support::*;

/// Asserts that the process exits with an error, one log line and no call to EC2. Returns the line.
#[track_caller]
fn assert_ends_with_one_line(function: Function) -> Value {
    let (code, calls, log) = function.wait_for_exit();
    assert_ne!(code, Some(0));
    assert_eq!(calls, Vec::<String>::new());
    let [line] = &log[..] else { panic!("not one line: {log:?}") };
    assert_eq!(line["level"], "ERROR");
    line.clone()
}

#[test]
fn failed_poll_ends_the_process_with_exit_error() {
    for status in [403, 500] {
        let function = Function::start();
        function.api.fail_polls(status);
        let line = assert_ends_with_one_line(function);
        assert_eq!(line["error_type"], "Runtime.ExitError", "{status}: {line}");
    }
}

#[test]
fn failed_poll_after_an_invocation_is_an_exit_error() {
    let function = Function::start();
    assert_error(function.invoke_text("{}"), "InvalidEvent", &[]);
    function.api.fail_polls(500);
    let (code, calls, log) = function.wait_for_exit();
    assert_ne!(code, Some(0));
    assert_eq!(calls, Vec::<String>::new());
    let error_types: Vec<_> = log.iter().map(|line| &line["error_type"]).collect();
    assert_eq!(error_types, ["InvalidEvent", "Runtime.ExitError"]);
}

/// An invocation with this `ClientContext` and this Cognito identity.
fn invocation(client_context: Option<&str>, cognito_identity: Option<&str>) -> Invocation {
    Invocation {
        client_context: client_context.map(str::to_owned),
        cognito_identity: cognito_identity.map(str::to_owned),
        ..Invocation::new(request().to_string())
    }
}

#[test]
fn unreadable_metadata_ends_the_process_with_one_line() {
    for (client_context, cognito_identity) in [
        (Some(r#"{"custom":{"n":1}}"#), None),
        (Some(r#"{"custom":{"_datadog":{"x-datadog-trace-id":"1"}}}"#), None),
        (Some(r#"{"environment":{"flag":true}}"#), None),
        (Some(r#"{"client":null}"#), None),
        (Some(r#"{"client":{"installation_id":"1"}}"#), None),
        (Some(r#"{"custom":{"list":["a"]}}"#), None),
        (Some("not JSON"), None),
        (None, Some(r#"{"cognitoIdentityId":"us-east-1:1"}"#)),
        (None, Some("{}")),
    ] {
        let function = Function::start();
        function.api.send(invocation(client_context, cognito_identity));
        let line = assert_ends_with_one_line(function);
        let message = line["message"].as_str().expect("text");
        assert!(message.starts_with("the Lambda runtime ended: "), "{client_context:?} {cognito_identity:?}: {line}");
    }
}

#[test]
fn readable_metadata_is_accepted() {
    for (client_context, cognito_identity) in [
        (Some(r#"{"custom":{"key":"value"},"environment":{"make":"x"},"other":1}"#), None),
        (Some("{}"), None),
        (None, Some(r#"{"cognitoIdentityId":"us-east-1:1","cognitoIdentityPoolId":"us-east-1:2"}"#)),
        (None, Some("")),
    ] {
        let function = Function::start();
        assert_eq!(function.invoke_with(invocation(client_context, cognito_identity)), Ok(pending()));
        assert_eq!(function.calls(), [DEPROVISION]);
    }
}
