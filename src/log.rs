//! The log: one JSON object a line, and one line that says how an invocation ended.

use std::panic;

use tracing::{Level, error, info};
use tracing_subscriber::{filter::Targets, fmt, prelude::*};

use crate::{
    error::{DEPROVISION_FAILED, Error},
    event::{Mode, Request},
    handler::Response,
    settings::Log,
};

/// Starts the log on standard output, panics included.
pub fn init(log: Log) {
    // Of libraries only warnings are heard, whatever the level: the SDK and its HTTP client write
    // headers and signing material into their traces.
    let filter = Targets::new()
        .with_default(log.level.min(Level::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), log.level)
        // Repeats each error of the handler, which [`outcome`] has logged with its fields.
        .with_target("lambda_runtime::layers::panic", tracing::metadata::LevelFilter::OFF);
    let lines = fmt::layer().with_target(false).with_ansi(false);
    let lines = if log.json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    panic::set_hook(Box::new(|panic| error!("{panic}")));
}

/// Says how an invocation ended.
pub fn outcome(request: Option<&Request>, outcome: &Result<Response, Error>) {
    let ipam_id = request.map(|request| request.ipam_id.as_str());
    let asn = request.map(|request| request.asn.to_string());
    let dry_run = request.map(|request| request.mode == Mode::DryRun);
    match outcome {
        Ok(response) => {
            let state = response.state.as_deref();
            let message = if dry_run == Some(true) { "the dry run passed" } else { "EC2 has accepted" };
            info!(ipam_id, asn, dry_run, state, "{message}");
        }
        Err(error) => {
            let error_type = error.error_type.as_ref();
            let state = (error_type == DEPROVISION_FAILED).then_some("failed-deprovision");
            error!(ipam_id, asn, dry_run, state, error_type, "{}", error.message);
        }
    }
}
