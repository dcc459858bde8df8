//! EC2 as far as BYOASN goes.
//!
//! The stand-in speaks the EC2 Query protocol and keeps state: what is deprovisioned is pending
//! first and then gone through its end, and what is refused stays as it was. What a real EC2 does
//! only on a bad day is a [`Fault`], queued for an action and used up by one call to it.

mod action;
mod answer;
mod control;
mod credential;
mod error;
mod fault;
mod lifecycle;
mod operations;
mod paging;
mod permission;
mod query;
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
pub use fault::{Break, Fault, Point};
pub use service::Call;
pub use world::{After, Asn, Association, Cidr, Codes, World};

pub use crate::http::Network;
use crate::http::{Identity, Reply, Server};
use service::{Service, State};
use temporary_file::TemporaryFile;

/// How to start a stand-in, where the defaults do not fit.
#[derive(Default)]
pub struct Options {
    pub world: World,
    /// 0 for a free one.
    pub port: u16,
    /// Serve HTTPS, and write the CA's certificate to this file.
    pub ca_bundle: Option<PathBuf>,
    /// What connections meet from the start.
    pub network: Network,
    /// Write a line for every call to the standard error stream.
    pub log: bool,
}

/// A running stand-in. It stops when it is dropped.
pub struct StandIn {
    service: Arc<Service>,
    endpoint: String,
    ca_bundle: Option<PathBuf>,
    /// Held for its end.
    temporary_file: Option<TemporaryFile>,
    server: Server,
}

impl StandIn {
    /// Starts one over HTTP.
    ///
    /// # Panics
    ///
    /// When it cannot listen, or when the world's values make no sense.
    #[must_use]
    pub fn start(world: World) -> Self {
        Self::start_with(Options { world, ..Options::default() })
            .unwrap_or_else(|error| panic!("the EC2 stand-in does not start: {error}"))
    }

    /// Starts one over HTTPS, with a certificate of its own for `localhost` and `127.0.0.1`.
    ///
    /// # Panics
    ///
    /// As [`StandIn::start`], and when it cannot write [`StandIn::ca_bundle`].
    #[must_use]
    pub fn start_tls(world: World) -> Self {
        let file = TemporaryFile::new("ec2-stand-in", "pem");
        let mut stand_in =
            Self::start_with(Options { world, ca_bundle: Some(file.path.clone()), ..Options::default() })
                .unwrap_or_else(|error| panic!("the EC2 stand-in does not start: {error}"));
        stand_in.temporary_file = Some(file);
        stand_in
    }

    /// Starts one as the options say.
    ///
    /// # Errors
    ///
    /// When it cannot listen or cannot write the CA's certificate, and when the world's values
    /// make no sense.
    pub fn start_with(options: Options) -> Result<Self, Box<dyn Error>> {
        options.world.check()?;
        let identity = match &options.ca_bundle {
            None => None,
            Some(path) => {
                let identity = Identity::generate()?;
                fs::write(path, &identity.ca_pem)
                    .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
                Some(identity)
            }
        };
        let service = Arc::new(Service::new(options.world, options.log.then_some(log as _)));
        let server = Server::start(options.port, identity, Arc::clone(&service))?;
        if options.network != Network::Fine {
            server.network(options.network);
        }
        let port = server.address().port();
        let endpoint = if options.ca_bundle.is_some() {
            format!("https://localhost:{port}")
        } else {
            format!("http://127.0.0.1:{port}")
        };
        Ok(Self { service, endpoint, ca_bundle: options.ca_bundle, temporary_file: None, server })
    }

    /// For `AWS_ENDPOINT_URL_EC2`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The CA's certificate in PEM, for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
    ///
    /// # Panics
    ///
    /// Over HTTP, where there is none.
    #[must_use]
    pub fn ca_bundle(&self) -> &Path {
        self.ca_bundle.as_deref().expect("only a stand-in over HTTPS has a CA: use start_tls")
    }

    /// Queues a fault for the next call to this action that has none yet.
    ///
    /// # Panics
    ///
    /// When the fault's values make no sense.
    pub fn fault(&self, action: Action, fault: Fault) {
        if let Err(message) = fault.check() {
            panic!("{message}: {fault:?}");
        }
        self.service.with(|state| {
            state.faults.entry(action).or_default().push_back(fault);
        });
    }

    /// Forgets the faults that wait.
    pub fn clear_faults(&self) {
        self.service.with(|state| state.faults.clear());
    }

    /// What connections meet from now on. Those that exist stay as they are.
    pub fn network(&self, network: Network) {
        self.server.network(network);
    }

    /// Ends every connection without an answer, as an idle timeout does: in order, or with a reset.
    pub fn end_connections(&self, reset: bool) {
        self.server.end_connections(reset);
    }

    /// Every call since the start, the last [`StandIn::clear_calls`] or the last
    /// [`StandIn::set_world`], in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.service.with(|state| state.calls.clone())
    }

    /// EC2's own part of each call's time, in the order of the replies: from the whole request to the reply,
    /// without the socket and TLS.
    #[must_use]
    pub fn held(&self) -> Vec<Duration> {
        self.service.with(|state| state.held.clone())
    }

    pub fn clear_calls(&self) {
        self.service.with(|state| {
            state.calls.clear();
            state.held.clear();
        });
    }

    /// The Region as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        self.service.with(|state| {
            state.world.settle();
            state.world.clone()
        })
    }

    /// Changes the Region as others do: calls and faults stay.
    ///
    /// # Panics
    ///
    /// When the world's values make no sense afterwards.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        self.service.with(|state| {
            state.world.settle();
            change(&mut state.world);
            if let Err(message) = state.world.check() {
                panic!("{message}");
            }
        });
    }

    /// Starts all over: another world, no faults, no calls.
    ///
    /// # Panics
    ///
    /// When the world's values make no sense.
    pub fn set_world(&self, world: World) {
        if let Err(message) = world.check() {
            panic!("{message}");
        }
        self.service.with(|state| *state = State::new(world));
    }
}

fn log(call: &Call, reply: &Reply) {
    let params: Vec<String> = call.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let outcome = match reply {
        Reply::Answer(response) => match code(&response.body) {
            Some(code) => format!("{} {code}", response.status),
            None => response.status.to_string(),
        },
        Reply::Half(_) => "half an answer".to_owned(),
        Reply::Broken { at, by, .. } => format!("{by:?} at {at:?} of the answer"),
        Reply::Close => "closed".to_owned(),
        Reply::Reset => "reset".to_owned(),
        Reply::Hang => "no answer".to_owned(),
    };
    eprintln!("{} {} -> {outcome}", call.action, params.join(" "));
}

/// The error code in a body, however the body came about.
fn code(body: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}
