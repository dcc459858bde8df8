//! Between Lambda's runtime and a handler: raw text in, JSON or an [`Error`] out, whatever happens.

use std::future::Future;

use lambda_runtime::{Context, LambdaEvent, LambdaInvocation, Runtime, service_fn, tower::util::MapRequestLayer};
use serde_json::Value;
use tracing::{Instrument, error_span};

use crate::error::Error;

/// Serves invocations, one after the other, for as long as the process lives.
///
/// # Errors
///
/// Those of the connection to the Runtime API.
///
/// # Panics
///
/// Where Lambda's own environment variables are missing, `AWS_LAMBDA_RUNTIME_API` among them.
pub async fn serve<H, F>(handle: H) -> Result<(), lambda_runtime::Error>
where
    H: Fn(String, Context) -> F + 'static,
    F: Future<Output = Result<Value, Error>> + Send + 'static,
{
    let service = service_fn(move |event: LambdaEvent<String>| {
        // An error's span, so that it is there at every level.
        let span = error_span!("invocation", requestId = event.context.request_id);
        let invocation = handle(event.payload, event.context);
        // A task of its own: its panic comes back as an error and the process goes on. The
        // runtime would answer it under the name of a Rust type.
        let task = tokio::spawn(invocation.instrument(span));
        async move { task.await.unwrap_or_else(|panic| Err(Error::panicked(&panic.to_string()))) }
    });
    Runtime::new(service).layer(MapRequestLayer::new(as_json_string)).run().await
}

/// Hands the event over as text. Left to itself the runtime drops what follows the first JSON value,
/// keeps the last of two members with one name, and answers broken JSON under the name of a Rust type.
fn as_json_string(mut invocation: LambdaInvocation) -> LambdaInvocation {
    invocation.body = Value::from(String::from_utf8_lossy(&invocation.body)).to_string().into();
    invocation
}
