//! What is tried on the library itself: many inputs, or nothing that the process would show. One program, because each
//! that links the EC2 SDK takes three seconds.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod properties;
mod trust_roots;
