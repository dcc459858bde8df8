//! The Lambda Runtime API, which sends invocations to a function.

mod invocation;
mod response;
mod service;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use invocation::{Deadline, Invocation};
pub use response::{Response, Timing};

use crate::http::Server;
use service::Service;

/// How long [`StandIn::invoke`] waits for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A running stand-in. It stops when it is dropped.
pub struct StandIn {
    service: Arc<Service>,
    address: String,
    _server: Server,
}

impl StandIn {
    /// Starts a stand-in.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    #[must_use]
    pub fn start() -> Self {
        let service = Arc::new(Service::default());
        let server = Server::start(0, None, Arc::clone(&service))
            .unwrap_or_else(|error| panic!("the Runtime API stand-in does not start: {error}"));
        Self { service, address: server.address().to_string(), _server: server }
    }

    /// The address for `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Queues an invocation for the function's next poll. Returns the request ID.
    #[expect(clippy::must_use_candidate, reason = "without waiting for a response, the ID is not needed")]
    pub fn send(&self, invocation: Invocation) -> String {
        self.service.send(invocation)
    }

    /// Makes the function's polls fail with this HTTP status, including a poll that waits.
    pub fn fail_polls(&self, status: u16) {
        self.service.fail_polls(status);
    }

    /// Waits for the function's response. Returns `None` after this time.
    #[must_use]
    pub fn wait_for_response(&self, request_id: &str, timeout: Duration) -> Option<Response> {
        self.service.wait(timeout, |state| state.responses.get(request_id).cloned())
    }

    /// Sends an event and waits for the response.
    ///
    /// # Panics
    ///
    /// If there is no response within 30 seconds.
    pub fn invoke(&self, payload: impl Into<Vec<u8>>) -> Response {
        let request_id = self.send(Invocation::new(payload));
        self.wait_for_response(&request_id, RESPONSE_TIMEOUT).unwrap_or_else(|| {
            panic!(
                "no response to {request_id} in {} s; the function has polled {} times; \
                 initialization error: {:?}; protocol errors: {:?}",
                RESPONSE_TIMEOUT.as_secs(),
                self.polls(),
                self.init_error(),
                self.protocol_errors(),
            )
        })
    }

    /// The number of polls for an invocation so far.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.service.read(|state| state.polls)
    }

    /// Waits for the function's first poll, which ends its start. Returns whether it came in time.
    #[must_use]
    pub fn wait_for_poll(&self, timeout: Duration) -> bool {
        self.wait_for_polls(1, timeout)
    }

    /// Waits until the function has polled this many times, which means that all earlier invocations
    /// are complete. Returns whether it did in time.
    #[must_use]
    pub fn wait_for_polls(&self, polls: usize, timeout: Duration) -> bool {
        self.service.wait(timeout, |state| (state.polls >= polls).then_some(())).is_some()
    }

    /// The time of the function's first poll.
    #[must_use]
    pub fn first_poll(&self) -> Option<Instant> {
        self.service.read(|state| state.first_poll)
    }

    /// The times of an invocation, or `None` before the response.
    #[must_use]
    pub fn timing(&self, request_id: &str) -> Option<Timing> {
        self.service.read(|state| {
            let (&invoked, &responded) = (state.invoked.get(request_id)?, state.responded.get(request_id)?);
            Some(Timing { invoked, responded })
        })
    }

    /// The error that the function reported at its start.
    #[must_use]
    pub fn init_error(&self) -> Option<Value> {
        self.service.read(|state| state.init_error.clone())
    }

    /// Requests of the function that Lambda rejects: a second response to an invocation, a response
    /// to an invocation that the function did not receive, or an unknown path. A correct function
    /// makes none.
    #[must_use]
    pub fn protocol_errors(&self) -> Vec<String> {
        self.service.read(|state| state.protocol_errors.clone())
    }
}
