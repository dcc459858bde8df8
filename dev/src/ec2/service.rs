//! From a request to what happens on its connection.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::action::Action;
use super::answer::Writer;
use super::control;
use super::error::ApiError;
use super::fault::{Fault, Point};
use super::operations::{DryRun, execute, execute_into_state};
use super::query::Query;
use super::world::World;
use crate::http::{Handler, Reply, Request, Response};
use crate::lock::lock;

/// A call as it arrived, before anything was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Empty for a request without one.
    pub action: String,
    /// Without `Action` and `Version`.
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
    /// How long each call waited for its reply.
    pub held: Vec<Duration>,
}

impl State {
    pub fn new(mut world: World) -> Self {
        world.settle();
        Self { world, faults: HashMap::new(), calls: Vec::new(), held: Vec::new() }
    }
}

/// Told of every call and of the reply to it.
pub type Observer = fn(&Call, &Reply);

pub struct Service {
    state: Mutex<State>,
    observer: Option<Observer>,
}

impl Handler for Service {
    async fn handle(&self, request: Request) -> Reply {
        if request.path.starts_with(control::PREFIX) {
            return Reply::Answer(control::answer(&mut lock(&self.state), &request));
        }
        let arrived = Instant::now();
        let query = Query::new(&request);
        let call = Call::new(&query);
        let fault = self.record(&call, query.known_action());
        let exchange =
            Exchange { state: &self.state, writer: Writer::new(lock(&self.state).world.request_id_header), query };
        let reply = match fault {
            Some((action, fault)) => exchange.fail(action, fault).await,
            None => Reply::Answer(exchange.normal()),
        };
        if let Some(observer) = self.observer {
            observer(&call, &reply);
        }
        lock(&self.state).held.push(arrived.elapsed());
        reply
    }
}

impl Service {
    pub fn new(world: World, observer: Option<Observer>) -> Self {
        Self { state: Mutex::new(State::new(world)), observer }
    }

    pub fn with<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        use_state(&mut lock(&self.state))
    }

    /// Keeps the call, and takes the fault that waits for it.
    fn record(&self, call: &Call, action: Option<Action>) -> Option<(Action, Fault)> {
        let mut state = lock(&self.state);
        state.calls.push(call.clone());
        let action = action?;
        let fault = state.faults.get_mut(&action)?.pop_front()?;
        Some((action, fault))
    }
}

/// One call on its way to a reply.
struct Exchange<'a> {
    state: &'a Mutex<State>,
    writer: Writer,
    query: Query,
}

impl Exchange<'_> {
    fn execute(&self, dry_run: DryRun) -> Result<String, ApiError> {
        let world = &mut lock(self.state).world;
        world.settle();
        execute(world, &self.query, dry_run)
    }

    /// The normal course of things, with its effect.
    fn normal(&self) -> Response {
        match (self.query.known_action(), self.execute(DryRun::Honoured)) {
            (Some(action), outcome) => self.writer.outcome(action, &outcome),
            (None, Err(error)) => self.writer.failure(&error),
            (None, Ok(_)) => unreachable!("a request without a known action never succeeds"),
        }
    }

    async fn fail(&self, action: Action, fault: Fault) -> Reply {
        let writer = &self.writer;
        match fault {
            Fault::Throttle => Reply::Answer(writer.failure(&ApiError::throttle())),
            Fault::Error { status, code, message } => {
                let message = self.fill_in(&message);
                Reply::Answer(writer.failure(&ApiError::new(status, code, message)))
            }
            Fault::NoCode { status } => Reply::Answer(writer.failure_without_code(status)),
            Fault::EmptyBody { status } => Reply::Answer(writer.plain(status, "text/xml", "")),
            Fault::Html { status } => {
                let body = format!("<html><body><h1>{status}</h1><hr>proxy</body></html>\n");
                Reply::Answer(writer.plain(status, "text/html", &body))
            }
            Fault::TruncatedXml { status } => {
                let mut response = if status == 200 {
                    self.normal()
                } else {
                    writer.failure(&ApiError::new(status, "InternalError", "Internal error."))
                };
                response.body.truncate(response.body.len() / 2);
                Reply::Answer(response)
            }
            Fault::Slow { seconds, after_effect } => {
                let early = after_effect.then(|| self.normal());
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                Reply::Answer(early.unwrap_or_else(|| self.normal()))
            }
            Fault::Hang { after_effect } => self.cut(after_effect, Reply::Hang),
            Fault::Reset { after_effect } => self.cut(after_effect, Reply::Reset),
            Fault::Close { after_effect } => self.cut(after_effect, Reply::Close),
            Fault::HalfAnswer => Reply::Half(self.normal()),
            Fault::Breaks { at, by, status, after_effect } => {
                let response = match status {
                    200 if after_effect || !matches!(at, Point::Start) => self.normal(),
                    200 => Response::empty(200),
                    status => {
                        if after_effect {
                            self.normal();
                        }
                        writer.failure(&ApiError::new(status, "InternalError", "Internal error."))
                    }
                };
                Reply::Broken { response, at, by }
            }
            Fault::LastAnswer { seconds } => {
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                Reply::Answer(self.normal().with_header("connection", "close"))
            }
            Fault::NoByoasn => {
                self.normal();
                Reply::Answer(writer.success(action, ""))
            }
            Fault::State { state, status_message } => {
                let world = &mut lock(self.state).world;
                world.settle();
                let outcome = execute_into_state(world, &self.query, &state, status_message);
                Reply::Answer(writer.outcome(action, &outcome))
            }
            Fault::DryRunIgnored { after_effect } => {
                let before = lock(self.state).world.clone();
                let outcome = self.execute(DryRun::Ignored);
                if !after_effect {
                    lock(self.state).world = before;
                }
                Reply::Answer(writer.outcome(action, &outcome))
            }
            Fault::Raw { status, headers, body, after_effect } => {
                let response =
                    Response { status, headers: headers.into_iter().collect(), body: self.fill_in(&body).into_bytes() };
                self.cut(after_effect, Reply::Answer(response))
            }
        }
    }

    /// `reply` in place of the normal answer, whose effect happens or not.
    fn cut(&self, after_effect: bool, reply: Reply) -> Reply {
        if after_effect {
            self.normal();
        }
        reply
    }

    fn fill_in(&self, template: &str) -> String {
        let part = |value: &Option<String>| value.clone().unwrap_or_default();
        template
            .replace("{authorization}", &part(&self.query.authorization))
            .replace("{session_token}", &part(&self.query.session_token))
    }
}
