//! A hostile world: what goes wrong on the network, in EC2, in events and in the process itself, and
//! that no invocation ever says what is not so.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod answers;
mod events;
mod fault_matrix;
mod freeze;
mod model;
mod parallel;
mod soak;
#[path = "../black_box/support.rs"]
#[allow(dead_code, reason = "the black-box tests use the rest")]
mod support;

/// The same lines, once it is clear that there is no credential in them.
fn secret_free(log: Vec<String>) -> Vec<String> {
    for line in &log {
        for secret in [support::ACCESS_KEY_ID, support::SECRET_ACCESS_KEY, support::SESSION_TOKEN] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    log
}
