use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use stand_ins::runtime_api::{Deadline, Invocation, Response, StandIn};

use crate::client::{self, Client};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const TIMEOUT: Duration = Duration::from_secs(10);

fn post(api: &StandIn, resource: &str, headers: &str, body: &str) -> client::Response {
    let path = format!("/2018-06-01/runtime/{resource}");
    Client::new(api.address()).request("POST", &path, headers, body)
}

#[test]
fn invocation_has_the_headers_that_lambda_sends() {
    let api = StandIn::start();
    let id = api.send(Invocation::new(r#"{"a": 1}"#));
    let next = Client::new(api.address()).request("GET", NEXT, "", "");
    assert_eq!(next.status, 200);
    assert_eq!(next.body, r#"{"a": 1}"#);
    assert_eq!(next.headers["content-type"], "application/json");
    assert_eq!(next.headers["lambda-runtime-aws-request-id"], id);
    assert!(next.headers["lambda-runtime-invoked-function-arn"].starts_with("arn:aws:lambda:"));
    assert!(next.headers["lambda-runtime-trace-id"].starts_with("Root=1-"));
    let deadline: u64 = next.headers["lambda-runtime-deadline-ms"].parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let left = Duration::from_millis(deadline).checked_sub(now).unwrap();
    assert!((29..=30).contains(&left.as_secs()), "{left:?}");
}

#[test]
fn request_id_and_deadline_are_configurable() {
    let api = StandIn::start();
    let id = api.send(Invocation {
        request_id: Some("mine".to_owned()),
        deadline: Deadline::At(600_000),
        ..Invocation::new("{}")
    });
    let next = Client::new(api.address()).request("GET", NEXT, "", "");
    assert_eq!(id, "mine");
    assert_eq!(next.headers["lambda-runtime-aws-request-id"], "mine");
    assert_eq!(next.headers["lambda-runtime-deadline-ms"], "600000");
}

#[test]
fn poll_waits_for_an_invocation() {
    let api = StandIn::start();
    assert!(!api.wait_for_poll(Duration::from_millis(50)));
    let mut function = Client::new(api.address());
    function.send("GET", NEXT, "", "");
    assert!(api.wait_for_poll(TIMEOUT));
    api.send(Invocation::new("late"));
    assert_eq!(function.read().unwrap().body, "late");
    assert_eq!(api.polls(), 1);
}

#[test]
fn invocation_is_not_given_to_a_disconnected_function() {
    let api = StandIn::start();
    let mut dead = Client::new(api.address());
    dead.send("GET", NEXT, "", "");
    assert!(api.wait_for_poll(TIMEOUT));
    drop(dead);
    std::thread::sleep(Duration::from_millis(100));
    api.send(Invocation::new("work"));
    let next = Client::new(api.address()).request("GET", NEXT, "", "");
    assert_eq!(next.body, "work");
}

#[test]
fn invoke_waits_for_the_response() {
    let api = StandIn::start();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let next = Client::new(api.address()).request("GET", NEXT, "", "");
            let id = &next.headers["lambda-runtime-aws-request-id"];
            let taken = post(&api, &format!("invocation/{id}/response"), "", &next.body);
            assert_eq!((taken.status, taken.json()), (202, json!({"status": "OK"})));
        });
        let response = api.invoke(r#"{"echo": true}"#);
        assert!(!response.is_error());
        assert_eq!(response.json(), json!({"echo": true}));
    });
    assert_eq!(api.protocol_errors(), [""; 0]);
}

#[test]
fn errors_are_responses() {
    let api = StandIn::start();
    let id = api.send(Invocation::new("{}"));
    Client::new(api.address()).request("GET", NEXT, "", "");
    let header = "lambda-runtime-function-error-type: Oops\r\n";
    let body = r#"{"errorType": "Oops"}"#;
    let taken = post(&api, &format!("invocation/{id}/error"), header, body);
    assert_eq!(taken.status, 202);
    assert_eq!(
        api.wait_for_response(&id, TIMEOUT),
        Some(Response::Error { error_type_header: Some("Oops".to_owned()), body: body.into() })
    );
}

