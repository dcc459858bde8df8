//! Tracks every HTTP attempt of one SDK operation.
//!
//! The SDK reports only the result of the last attempt. That is not enough for a destructive call: if the response to the
//! first attempt was lost and the second attempt could not connect, EC2 may have executed the first. [`AttemptTracker`]
//! is an SDK interceptor that observes each attempt. The SDK calls its hooks in this order:
//!
//! 1. `read_before_transmit`: the request is signed and about to be sent. From here on it may reach EC2.
//! 2. `modify_before_deserialization`: status and headers have arrived, the body has not. Skipped if the connection fails
//!    or the attempt times out first. The tracker limits the size of the body and records a 2xx.
//! 3. `read_after_attempt`: the attempt has ended, with a complete response, a broken connection or the attempt's timeout.
//!    It is called in each of these cases. The tracker reads the response. The SDK then starts the next attempt or returns.
//!
//! At the deadline of the invocation, the SDK's future is dropped and no further hook is called. An attempt that was
//! running then remains marked as in flight.
//!
//! The SDK keeps a clone of the tracker, so the clones share their log behind a mutex. All tasks run on one thread and the
//! lock is never held across an await, so it is never contended.

use std::{
    error::Error as StdError,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
            FinalizerInterceptorContextRef,
        },
    },
    error::{BoxError, SdkError},
    operation::RequestId,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::{
    response::{Content, Ec2Response, ResponseMetadata},
    xml::{BodyError, Element},
};
use crate::redaction::Redactor;

/// The maximum size of a body. A page of 100 CIDRs has some 30 KB; a body without an end would fill the memory.
const MAX_BODY_BYTES: usize = 1 << 20;

/// A call to EC2 that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// Why it failed.
    pub kind: CallErrorKind,
    /// Whether EC2 may have executed the request in one of the attempts, despite the error.
    pub outcome_unknown: bool,
}

/// Why a call to EC2 failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallErrorKind {
    /// EC2 responded with an error code.
    Refused {
        /// The code, valid as an `errorType`.
        code: String,
        /// EC2's message.
        message: Option<String>,
        /// Status and request ID.
        metadata: ResponseMetadata,
    },
    /// The response is neither a success nor an EC2 error.
    BadResponse {
        /// What is wrong with it.
        error: BodyError,
        /// Status and request ID.
        metadata: ResponseMetadata,
    },
    /// EC2 did not respond in time.
    Timeout,
    /// There was no connection, it broke before the response was complete, or what arrived was not HTTP.
    Unreachable {
        /// What the network reported.
        reason: String,
    },
    /// There are no credentials, or they cannot be sent in a header.
    NoCredentials,
}

/// An interceptor that tracks the attempts of one operation.
#[derive(Clone, Debug)]
pub(crate) struct AttemptTracker {
    action: &'static str,
    redactor: Redactor,
    log: Arc<Mutex<AttemptLog>>,
}

#[derive(Debug, Default)]
struct AttemptLog {
    /// The current attempt was sent and has not ended.
    in_flight: bool,
    /// EC2 may have executed one of the attempts so far although its response does not confirm it.
    outcome_unknown: bool,
    /// The result of the last attempt: a whole response or a connection error. `None` if the attempt timed out or if the
    /// body broke off.
    result: Option<Result<(Element, ResponseMetadata), CallErrorKind>>,
    /// The latest 2xx response of any attempt, whether or not its body arrived.
    success: Option<ResponseMetadata>,
}

impl AttemptTracker {
    /// A tracker for one operation of `action`.
    pub(crate) fn new(action: &'static str, redactor: Redactor) -> Self {
        Self { action, redactor, log: Arc::default() }
    }

