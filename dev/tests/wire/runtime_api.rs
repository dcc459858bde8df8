use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use stand_ins::runtime_api::{Answer, Deadline, Invocation, StandIn};

use crate::client::{self, Client};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const SOON: Duration = Duration::from_secs(10);

fn post(api: &StandIn, resource: &str, headers: &str, body: &str) -> client::Answer {
    let path = format!("/2018-06-01/runtime/{resource}");
    Client::new(api.address()).request("POST", &path, headers, body)
}

#[test]
fn an_invocation_comes_with_everything_that_lambda_tells() {
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
fn id_and_deadline_can_be_chosen() {
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
fn a_poll_waits_until_there_is_work() {
    let api = StandIn::start();
    assert!(!api.wait_for_poll(Duration::from_millis(50)));
    let mut function = Client::new(api.address());
    function.send("GET", NEXT, "", "");
    assert!(api.wait_for_poll(SOON));
    api.send(Invocation::new("late"));
    assert_eq!(function.read().unwrap().body, "late");
    assert_eq!(api.polls(), 1);
}

#[test]
fn work_is_not_lost_on_a_function_that_died_while_it_waited() {
    let api = StandIn::start();
    let mut dead = Client::new(api.address());
    dead.send("GET", NEXT, "", "");
    assert!(api.wait_for_poll(SOON));
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
        let answer = api.invoke(r#"{"echo": true}"#);
        assert!(!answer.is_error());
        assert_eq!(answer.json(), json!({"echo": true}));
    });
    assert_eq!(api.mistakes(), [""; 0]);
}

#[test]
fn an_error_is_an_answer_too() {
    let api = StandIn::start();
    let id = api.send(Invocation::new("{}"));
    Client::new(api.address()).request("GET", NEXT, "", "");
    let header = "lambda-runtime-function-error-type: Oops\r\n";
    let body = r#"{"errorType": "Oops"}"#;
    let taken = post(&api, &format!("invocation/{id}/error"), header, body);
    assert_eq!(taken.status, 202);
    assert_eq!(
        api.answer(&id, SOON),
        Some(Answer::Error { error_type_header: Some("Oops".to_owned()), body: body.into() })
    );
}

#[test]
fn it_tells_when_work_was_asked_for_handed_out_and_answered() {
    let api = StandIn::start();
    assert_eq!(api.first_poll(), None);
    let mut function = Client::new(api.address());
    function.send("GET", NEXT, "", "");
    assert!(api.wait_for_polls(1, SOON));
    let before = Instant::now();
    let id = api.send(Invocation::new("{}"));
    function.read().unwrap();
    assert!(api.timing(&id).is_none());
    std::thread::sleep(Duration::from_millis(20));
    post(&api, &format!("invocation/{id}/response"), "", "1");
    let timing = api.timing(&id).unwrap();
    assert!(api.first_poll().unwrap() < before);
    assert!(before <= timing.handed && timing.answered <= Instant::now());
    assert!(timing.duration() >= Duration::from_millis(20));
}

#[test]
fn no_answer_in_time_is_none() {
    let api = StandIn::start();
    let id = api.send(Invocation::new("{}"));
    let start = Instant::now();
    assert_eq!(api.answer(&id, Duration::from_millis(100)), None);
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[test]
fn a_second_answer_is_refused_and_remembered() {
    let api = StandIn::start();
    let id = api.send(Invocation::new("{}"));
    Client::new(api.address()).request("GET", NEXT, "", "");
    let resource = format!("invocation/{id}/response");
    assert_eq!(post(&api, &resource, "", "1").status, 202);
    let refused = post(&api, &resource, "", "2");
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["errorType"], "InvalidStateTransition");
    assert_eq!(api.answer(&id, SOON), Some(Answer::Response(b"1".into())));
    assert_eq!(api.mistakes(), [format!("{id} was answered twice")]);
}

#[test]
fn an_answer_to_nothing_is_refused_and_remembered() {
    let api = StandIn::start();
    let waiting = api.send(Invocation::new("not polled yet"));
    let unknown = "unknown".to_owned();
    for id in [&waiting, &unknown] {
        let refused = post(&api, &format!("invocation/{id}/response"), "", "1");
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["errorType"], "InvalidRequestID");
    }
    assert_eq!(post(&api, "nonsense", "", "").status, 404);
    assert_eq!(
        api.mistakes(),
        [
            format!("{waiting} is no invocation"),
            "unknown is no invocation".to_owned(),
            "POST /2018-06-01/runtime/nonsense does not exist".to_owned(),
        ]
    );
}

#[test]
fn a_function_that_cannot_start_says_why() {
    let api = StandIn::start();
    assert_eq!(api.init_error(), None);
    let body = r#"{"errorType": "Runtime.Bad"}"#;
    assert_eq!(post(&api, "init/error", "", body).status, 202);
    assert_eq!(api.init_error(), Some(json!({"errorType": "Runtime.Bad"})));
}
