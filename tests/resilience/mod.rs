//! Hostile events and responses, network faults, crashes and long runs.

mod events;
mod fault_matrix;
mod freeze;
mod memory;
mod model;
mod parallel;
mod responses;
mod runtime_api;
mod soak;
