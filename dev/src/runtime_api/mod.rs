//! The Lambda Runtime API, from the side that sends invocations.

mod answer;
mod invocation;
mod service;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use answer::{Answer, Timing};
pub use invocation::{Deadline, Invocation};

use crate::http::Server;
use service::Service;

/// As long as a test may reasonably wait for the function to do something.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running stand-in. It stops when it is dropped.
pub struct StandIn {
    service: Arc<Service>,
    address: String,
    _server: Server,
}

impl StandIn {
    /// # Panics
    ///
    /// When it cannot listen.
    #[must_use]
    pub fn start() -> Self {
        let service = Arc::new(Service::default());
        let server = Server::start(0, None, Arc::clone(&service))
            .unwrap_or_else(|error| panic!("the Runtime API stand-in does not start: {error}"));
        Self { service, address: server.address().to_string(), _server: server }
    }

    /// For `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Queues an invocation for the function's next poll. Its request ID.
    #[expect(clippy::must_use_candidate, reason = "who expects no answer needs no ID")]
    pub fn send(&self, invocation: Invocation) -> String {
        self.service.send(invocation)
    }

    /// Waits for the function's answer. `None` when there is none in this time.
    #[must_use]
    pub fn answer(&self, request_id: &str, timeout: Duration) -> Option<Answer> {
        self.service.wait(timeout, |state| state.answers.get(request_id).cloned())
    }

    /// Sends an event and waits for the answer.
    ///
    /// # Panics
    ///
    /// When there is none in 30 seconds.
    pub fn invoke(&self, payload: impl Into<Vec<u8>>) -> Answer {
        let request_id = self.send(Invocation::new(payload));
        self.answer(&request_id, PATIENCE).unwrap_or_else(|| {
            panic!(
                "no answer to {request_id} in {} s: the function asked for work {} times, \
                 its initialization error is {:?}, its mistakes are {:?}",
                PATIENCE.as_secs(),
                self.polls(),
                self.init_error(),
                self.mistakes(),
            )
        })
    }

    /// How often the function has asked for work.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.service.read(|state| state.polls)
    }

    /// Waits until the function has asked for work for the first time: it has started.
    #[must_use]
    pub fn wait_for_poll(&self, timeout: Duration) -> bool {
        self.wait_for_polls(1, timeout)
    }

    /// Waits until the function has asked for work this often: it has done what came before.
    #[must_use]
    pub fn wait_for_polls(&self, polls: usize, timeout: Duration) -> bool {
        self.service.wait(timeout, |state| (state.polls >= polls).then_some(())).is_some()
    }

    /// When the function asked for work for the first time.
    #[must_use]
    pub fn first_poll(&self) -> Option<Instant> {
        self.service.read(|state| state.first_poll)
    }

    /// When an invocation went out and its answer came in. `None` while either has not happened.
    #[must_use]
    pub fn timing(&self, request_id: &str) -> Option<Timing> {
        self.service.read(|state| {
            let (&handed, &answered) = (state.handed.get(request_id)?, state.answered.get(request_id)?);
            Some(Timing { handed, answered })
        })
    }

    /// What the function reported as the reason why it cannot start.
    #[must_use]
    pub fn init_error(&self) -> Option<Value> {
        self.service.read(|state| state.init_error.clone())
    }

    /// What the function did that Lambda refuses: a second answer, an answer to an invocation it
    /// never got, a call to something that does not exist. A good test ends with none.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        self.service.read(|state| state.mistakes.clone())
    }
}
