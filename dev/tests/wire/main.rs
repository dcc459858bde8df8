//! The stand-ins as bytes on the wire, with a client that hides nothing.

mod client;
mod control;
mod ec2;
mod faults;
mod http;
mod network;
mod program;
mod runtime_api;
mod tls;
