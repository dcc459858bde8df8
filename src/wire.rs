//! What went over the wire in one operation: which attempts left, what came back.
//!
//! The SDK says what became of the *last* attempt. That is not enough for a call that destroys: when
//! a first attempt lost its answer and a second was refused a connection, the call may have been
//! carried out. A witness looks at every attempt and tells one from the other.

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

use crate::{
    answer::{Answer, Flaw, LARGEST},
    secrets::Secrets,
};

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What ended it.
    pub cause: Cause,
    /// Whether one of its attempts may have been carried out all the same.
    pub outcome_unknown: bool,
}

impl Failure {
    /// The answer that it came of, if there was one.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match &self.cause {
            Cause::Refused { answer, .. } | Cause::BadResponse { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

/// What ended an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// EC2 answered with an error code.
    Refused {
        /// The code, fit for an `errorType`.
        code: String,
        /// The whole answer.
        answer: Answer,
    },
    /// An answer came that means nothing.
    BadResponse {
        /// What is wrong with it.
        why: String,
        /// The whole answer.
        answer: Answer,
    },
    /// The time ran out.
    Timeout,
    /// No connection, or one that broke before the answer.
    Unreachable {
        /// What the network said.
        why: String,
    },
    /// Nothing to sign with.
    NoCredentials,
}

impl Cause {
    /// An answer that is an error, or that should have been none: `why` says what is missing.
    #[must_use]
    pub fn from_answer(answer: Answer, why: &str) -> Self {
        match &answer.code {
            Some(code) if is_error_type(code) => Self::Refused { code: code.clone(), answer },
            Some(code) => Self::BadResponse { why: format!("its error code cannot be passed on: {code:?}"), answer },
            None => Self::BadResponse { why: why.into(), answer },
        }
    }
}

/// Whether a code can be an `errorType`: one word that `Retry` and `Catch` can name. Step Functions
/// reserves names that start with `States.` and takes at most 256 characters.
fn is_error_type(code: &str) -> bool {
    let reserved = code.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("States."));
    code.len() <= 256 && code.bytes().all(|b| b.is_ascii_graphic()) && !reserved
}

/// An interceptor that sees each attempt of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    secrets: Secrets,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// An attempt has left and neither an answer nor an error came back.
    in_flight: bool,
    /// An attempt may have been carried out, though its answer does not say so.
    outcome_unknown: bool,
    /// The answer to the last attempt, if it had one.
    answer: Option<Answer>,
    /// What the network said to the last attempt, if that was all.
    network: Option<String>,
    /// The head of a success whose body has not come, at any attempt.
    half_success: Option<Answer>,
}

impl Witness {
    pub(crate) fn new(secrets: Secrets) -> Self {
        Self { secrets, seen: Arc::default() }
    }

    /// Waits for the operation until `deadline`, and returns its output with the answer it was read from.
    pub(crate) async fn attend<O, E: StdError + 'static>(
        self,
        deadline: Instant,
        operation: impl Future<Output = Result<O, SdkError<E>>>,
    ) -> Result<(O, Answer), Failure> {
        // The SDK panics on a credential that cannot stand in a header.
        if !self.secrets.can_be_sent() {
            return Err(Failure { cause: Cause::NoCredentials, outcome_unknown: false });
        }
        let result = timeout_at(deadline, operation).await;
        let mut seen = self.lock();
        // The time can also run out while the SDK waits to repeat a call: then what ended the last
        // attempt ended the operation.
        let cause = match (result, seen.answer.take(), seen.network.take()) {
            (Ok(Ok(output)), Some(answer), _) if answer.flaw.is_none() => return Ok((output, answer)),
            (_, Some(answer), _) => {
                let why = answer.flaw.map_or("it has no error code", Flaw::as_str);
                Cause::from_answer(answer, why)
            }
            (_, _, Some(why)) => Cause::Unreachable { why },
            (Ok(Err(SdkError::TimeoutError(_))) | Err(_), ..) => Cause::Timeout,
            (Ok(Err(error)), ..) if find::<CredentialsError>(&error).is_some() => Cause::NoCredentials,
            (Ok(Err(error)), ..) => Cause::Unreachable { why: root_cause(&error) },
            (Ok(Ok(_)), ..) => Cause::Unreachable { why: "the answer was not seen".into() },
        };
        let outcome_unknown = seen.outcome_unknown || seen.in_flight || cause == Cause::Timeout;
        Err(Failure { cause, outcome_unknown })
    }

    /// The head of a success that broke off, at whatever attempt.
    pub(crate) fn half_success(&self) -> Option<Answer> {
        self.lock().half_success.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Witness {
    fn name(&self) -> &'static str {
        "Witness"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut seen = self.lock();
        seen.in_flight = true;
        seen.answer = None;
        seen.network = None;
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        answer: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = answer.response_mut();
        if response.status().is_success() {
            let head = Answer::read(response.status().as_u16(), response.request_id(), None, &self.secrets);
            self.lock().half_success = Some(head);
        }
        let body = response.body_mut();
        *body = SdkBody::from_body_1_x(Limited::new(std::mem::replace(body, SdkBody::taken()), LARGEST));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        attempt: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut seen = self.lock();
        let error = attempt.output_or_error().and_then(Result::err);
        let body = attempt.response().and_then(|response| match response.body().bytes() {
            None if error.and_then(|error| find::<LengthLimitError>(error)).is_some() => Some((response, None)),
            None => None,
            whole => Some((response, whole)),
        });
        if let Some((response, body)) = body {
            let answer = Answer::read(response.status().as_u16(), response.request_id(), body, &self.secrets);
            seen.outcome_unknown |= !answer.rules_out_that_it_was_carried_out();
            // A whole answer with this status speaks for the broken ones before it. One that is too long is broken too.
            if body.is_some() && response.status().is_success() {
                seen.half_success = None;
            }
            seen.answer = Some(answer);
        } else if seen.in_flight {
            let error = error.and_then(|error| error.as_connector_error());
            seen.outcome_unknown |= error.is_none_or(|error| !never_connected(error));
            seen.network = error.map(|error| root_cause(error));
        }
        seen.in_flight = false;
        Ok(())
    }
}

/// Whether an attempt failed before there was a connection to send anything over.
fn never_connected(error: &(dyn StdError + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(hyper_util::client::legacy::Error::is_connect)
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

pub(crate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The innermost error is the one that a person can act on: "Connection refused (os error 111)".
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
