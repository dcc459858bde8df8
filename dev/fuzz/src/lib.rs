//! What holds for every input, however hostile. A check panics where it does not hold: libFuzzer
//! (`targets/`) looks for such an input, `tests/corpus.rs` tries those that were found worth keeping.

pub mod answer;
pub mod event;
mod message;
