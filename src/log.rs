//! The log: one JSON object a line.

use std::panic;

use tracing::{Level, error};
use tracing_subscriber::{filter::Targets, fmt, prelude::*};

use crate::{
    error::{FUNCTION_PANICKED, unbroken},
    settings::Log,
};

/// Starts the log on standard output, panics included.
pub fn init(log: Log) {
    // Of libraries only warnings are heard, whatever the level: the SDK and its HTTP client write
    // headers and signing material into their traces.
    let filter = Targets::new()
        .with_default(log.level.min(Level::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), log.level)
        // Repeats each error of the handler, which the handler has logged with its fields.
        .with_target("lambda_runtime::layers::panic", tracing::metadata::LevelFilter::OFF);
    let lines = fmt::layer().with_target(false).with_ansi(false);
    let lines = if log.json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    panic::set_hook(Box::new(|panic| error!(error_type = FUNCTION_PANICKED, "{}", unbroken(&panic.to_string()))));
}
