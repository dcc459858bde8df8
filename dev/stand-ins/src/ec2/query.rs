//! Parses and validates requests of the EC2 Query protocol.

use std::collections::BTreeMap;

use super::action::Action;
use super::credential::Credential;
use super::error::ApiError;
use crate::http::Request;

const VERSION: &str = "2016-11-15";

/// A parsed request, not validated yet.
pub struct Query {
    pub action: Option<String>,
    version: Option<String>,
    /// The parameters without `Action` and `Version`.
    pub params: BTreeMap<String, String>,
    repeated_param: Option<String>,
    pub authorization: Option<String>,
    pub session_token: Option<String>,
}

impl Query {
    pub fn new(request: &Request) -> Self {
        let mut params = BTreeMap::new();
        let mut repeated_param = None;
        let in_url = form_urlencoded::parse(request.query.as_bytes());
        let in_body = form_urlencoded::parse(&request.body);
        for (name, value) in in_url.chain(in_body) {
            if params.insert(name.to_string(), value.into_owned()).is_some() {
                repeated_param = Some(name.into_owned());
            }
        }
        Self {
            action: params.remove("Action"),
            version: params.remove("Version"),
            params,
            repeated_param,
            authorization: request.header("authorization").map(str::to_owned),
            session_token: request.header("x-amz-security-token").map(str::to_owned),
        }
    }

    pub fn credential(&self) -> Result<Credential<'_>, ApiError> {
        // EC2 itself names the parameter of Signature Version 2 if a request is not signed.
        let header = self.authorization.as_deref().ok_or_else(|| ApiError::missing_parameter("AWSAccessKeyId"))?;
        Credential::parse(header)
    }

    pub fn known_action(&self) -> Option<Action> {
        self.action.as_deref().and_then(Action::from_name)
    }

    /// Checks the API version and the parameters' names, and returns the action.
    pub fn validate(&self) -> Result<Action, ApiError> {
        if let Some(name) = &self.repeated_param {
            return Err(ApiError::client(
                "MalformedQueryString",
                format!("The parameter {name} is given more than once"),
            ));
        }
        let Some(name) = &self.action else {
            return Err(ApiError::client("MissingAction", "The request must contain the parameter Action"));
        };
        match self.version.as_deref() {
            None => return Err(ApiError::missing_parameter("Version")),
            Some(VERSION) => {}
            Some(other) => {
                return Err(ApiError::client(
                    "NoSuchVersion",
                    format!("The requested version ({other}) of service AmazonEC2 does not exist"),
                ));
            }
        }
        let Some(action) = self.known_action() else {
            return Err(ApiError::client(
                "InvalidAction",
                format!("The action {name} is not valid for this web service."),
            ));
        };
        let known = [action.required(), action.optional()].concat();
        if let Some(name) = self.params.keys().find(|name| !known.contains(&&***name)) {
            return Err(ApiError::unknown_parameter(name));
        }
        for name in action.required() {
            self.required(name)?;
        }
        Ok(action)
    }

    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.optional(name).ok_or_else(|| ApiError::missing_parameter(name))
    }

    /// The parameter's value, or `None` if it is missing or empty.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn dry_run(&self) -> Result<bool, ApiError> {
        match self.optional("DryRun") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(ApiError::invalid_value("DryRun", other, "It must be true or false.")),
        }
    }
}
