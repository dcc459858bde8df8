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
#[allow(dead_code, reason = "the tests of a hostile world use the rest")]
mod support;
mod time;
mod tls;
