//! The Runtime API's four resources.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::answer::Answer;
use super::invocation::Invocation;
use crate::http::{Handler, Reply, Request, Response};
use crate::lock::lock;
use crate::unique;

const ROOT: &str = "/2018-06-01/runtime/";

#[derive(Default)]
pub struct State {
    queue: VecDeque<(String, Invocation)>,
    /// Handed to the function, and not answered yet.
    in_flight: HashSet<String>,
    pub answers: HashMap<String, Answer>,
    pub polls: usize,
    pub first_poll: Option<Instant>,
    pub handed: HashMap<String, Instant>,
    pub answered: HashMap<String, Instant>,
    pub init_error: Option<Value>,
    pub mistakes: Vec<String>,
}

#[derive(Default)]
pub struct Service {
    state: Mutex<State>,
    /// For the tests that wait.
    changed: Condvar,
    /// For the function that waits.
    queued: Notify,
}

impl Handler for Service {
    async fn handle(&self, request: Request) -> Reply {
        let resource = request.path.strip_prefix(ROOT).unwrap_or_default();
        let segments: Vec<&str> = resource.split('/').collect();
        let response = match (request.method.as_str(), &segments[..]) {
            ("GET", ["invocation", "next"]) => self.next().await,
            ("POST", ["init", "error"]) => self.init_error(&request.body),
            ("POST", ["invocation", id, "response"]) => self.take(id, Answer::Response(request.body.clone())),
            ("POST", ["invocation", id, "error"]) => {
                let error_type = request.header("lambda-runtime-function-error-type");
                let answer =
                    Answer::Error { error_type_header: error_type.map(str::to_owned), body: request.body.clone() };
                self.take(id, answer)
            }
            (method, _) => {
                let mistake = format!("{method} {} does not exist", request.path);
                self.refuse(404, "InvalidPath", mistake)
            }
        };
        Reply::Answer(response)
    }
}

impl Service {
    pub fn send(&self, invocation: Invocation) -> String {
        let request_id = invocation.request_id.clone().unwrap_or_else(unique::uuid);
        lock(&self.state).queue.push_back((request_id.clone(), invocation));
        self.queued.notify_one();
        request_id
    }

    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&lock(&self.state))
    }

    /// Waits until there is something to see.
    pub fn wait<T>(&self, timeout: Duration, look: impl Fn(&State) -> Option<T>) -> Option<T> {
        let state = lock(&self.state);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| look(state).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        look(&state)
    }

    fn update<T>(&self, update: impl FnOnce(&mut State) -> T) -> T {
        let result = update(&mut lock(&self.state));
        self.changed.notify_all();
        result
    }

    async fn next(&self) -> Response {
        let now = Instant::now();
        self.update(|state| {
            state.polls += 1;
            state.first_poll.get_or_insert(now);
        });
        let (request_id, invocation) = loop {
            let queued = self.queued.notified();
            let next = self.update(|state| {
                let (request_id, invocation) = state.queue.pop_front()?;
                state.in_flight.insert(request_id.clone());
                state.handed.insert(request_id.clone(), Instant::now());
                Some((request_id, invocation))
            });
            match next {
                Some(next) => break next,
                None => queued.await,
            }
        };
        let deadline = invocation.deadline.as_millis().to_string();
        let response = Response::new(200, "application/json", invocation.payload)
            .with_header("lambda-runtime-aws-request-id", request_id)
            .with_header("lambda-runtime-deadline-ms", deadline)
            .with_header("lambda-runtime-invoked-function-arn", invocation.function_arn)
            .with_header("lambda-runtime-trace-id", invocation.trace_id);
        match invocation.client_context {
            Some(context) => response.with_header("lambda-runtime-client-context", context),
            None => response,
        }
    }

    fn take(&self, request_id: &str, answer: Answer) -> Response {
        enum Fate {
            Taken,
            Repeated,
            Unknown,
        }
        let now = Instant::now();
        let fate = self.update(|state| {
            if state.in_flight.remove(request_id) {
                state.answered.insert(request_id.to_owned(), now);
                state.answers.insert(request_id.to_owned(), answer);
                Fate::Taken
            } else if state.answers.contains_key(request_id) {
                Fate::Repeated
            } else {
                Fate::Unknown
            }
        });
        match fate {
            Fate::Taken => Response::json(202, &json!({ "status": "OK" })),
            Fate::Repeated => self.refuse(403, "InvalidStateTransition", format!("{request_id} was answered twice")),
            Fate::Unknown => self.refuse(400, "InvalidRequestID", format!("{request_id} is no invocation")),
        }
    }

    fn init_error(&self, body: &[u8]) -> Response {
        let error = serde_json::from_slice(body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body)));
        self.update(|state| state.init_error = Some(error));
        Response::json(202, &json!({ "status": "OK" }))
    }

    fn refuse(&self, status: u16, error_type: &str, mistake: String) -> Response {
        let body = json!({ "errorType": error_type, "errorMessage": mistake });
        self.update(|state| state.mistakes.push(mistake));
        Response::json(status, &body)
    }
}
