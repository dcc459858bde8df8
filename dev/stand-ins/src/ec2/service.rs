//! Handles requests: records the call, executes it, and applies the queued fault.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::action::Action;
use super::control;
use super::error::ApiError;
use super::fault::{Fault, Point};
use super::operations::{DryRun, execute, execute_with_state};
use super::query::Query;
use super::response::ResponseWriter;
use super::world::World;
use crate::http::{ConnectionAction, Handler, Request, Response};
use crate::lock::lock;

/// A call as it was received, valid or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Empty if the request has none.
    pub action: String,
    /// The parameters without `Action` and `Version`.
    pub params: BTreeMap<String, String>,
    pub access_key_id: Option<String>,
    /// The Region of the signature's scope.
    pub region: Option<String>,
}

impl Call {
    fn new(query: &Query) -> Self {
        let credential = query.credential().ok();
        Self {
            action: query.action.clone().unwrap_or_default(),
            params: query.params.clone(),
            access_key_id: credential.as_ref().map(|it| it.access_key_id.to_owned()),
            region: credential.as_ref().map(|it| it.region.to_owned()),
        }
    }
}

pub struct State {
    pub world: World,
    pub faults: HashMap<Action, VecDeque<Fault>>,
    pub calls: Vec<Call>,
    /// The time from the complete request to the response, for each call.
    pub handling_times: Vec<Duration>,
}

impl State {
    pub fn new(mut world: World) -> Self {
        world.apply_due_transitions();
        Self { world, faults: HashMap::new(), calls: Vec::new(), handling_times: Vec::new() }
    }
}

/// Called after each call.
pub type CallObserver = fn(&Call, &ConnectionAction);

pub struct Service {
    state: Mutex<State>,
    observer: Option<CallObserver>,
}

impl Handler for Service {
    async fn handle(&self, request: Request) -> ConnectionAction {
        if request.path.starts_with(control::PREFIX) {
            return ConnectionAction::Respond(control::respond(&mut lock(&self.state), &request));
        }
        let received = Instant::now();
        let query = Query::new(&request);
        let call = Call::new(&query);
        let fault = self.record(&call, query.known_action());
        let writer = ResponseWriter::new(lock(&self.state).world.request_id_header);
        let exchange = Exchange { state: &self.state, writer, query };
        let action = match fault {
            Some((action, fault)) => exchange.apply_fault(action, fault).await,
            None => ConnectionAction::Respond(exchange.execute_normally()),
        };
        if let Some(observer) = self.observer {
            observer(&call, &action);
        }
        lock(&self.state).handling_times.push(received.elapsed());
        action
    }
}

impl Service {
    pub fn new(world: World, observer: Option<CallObserver>) -> Self {
        Self { state: Mutex::new(State::new(world)), observer }
    }

    pub fn with_state<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        use_state(&mut lock(&self.state))
    }

    /// Records the call, and takes the next fault that is queued for its action.
    fn record(&self, call: &Call, action: Option<Action>) -> Option<(Action, Fault)> {
        let mut state = lock(&self.state);
        state.calls.push(call.clone());
        let action = action?;
        let fault = state.faults.get_mut(&action)?.pop_front()?;
        Some((action, fault))
    }
}

/// One call and what is needed to respond to it.
struct Exchange<'a> {
    state: &'a Mutex<State>,
    writer: ResponseWriter,
    query: Query,
}

