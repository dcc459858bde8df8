//! What the tests of the binary share: the function as a child process, requests, and assertions.

mod assertions;
mod function;
mod requests;

pub use assertions::*;
pub use function::*;
pub use requests::*;
