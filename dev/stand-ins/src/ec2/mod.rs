//! EC2, limited to the operations that manage BYOASN.
//!
//! The stand-in speaks the EC2 Query protocol and keeps state ([`World`]): a deprovisioned ASN is
//! pending first and then reaches its final state, and a rejected call changes nothing. Throttles,
//! lost connections and other failures are a [`Fault`] each, which is queued for an action and
//! affects one call.

mod action;
mod control;
mod credential;
mod error;
mod fault;
mod lifecycle;
mod operations;
mod paging;
mod permission;
mod query;
mod response;
mod service;
mod temporary_file;
mod world;
mod xml;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use action::Action;
pub use fault::{Fault, Interruption, Point};
pub use service::Call;
pub use world::{After, Asn, Association, Cidr, Codes, World};

pub use crate::http::Network;
use crate::http::{Certificates, ConnectionAction, Server};
use service::{Service, State};
use temporary_file::TemporaryFile;

/// Options of a stand-in.
#[derive(Default)]
pub struct Options {
    pub world: World,
    /// The port on 127.0.0.1, or 0 for a free one.
    pub port: u16,
    /// If set, the stand-in serves HTTPS and writes the CA's certificate to this file.
    pub ca_bundle: Option<PathBuf>,
    /// What happens to new connections.
    pub network: Network,
    /// Whether each call is logged to standard error, one line a call.
    pub log: bool,
}

/// A running stand-in. It stops when it is dropped.
pub struct StandIn {
    service: Arc<Service>,
    endpoint: String,
    ca_bundle: Option<PathBuf>,
    /// Removed on drop.
    temporary_file: Option<TemporaryFile>,
    server: Server,
}

impl StandIn {
    /// Starts a stand-in that serves HTTP.
    ///
    /// # Panics
    ///
    /// If it cannot listen, or if the world has an invalid value.
    #[must_use]
    pub fn start(world: World) -> Self {
        Self::start_with(Options { world, ..Options::default() })
            .unwrap_or_else(|error| panic!("the EC2 stand-in does not start: {error}"))
    }

    /// Starts a stand-in that serves HTTPS, with a new certificate for `localhost` and `127.0.0.1`.
    ///
    /// # Panics
    ///
    /// As [`StandIn::start`], and if it cannot write [`StandIn::ca_bundle`].
    #[must_use]
    pub fn start_tls(world: World) -> Self {
        let file = TemporaryFile::new("ec2-stand-in", "pem");
        let mut stand_in =
            Self::start_with(Options { world, ca_bundle: Some(file.path.clone()), ..Options::default() })
                .unwrap_or_else(|error| panic!("the EC2 stand-in does not start: {error}"));
        stand_in.temporary_file = Some(file);
        stand_in
    }

    /// Starts a stand-in with these options.
    ///
    /// # Errors
    ///
    /// If it cannot listen or cannot write the CA's certificate, or if the world has an invalid value.
    pub fn start_with(options: Options) -> Result<Self, Box<dyn Error>> {
        options.world.validate()?;
        let certificates = match &options.ca_bundle {
            None => None,
            Some(path) => {
                let certificates = Certificates::generate()?;
                fs::write(path, &certificates.ca_pem)
                    .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
                Some(certificates)
            }
        };
        let service = Arc::new(Service::new(options.world, options.log.then_some(log as _)));
        let server = Server::start(options.port, certificates, Arc::clone(&service))?;
        if options.network != Network::Normal {
            server.set_network(options.network);
        }
        let port = server.address().port();
        let endpoint = if options.ca_bundle.is_some() {
            format!("https://localhost:{port}")
        } else {
            format!("http://127.0.0.1:{port}")
        };
        Ok(Self { service, endpoint, ca_bundle: options.ca_bundle, temporary_file: None, server })
    }

