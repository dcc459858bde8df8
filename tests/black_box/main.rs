//! The function's contract, row by row: the real binary over real sockets.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod errors;
mod flow;
mod logging;
mod proxy;
mod request;
mod response;
mod samples;
mod settings;
mod support;
mod time;
mod tls;