    /// Runs the operation until `deadline` and returns the root element of the success.
    ///
    /// The SDK's own output is ignored: [`Ec2Response`] decides what a response says.
    pub(crate) async fn run<O, E: StdError + 'static>(
        &self,
        deadline: Instant,
        operation: impl Future<Output = Result<O, SdkError<E>>>,
    ) -> Result<(Element, ResponseMetadata), CallError> {
        // The SDK panics on a credential that is not valid in a header.
        if !self.redactor.credentials_fit_in_headers() {
            return Err(CallError { kind: CallErrorKind::NoCredentials, outcome_unknown: false });
        }
        let result = timeout_at(deadline, operation).await;
        let mut log = self.lock();
        // The deadline can pass while the SDK waits before a retry. Then the last attempt determines the result.
        let kind = match (log.result.take(), result) {
            (Some(Ok(success)), _) => return Ok(success),
            (Some(Err(kind)), _) => kind,
            (None, Ok(Err(SdkError::TimeoutError(_))) | Err(_)) => CallErrorKind::Timeout,
            (None, Ok(Err(error))) if find_source::<CredentialsError>(&error).is_some() => CallErrorKind::NoCredentials,
            (None, Ok(Err(error))) => CallErrorKind::Unreachable { reason: self.redactor.redact(&root_cause(&error)) },
            (None, Ok(Ok(_))) => CallErrorKind::Unreachable { reason: "the SDK reported no response".into() },
        };
        let outcome_unknown = log.outcome_unknown || log.in_flight || kind == CallErrorKind::Timeout;
        Err(CallError { kind, outcome_unknown })
    }

    /// The latest 2xx response of any attempt, complete or not.
    pub(crate) fn success(&self) -> Option<ResponseMetadata> {
        self.lock().success.clone()
    }

    fn lock(&self) -> MutexGuard<'_, AttemptLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for AttemptTracker {
    fn name(&self) -> &'static str {
        "AttemptTracker"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut log = self.lock();
        log.in_flight = true;
        log.result = None;
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        attempt: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = attempt.response_mut();
        let metadata = ResponseMetadata::new(response.status().as_u16(), response.request_id(), &self.redactor);
        if metadata.is_2xx() {
            self.lock().success = Some(metadata);
        }
        let body = std::mem::replace(response.body_mut(), SdkBody::taken());
        *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, MAX_BODY_BYTES));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        attempt: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let error = attempt.output_or_error().and_then(Result::err);
        let response = attempt.response().and_then(|response| {
            let body = match response.body().bytes() {
                Some(body) => Ok(body),
                None if error.and_then(|error| find_source::<LengthLimitError>(error)).is_some() => {
                    Err(BodyError::TooLong)
                }
                None => return None,
            };
            let status = response.status().as_u16();
            Some(Ec2Response::read(self.action, status, response.request_id(), body, &self.redactor))
        });
        let mut log = self.lock();
        if let Some(response) = response {
            log.outcome_unknown |= response.may_have_been_executed();
            let Ec2Response { metadata, content } = response;
            if metadata.is_2xx() {
                log.success = Some(metadata.clone());
            }
            log.result = Some(match content {
                Content::Success(root) => Ok((root, metadata)),
                Content::Error { code, message } => Err(CallErrorKind::Refused { code, message, metadata }),
                Content::Unreadable(error) => Err(CallErrorKind::BadResponse { error, metadata }),
            });
        } else if log.in_flight {
            let error = error.and_then(|error| error.as_connector_error());
            log.outcome_unknown |= error.is_none_or(|error| !never_connected(error));
            log.result = error.map(|error| {
                let reason = self.redactor.redact(&root_cause(error));
                Err(CallErrorKind::Unreachable { reason })
            });
        }
        log.in_flight = false;
        Ok(())
    }
}

/// Whether an attempt failed before there was a connection to send the request over.
fn never_connected(error: &(dyn StdError + 'static)) -> bool {
    find_source::<hyper_util::client::legacy::Error>(error).is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// The error and its sources, the outermost first.
fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The first error of type `T` among an error and its sources.
pub(super) fn find_source<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    sources(error).find_map(|error| error.downcast_ref())
}

/// The innermost error, which names what to act on: "Connection refused (os error 111)".
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    sources(error).last().map(ToString::to_string).unwrap_or_default()
}
