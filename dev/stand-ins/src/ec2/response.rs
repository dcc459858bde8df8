//! Writes HTTP responses in the format of the EC2 Query protocol.

use super::action::Action;
use super::error::ApiError;
use super::xml;
use crate::http::Response;
use crate::unique;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";
const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";

/// Writes the responses to one call, all with the same request ID.
pub struct ResponseWriter {
    request_id: String,
    request_id_header: bool,
}

impl ResponseWriter {
    pub fn new(request_id_header: bool) -> Self {
        Self { request_id: unique::uuid(), request_id_header }
    }

    /// A success. `content` follows the request ID.
    pub fn success(&self, action: Action, content: &str) -> Response {
        let name = action.name();
        let request_id = xml::text("requestId", &self.request_id);
        self.xml(200, &format!("<{name}Response xmlns=\"{NAMESPACE}\">{request_id}{content}</{name}Response>"))
    }

    pub fn failure(&self, error: &ApiError) -> Response {
        let code = xml::text("Code", &error.code);
        self.error(error.status, &code, &error.message)
    }

    /// An error without a `Code`.
    pub fn failure_without_code(&self, status: u16) -> Response {
        self.error(status, "", "Something went wrong.")
    }

    pub fn outcome(&self, action: Action, outcome: &Result<String, ApiError>) -> Response {
        match outcome {
            Ok(content) => self.success(action, content),
            Err(error) => self.failure(error),
        }
    }

    /// A response in another format, such as that of a load balancer in front of EC2.
    pub fn plain(&self, status: u16, content_type: &str, body: &str) -> Response {
        self.with_request_id(Response::new(status, content_type, body))
    }

    fn error(&self, status: u16, code: &str, message: &str) -> Response {
        let error = xml::element("Error", &[code, &xml::text("Message", message)].concat());
        let errors = xml::element("Errors", &error);
        let request_id = xml::text("RequestID", &self.request_id);
        self.xml(status, &xml::element("Response", &[errors, request_id].concat()))
    }

    fn xml(&self, status: u16, body: &str) -> Response {
        let response = Response::new(status, CONTENT_TYPE, [DECLARATION, body].concat());
        self.with_request_id(response.with_header("server", "AmazonEC2"))
    }

    fn with_request_id(&self, response: Response) -> Response {
        if self.request_id_header { response.with_header("x-amzn-requestid", &self.request_id) } else { response }
    }
}
