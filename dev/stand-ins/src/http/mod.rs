//! An HTTP/1.1 server with faults.
//!
//! The faults cut a response at any byte, send invalid framing and bytes that are not HTTP, and
//! close or reset the socket at a chosen moment. A server library such as hyper writes only valid
//! responses and does not give access to the socket, so the server is written here, on top of
//! `httparse`.
//!
//! * `server`: the listener, on its own thread.
//! * `network`: faults before the first HTTP byte.
//! * `tls`: certificates.
//! * `connection`: the requests of one connection, and faults in responses.
//! * `reader`: parses requests.
//! * `message`: the types for requests and responses.

mod connection;
mod message;
mod network;
mod reader;
mod server;
mod tls;

pub use connection::{ConnectionAction, Interruption, Point};
pub use message::{Request, Response};
pub use network::Network;
pub use server::{Handler, Server};
pub use tls::Certificates;