impl Exchange<'_> {
    fn execute(&self, dry_run: DryRun) -> Result<String, ApiError> {
        let world = &mut lock(self.state).world;
        world.apply_due_transitions();
        execute(world, &self.query, dry_run)
    }

    /// Executes the call without a fault.
    fn execute_normally(&self) -> Response {
        match (self.query.known_action(), self.execute(DryRun::Honored)) {
            (Some(action), outcome) => self.writer.outcome(action, &outcome),
            (None, Err(error)) => self.writer.failure(&error),
            (None, Ok(_)) => unreachable!("a request without a known action never succeeds"),
        }
    }

    async fn apply_fault(&self, action: Action, fault: Fault) -> ConnectionAction {
        let writer = &self.writer;
        match fault {
            Fault::Throttle => ConnectionAction::Respond(writer.failure(&ApiError::throttle())),
            Fault::Error { status, code, message } => {
                let message = self.fill_placeholders(&message);
                ConnectionAction::Respond(writer.failure(&ApiError::new(status, code, message)))
            }
            Fault::NoCode { status } => ConnectionAction::Respond(writer.failure_without_code(status)),
            Fault::EmptyBody { status } => ConnectionAction::Respond(writer.plain(status, "text/xml", "")),
            Fault::Html { status } => {
                let body = format!("<html><body><h1>{status}</h1><hr>proxy</body></html>\n");
                ConnectionAction::Respond(writer.plain(status, "text/html", &body))
            }
            Fault::TruncatedXml { status } => {
                let mut response = if status == 200 {
                    self.execute_normally()
                } else {
                    writer.failure(&ApiError::new(status, "InternalError", "Internal error."))
                };
                response.body.truncate(response.body.len() / 2);
                ConnectionAction::Respond(response)
            }
            Fault::Slow { seconds, after_effect } => {
                let early = after_effect.then(|| self.execute_normally());
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                ConnectionAction::Respond(early.unwrap_or_else(|| self.execute_normally()))
            }
            Fault::Hang { after_effect } => self.replace_response(after_effect, ConnectionAction::Hang),
            Fault::Reset { after_effect } => self.replace_response(after_effect, ConnectionAction::Reset),
            Fault::Close { after_effect } => self.replace_response(after_effect, ConnectionAction::Close),
            Fault::HalfResponse => ConnectionAction::RespondHalf(self.execute_normally()),
            Fault::Interrupted { at, by, status, after_effect } => {
                let response = match status {
                    200 if after_effect || !matches!(at, Point::Start) => self.execute_normally(),
                    200 => Response::empty(200),
                    status => {
                        if after_effect {
                            self.execute_normally();
                        }
                        writer.failure(&ApiError::new(status, "InternalError", "Internal error."))
                    }
                };
                ConnectionAction::Interrupt { response, at, by }
            }
            Fault::CloseAfterResponse { seconds } => {
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                ConnectionAction::Respond(self.execute_normally().with_header("connection", "close"))
            }
            Fault::NoByoasn => {
                self.execute_normally();
                ConnectionAction::Respond(writer.success(action, ""))
            }
            Fault::State { state, status_message } => {
                let world = &mut lock(self.state).world;
                world.apply_due_transitions();
                let outcome = execute_with_state(world, &self.query, &state, status_message);
                ConnectionAction::Respond(writer.outcome(action, &outcome))
            }
            Fault::DryRunIgnored { after_effect } => {
                let before = lock(self.state).world.clone();
                let outcome = self.execute(DryRun::Ignored);
                if !after_effect {
                    lock(self.state).world = before;
                }
                ConnectionAction::Respond(writer.outcome(action, &outcome))
            }
            Fault::Raw { status, headers, body, after_effect } => {
                let body = match String::from_utf8(body) {
                    Ok(text) => self.fill_placeholders(&text).into_bytes(),
                    Err(not_text) => not_text.into_bytes(),
                };
                let response = Response { status, headers: headers.into_iter().collect(), body };
                self.replace_response(after_effect, ConnectionAction::Respond(response))
            }
        }
    }

    /// Returns `action` in place of the normal response. With `after_effect`, the call is executed first.
    fn replace_response(&self, after_effect: bool, action: ConnectionAction) -> ConnectionAction {
        if after_effect {
            self.execute_normally();
        }
        action
    }

    fn fill_placeholders(&self, template: &str) -> String {
        let part = |value: &Option<String>| value.clone().unwrap_or_default();
        template
            .replace("{authorization}", &part(&self.query.authorization))
            .replace("{session_token}", &part(&self.query.session_token))
    }
}
