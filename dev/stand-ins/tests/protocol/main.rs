//! Tests of both stand-ins at the level of HTTP, TLS and TCP.

mod client;
mod control;
mod ec2;
mod faults;
mod http;
mod network;
mod program;
mod runtime_api;
mod tls;