#[test]
fn poll_and_invocation_times_are_recorded() {
    let api = StandIn::start();
    assert_eq!(api.first_poll(), None);
    let mut function = Client::new(api.address());
    function.send("GET", NEXT, "", "");
    assert!(api.wait_for_polls(1, TIMEOUT));
    let before = Instant::now();
    let id = api.send(Invocation::new("{}"));
    function.read().unwrap();
    assert!(api.timing(&id).is_none());
    std::thread::sleep(Duration::from_millis(20));
    post(&api, &format!("invocation/{id}/response"), "", "1");
    let timing = api.timing(&id).unwrap();
    assert!(api.first_poll().unwrap() < before);
    assert!(before <= timing.invoked && timing.responded <= Instant::now());
    assert!(timing.duration() >= Duration::from_millis(20));
}

#[test]
fn waiting_for_a_response_times_out() {
    let api = StandIn::start();
    let id = api.send(Invocation::new("{}"));
    let start = Instant::now();
    assert_eq!(api.wait_for_response(&id, Duration::from_millis(100)), None);
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[test]
fn second_response_is_a_protocol_error() {
    let api = StandIn::start();
    let id = api.send(Invocation::new("{}"));
    Client::new(api.address()).request("GET", NEXT, "", "");
    let resource = format!("invocation/{id}/response");
    assert_eq!(post(&api, &resource, "", "1").status, 202);
    let rejected = post(&api, &resource, "", "2");
    assert_eq!(rejected.status, 403);
    assert_eq!(rejected.json()["errorType"], "InvalidStateTransition");
    assert_eq!(api.wait_for_response(&id, TIMEOUT), Some(Response::Success(b"1".into())));
    assert_eq!(api.protocol_errors(), [format!("{id} has a response already")]);
}

#[test]
fn response_to_unknown_invocation_is_a_protocol_error() {
    let api = StandIn::start();
    let waiting = api.send(Invocation::new("not polled yet"));
    let unknown = "unknown".to_owned();
    for id in [&waiting, &unknown] {
        let rejected = post(&api, &format!("invocation/{id}/response"), "", "1");
        assert_eq!(rejected.status, 400);
        assert_eq!(rejected.json()["errorType"], "InvalidRequestID");
    }
    assert_eq!(post(&api, "nonsense", "", "").status, 404);
    assert_eq!(
        api.protocol_errors(),
        [
            format!("{waiting} is not a running invocation"),
            "unknown is not a running invocation".to_owned(),
            "POST /2018-06-01/runtime/nonsense does not exist".to_owned(),
        ]
    );
}

#[test]
fn initialization_error_is_recorded() {
    let api = StandIn::start();
    assert_eq!(api.init_error(), None);
    let body = r#"{"errorType": "Runtime.Bad"}"#;
    assert_eq!(post(&api, "init/error", "", body).status, 202);
    assert_eq!(api.init_error(), Some(json!({"errorType": "Runtime.Bad"})));
}

#[test]
fn client_context_and_cognito_identity_are_headers() {
    let api = StandIn::start();
    let context = r#"{"custom":{"n":1}}"#;
    api.send(Invocation {
        client_context: Some(context.to_owned()),
        cognito_identity: Some("{}".to_owned()),
        ..Invocation::new("1")
    });
    api.send(Invocation::new("2"));
    let mut function = Client::new(api.address());
    let headers = function.request("GET", NEXT, "", "").headers;
    assert_eq!(headers["lambda-runtime-client-context"], context);
    assert_eq!(headers["lambda-runtime-cognito-identity"], "{}");
    let headers = function.request("GET", NEXT, "", "").headers;
    assert!(headers.keys().all(|name| !name.contains("context") && !name.contains("cognito")), "{headers:?}");
}

#[test]
fn polls_can_fail() {
    let api = StandIn::start();
    let mut waiting = Client::new(api.address());
    waiting.send("GET", NEXT, "", "");
    assert!(api.wait_for_poll(TIMEOUT));
    api.fail_polls(500);
    assert_eq!(waiting.read().unwrap().status, 500);
    api.send(Invocation::new("{}"));
    let failed = Client::new(api.address()).request("GET", NEXT, "", "");
    assert_eq!((failed.status, failed.json()["errorType"].clone()), (500, json!("InternalServerError")));
}
