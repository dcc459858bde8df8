//! The function's public contract, row by row.

mod errors;
mod flow;
mod logging;
mod proxy;
mod request;
mod response;
mod sample_events;
mod settings;
mod time;
mod tls;
