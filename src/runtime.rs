//! Connects the handler to the Lambda runtime: raw text in, JSON or an [`Error`] out.

use std::{future::Future, io, net::ToSocketAddrs, time::Duration};

use lambda_runtime::{Context, LambdaEvent, LambdaInvocation, Runtime, service_fn, tower::util::MapRequestLayer};
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Builder;
use tracing::{Instrument, error_span};

use crate::error::Error;

/// The async executor, with one thread for the function and one that resolves host names.
///
/// The second thread is started here, during initialization, when Lambda provides a whole processor. During an invocation,
/// a small function has only a share of one.
///
/// # Errors
///
/// If the operating system provides no event queue.
pub fn executor() -> io::Result<tokio::runtime::Runtime> {
    // Longer than Lambda keeps a process, so that the thread is started only once.
    let executor = Builder::new_current_thread().enable_all().thread_keep_alive(Duration::from_hours(24)).build()?;
    drop(executor.spawn_blocking(|| ("localhost", 0).to_socket_addrs().map(drop)));
    Ok(executor)
}

/// Serves invocations one after the other until the process ends.
///
/// # Errors
///
/// Errors of the connection to the Runtime API.
///
/// # Panics
///
/// If one of Lambda's variables is missing, such as `AWS_LAMBDA_RUNTIME_API`, or if the Runtime API responds without the
/// headers of an invocation.
pub async fn serve<H, F, R>(handle: H) -> Result<(), lambda_runtime::Error>
where
    H: Fn(String, Context) -> F + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
    R: Serialize + Send + 'static,
{
    let service = service_fn(move |event: LambdaEvent<String>| {
        // At level ERROR, so that the span with the request ID exists at every log level.
        let span = error_span!("invocation", requestId = event.context.request_id);
        let invocation = handle(event.payload, event.context);
        // In a separate task, a panic becomes an error. The runtime would name it after a Rust type.
        let task = tokio::spawn(invocation.instrument(span));
        async move { task.await.unwrap_or_else(|panic| Err(Error::Panicked { reason: panic.to_string() })) }
    });
    Runtime::new(service).layer(MapRequestLayer::new(to_json_string)).run().await
}

/// Replaces the event by a JSON string that contains it. Otherwise the runtime ignores what follows the first JSON value,
/// keeps the last of two members with the same name, and names the error for invalid JSON after a Rust type.
fn to_json_string(mut invocation: LambdaInvocation) -> LambdaInvocation {
    invocation.body = Value::from(String::from_utf8_lossy(&invocation.body)).to_string().into();
    invocation
}
