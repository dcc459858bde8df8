//! The log: one JSON object a line on standard output.

use std::panic;

use tracing::{Level, error, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, prelude::*};

use crate::{
    error::FUNCTION_PANICKED,
    redaction::Redactor,
    settings::{InvalidSetting, LogSettings},
    text::to_single_line,
};

/// The error that Lambda reports if the process ends.
const RUNTIME_EXIT_ERROR: &str = "Runtime.ExitError";

/// Starts the log. It includes panics.
pub fn init(log: LogSettings) {
    // Libraries log warnings and errors only, at every level: the traces of the SDK and its HTTP client contain headers
    // and signing material.
    let filter = Targets::new()
        .with_default(log.level.min(Level::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), log.level)
        // Logs each error of the handler a second time, without its fields.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let lines = fmt::layer().with_target(false).with_ansi(false);
    let lines = if log.json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    panic::set_hook(Box::new(|panic| {
        // Each invocation runs in a separate task. A panic outside of all tasks ends the process.
        let error_type = if tokio::task::try_id().is_some() { FUNCTION_PANICKED } else { RUNTIME_EXIT_ERROR };
        error!(error_type, "{}", to_single_line(&panic.to_string()));
    }));
}

/// Logs why the function does not start. The value is redacted: it may be a credential in the wrong variable.
pub fn invalid_setting(setting: &InvalidSetting, redactor: &Redactor) {
    let InvalidSetting { variable, value, allowed, .. } = setting;
    let value = value.as_ref().map(|value| redactor.redact(value));
    error!(variable, value, allowed, "{}", redactor.redact(&setting.to_string()));
}
