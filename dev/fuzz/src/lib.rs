//! Properties that hold for every input. A check panics if one is violated.
//!
//! libFuzzer generates inputs for the checks (`fuzz_targets/`). `tests/seeds.rs` runs them on the files in `seeds/`.

pub mod event;
mod message;
pub mod response;