    /// The URL for `AWS_ENDPOINT_URL_EC2`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The file with the CA's certificate in PEM format, for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
    ///
    /// # Panics
    ///
    /// If the stand-in serves HTTP.
    #[must_use]
    pub fn ca_bundle(&self) -> &Path {
        self.ca_bundle.as_deref().expect("the stand-in serves HTTP: start it with start_tls")
    }

    /// Queues a fault for an action. Each call of the action takes the oldest fault in its queue.
    ///
    /// # Panics
    ///
    /// If the fault has an invalid value.
    pub fn queue_fault(&self, action: Action, fault: Fault) {
        if let Err(message) = fault.validate() {
            panic!("{message}: {fault:?}");
        }
        self.service.with_state(|state| {
            state.faults.entry(action).or_default().push_back(fault);
        });
    }

    /// The faults that are queued for an action, the oldest first.
    #[must_use]
    pub fn queued_faults(&self, action: Action) -> Vec<Fault> {
        self.service.with_state(|state| state.faults.get(&action).into_iter().flatten().cloned().collect())
    }

    /// Removes all queued faults.
    pub fn clear_faults(&self) {
        self.service.with_state(|state| state.faults.clear());
    }

    /// Changes what happens to new connections. Open connections stay open.
    pub fn set_network(&self, network: Network) {
        self.server.set_network(network);
    }

    /// Closes every open connection (FIN), as after an idle timeout.
    pub fn close_connections(&self) {
        self.server.close_connections();
    }

    /// Resets every open connection (RST).
    pub fn reset_connections(&self) {
        self.server.reset_connections();
    }

    /// Sends bytes that no request asked for on every open connection.
    pub fn send_unsolicited(&self, bytes: &[u8]) {
        self.server.send_unsolicited(bytes);
    }

    /// The calls since the start, or since the last [`StandIn::clear_calls`] or
    /// [`StandIn::set_world`], in the order they were received.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.service.with_state(|state| state.calls.clone())
    }

    /// The time from the complete request to the response for each call, in the order of the
    /// responses. It does not include network and TLS.
    #[must_use]
    pub fn handling_times(&self) -> Vec<Duration> {
        self.service.with_state(|state| state.handling_times.clone())
    }

    /// Forgets all calls.
    pub fn clear_calls(&self) {
        self.service.with_state(|state| {
            state.calls.clear();
            state.handling_times.clear();
        });
    }

    /// The current state of the Region.
    #[must_use]
    pub fn world(&self) -> World {
        self.service.with_state(|state| {
            state.world.apply_due_transitions();
            state.world.clone()
        })
    }

    /// Changes the state of the Region. Calls and faults stay.
    ///
    /// # Panics
    ///
    /// If the changed world has an invalid value.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        self.service.with_state(|state| {
            state.world.apply_due_transitions();
            change(&mut state.world);
            if let Err(message) = state.world.validate() {
                panic!("{message}");
            }
        });
    }

    /// Replaces the state of the Region, and removes all faults and calls.
    ///
    /// # Panics
    ///
    /// If the world has an invalid value.
    pub fn set_world(&self, world: World) {
        if let Err(message) = world.validate() {
            panic!("{message}");
        }
        self.service.with_state(|state| *state = State::new(world));
    }
}

fn log(call: &Call, action: &ConnectionAction) {
    let params: Vec<String> = call.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let outcome = match action {
        ConnectionAction::Respond(response) => match error_code(&response.body) {
            Some(code) => format!("{} {code}", response.status),
            None => response.status.to_string(),
        },
        ConnectionAction::RespondHalf(_) => "half a response".to_owned(),
        ConnectionAction::Interrupt { at, by, .. } => format!("response interrupted at {at:?} by {by:?}"),
        ConnectionAction::Close => "connection closed".to_owned(),
        ConnectionAction::Reset => "connection reset".to_owned(),
        ConnectionAction::Hang => "no response".to_owned(),
    };
    eprintln!("{} {} -> {outcome}", call.action, params.join(" "));
}

/// The error code in a response body, if there is one.
fn error_code(body: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}
