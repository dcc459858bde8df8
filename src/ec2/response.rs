//! One HTTP response of EC2: what it says, and whether the request may have been executed.

use std::fmt;

use super::xml::{BodyError, Element};
use crate::{redaction::Redactor, text::truncate};

/// The error code with which EC2 reports that a dry run has passed.
pub(crate) const DRY_RUN_OPERATION: &str = "DryRunOperation";

/// The codes after which EC2 may have executed the request, whatever the HTTP status.
const INTERNAL_ERRORS: [&str; 5] =
    ["InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "RequestTimeout"];

/// Step Functions accepts error names of up to 256 characters.
const MAX_ERROR_TYPE_BYTES: usize = 256;

/// The maximum length of a request ID. EC2's have 36 characters.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The status and the request ID of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseMetadata {
    /// The HTTP status code.
    pub status: u16,
    /// The request ID, from a header or else from the body: EC2 uses either.
    pub request_id: Option<String>,
}

impl fmt::Display for ResponseMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, ", request ID {id}"))
    }
}

impl ResponseMetadata {
    pub(super) fn new(status: u16, request_id: Option<&str>, redactor: &Redactor) -> Self {
        let request_id = request_id.map(|id| truncate(&redactor.redact(id), MAX_REQUEST_ID_BYTES).to_owned());
        Self { status, request_id }
    }

    /// Whether the status is 2xx.
    pub(crate) fn is_2xx(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A response whose headers have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ec2Response {
    /// Status and request ID.
    pub metadata: ResponseMetadata,
    /// What the body says.
    pub content: Content,
}

/// What the body of a response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A 2xx with the root element of the action's response.
    Success(Element),
    /// An EC2 error document, with whatever status.
    Error {
        /// `Response/Errors/Error[1]/Code`, valid as an `errorType`.
        code: String,
        /// `Response/Errors/Error[1]/Message`.
        message: Option<String>,
    },
    /// Neither of the two.
    Unreadable(BodyError),
}

impl Ec2Response {
    /// Reads the response to `action`. The request ID of a header takes precedence over the one in the body.
    #[must_use]
    pub fn read(
        action: &str,
        status: u16,
        header_request_id: Option<&str>,
        body: Result<&[u8], BodyError>,
        redactor: &Redactor,
    ) -> Self {
        let document = body.and_then(Element::parse);
        // A success spells it `requestId`, an error `RequestID`.
        let body_request_id = || {
            let root = document.as_ref().ok()?;
            ["requestId", "RequestID"].into_iter().find_map(|name| root.text(name).ok().flatten())
        };
        let metadata = ResponseMetadata::new(status, header_request_id.or_else(body_request_id), redactor);
        let content = document.and_then(|root| read_content(action, &metadata, root, redactor));
        Self { content: content.unwrap_or_else(Content::Unreadable), metadata }
    }

    /// Whether EC2 may have executed the request although the response is not a proper success.
    pub(crate) fn may_have_been_executed(&self) -> bool {
        match &self.content {
            // The caller decides whether a success has all the elements that it needs.
            Content::Success(_) => false,
            _ if self.metadata.is_2xx() => true,
            Content::Error { code, .. } => {
                let is_server_error = self.metadata.status >= 500 && !is_throttle(code);
                is_server_error || code == DRY_RUN_OPERATION || INTERNAL_ERRORS.contains(&code.as_str())
            }
            Content::Unreadable(_) => !(400..500).contains(&self.metadata.status),
        }
    }
}

fn read_content(
    action: &str,
    metadata: &ResponseMetadata,
    root: Element,
    redactor: &Redactor,
) -> Result<Content, BodyError> {
    if root.name() == "Response" {
        let errors = root.child("Errors").ok_or(BodyError::Missing("error code"))?;
        let error = errors.child("Error").ok_or(BodyError::Missing("error code"))?;
        let code = error.text("Code")?.ok_or(BodyError::Missing("error code"))?;
        let code = redactor.redact(code);
        if !is_error_type(&code) {
            return Err(BodyError::InvalidCode(code));
        }
        let message = error.text("Message")?.map(|message| redactor.redact(message));
        return Ok(Content::Error { code, message });
    }
    let expected = if metadata.is_2xx() { format!("{action}Response") } else { "Response".to_owned() };
    if root.name() == expected {
        return Ok(Content::Success(root));
    }
    Err(BodyError::UnexpectedRoot { found: redactor.redact(root.name()), expected })
}

/// Whether `Retry` and `Catch` of Step Functions can match a code. They reserve names that start with `States.`.
fn is_error_type(code: &str) -> bool {
    let is_reserved = code.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("States."));
    code.len() <= MAX_ERROR_TYPE_BYTES && code.bytes().all(|b| b.is_ascii_graphic()) && !is_reserved
}

/// Whether EC2 throttled the request. A throttled request was not executed.
pub(crate) fn is_throttle(code: &str) -> bool {
    code.contains("Throttl") || code == "RequestLimitExceeded"
}

#[cfg(test)]
mod tests {
    use super::is_error_type;

    #[test]
    fn codes_that_catch_can_match_are_error_types() {
        for code in ["InternalError", "Invalid.A-b_c", "States", "Not.States.ALL", &"x".repeat(256)] {
            assert!(is_error_type(code), "{code}");
        }
        for code in ["States.ALL", "states.x", "States.", "two words", "é", "tab\t", &"x".repeat(257)] {
            assert!(!is_error_type(code), "{code}");
        }
    }
}
