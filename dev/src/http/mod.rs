//! HTTP/1.1 as far as the clients of the stand-ins speak it.
//!
//! Written by hand, because a server library keeps what the faults need: the connection itself,
//! to cut it, reset it, or leave it without an answer.

mod connection;
mod message;
mod network;
mod reader;
mod server;
mod tls;

pub use connection::{Break, Point, Reply};
pub use message::{Request, Response};
pub use network::Network;
pub use server::{Handler, Server};
pub use tls::Identity;
