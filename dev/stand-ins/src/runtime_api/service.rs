//! The four resources of the Runtime API.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::invocation::Invocation;
use super::response::Response;
use crate::http::{self, ConnectionAction, Handler, Request};
use crate::lock::lock;
use crate::unique;

const ROOT: &str = "/2018-06-01/runtime/";

#[derive(Default)]
pub struct State {
    queue: VecDeque<(String, Invocation)>,
    /// Request IDs of invocations that the function received and has not responded to.
    in_flight: HashSet<String>,
    pub responses: HashMap<String, Response>,
    pub polls: usize,
    pub first_poll: Option<Instant>,
    pub invoked: HashMap<String, Instant>,
    pub responded: HashMap<String, Instant>,
    pub init_error: Option<Value>,
    pub protocol_errors: Vec<String>,
    /// The HTTP status of every poll, if polls fail.
    poll_failure: Option<u16>,
}

#[derive(Default)]
pub struct Service {
    state: Mutex<State>,
    /// Wakes tests that wait.
    changed: Condvar,
    /// Wakes a function that waits.
    queued: Notify,
}

impl Handler for Service {
    async fn handle(&self, request: Request) -> ConnectionAction {
        let resource = request.path.strip_prefix(ROOT).unwrap_or_default();
        let segments: Vec<&str> = resource.split('/').collect();
        let response = match (request.method.as_str(), &segments[..]) {
            ("GET", ["invocation", "next"]) => self.next().await,
            ("POST", ["init", "error"]) => self.init_error(&request.body),
            ("POST", ["invocation", id, "response"]) => self.accept(id, Response::Success(request.body.clone())),
            ("POST", ["invocation", id, "error"]) => {
                let error_type = request.header("lambda-runtime-function-error-type");
                let response =
                    Response::Error { error_type_header: error_type.map(str::to_owned), body: request.body.clone() };
                self.accept(id, response)
            }
            (method, _) => {
                let message = format!("{method} {} does not exist", request.path);
                self.reject(404, "InvalidPath", message)
            }
        };
        ConnectionAction::Respond(response)
    }
}

impl Service {
    pub fn send(&self, invocation: Invocation) -> String {
        let request_id = invocation.request_id.clone().unwrap_or_else(unique::uuid);
        lock(&self.state).queue.push_back((request_id.clone(), invocation));
        self.queued.notify_one();
        request_id
    }

    pub fn fail_polls(&self, status: u16) {
        self.update(|state| state.poll_failure = Some(status));
        self.queued.notify_one();
    }

    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&lock(&self.state))
    }

    /// Waits until `find` returns a value.
    pub fn wait<T>(&self, timeout: Duration, find: impl Fn(&State) -> Option<T>) -> Option<T> {
        let state = lock(&self.state);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| find(state).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        find(&state)
    }

    fn update<T>(&self, update: impl FnOnce(&mut State) -> T) -> T {
        let result = update(&mut lock(&self.state));
        self.changed.notify_all();
        result
    }

    async fn next(&self) -> http::Response {
        let now = Instant::now();
        self.update(|state| {
            state.polls += 1;
            state.first_poll.get_or_insert(now);
        });
        let (request_id, invocation) = loop {
            let queued = self.queued.notified();
            if let Some(status) = self.read(|state| state.poll_failure) {
                let body = json!({ "errorType": "InternalServerError", "errorMessage": "The poll failed." });
                return http::Response::json(status, &body);
            }
            let next = self.update(|state| {
                let (request_id, invocation) = state.queue.pop_front()?;
                state.in_flight.insert(request_id.clone());
                state.invoked.insert(request_id.clone(), Instant::now());
                Some((request_id, invocation))
            });
            match next {
                Some(next) => break next,
                None => queued.await,
            }
        };
        let deadline = invocation.deadline.as_millis().to_string();
        let mut response = http::Response::new(200, "application/json", invocation.payload)
            .with_header("lambda-runtime-aws-request-id", request_id)
            .with_header("lambda-runtime-deadline-ms", deadline)
            .with_header("lambda-runtime-invoked-function-arn", invocation.function_arn)
            .with_header("lambda-runtime-trace-id", invocation.trace_id);
        let optional_headers = [
            ("lambda-runtime-client-context", invocation.client_context),
            ("lambda-runtime-cognito-identity", invocation.cognito_identity),
        ];
        for (name, value) in optional_headers {
            if let Some(value) = value {
                response = response.with_header(name, value);
            }
        }
        response
    }

    fn accept(&self, request_id: &str, response: Response) -> http::Response {
        enum Acceptance {
            Accepted,
            Repeated,
            UnknownInvocation,
        }
        let now = Instant::now();
        let acceptance = self.update(|state| {
            if state.in_flight.remove(request_id) {
                state.responded.insert(request_id.to_owned(), now);
                state.responses.insert(request_id.to_owned(), response);
                Acceptance::Accepted
            } else if state.responses.contains_key(request_id) {
                Acceptance::Repeated
            } else {
                Acceptance::UnknownInvocation
            }
        });
        match acceptance {
            Acceptance::Accepted => http::Response::json(202, &json!({ "status": "OK" })),
            Acceptance::Repeated => {
                self.reject(403, "InvalidStateTransition", format!("{request_id} has a response already"))
            }
            Acceptance::UnknownInvocation => {
                self.reject(400, "InvalidRequestID", format!("{request_id} is not a running invocation"))
            }
        }
    }

    fn init_error(&self, body: &[u8]) -> http::Response {
        let error = serde_json::from_slice(body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body)));
        self.update(|state| state.init_error = Some(error));
        http::Response::json(202, &json!({ "status": "OK" }))
    }

    fn reject(&self, status: u16, error_type: &str, message: String) -> http::Response {
        let body = json!({ "errorType": error_type, "errorMessage": message });
        self.update(|state| state.protocol_errors.push(message));
        http::Response::json(status, &body)
    }
}
