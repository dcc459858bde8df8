//! Tests of the real binary between the stand-ins of the Lambda Runtime API and EC2, and property tests of the library.
//! They are one program because linking the EC2 SDK takes three seconds for each.

#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod contract;
mod properties;
mod resilience;
mod support;
