//! The function's public contract, row by row.

mod describe_only;
mod errors;
mod flow;
mod logging;
mod proxy;
mod request;
mod response;
mod sample_events;
mod settings;
mod strict_responses;
mod time;
mod tls;
