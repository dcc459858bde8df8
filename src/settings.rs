//! The environment variables, read once at the start through a lookup function.
//!
//! A bad value is an error and never becomes a default: with a bad endpoint or proxy the SDK would panic, or silently
//! connect directly. A local test would then deprovision in AWS.

use std::path::PathBuf;

use aws_config::{AppName, retry::RetryMode};
use tracing::Level;
use url::Url;

const BOOLEAN: &str = "true, false";
const REGION: &str = "a Region such as us-east-1";
const ENDPOINT: &str = "a URL such as https://ec2.us-east-1.amazonaws.com";
const PROXY: &str = "an http:// URL with a host, such as http://proxy.example:3128";
const TRUST_FILE: &str = "a PEM file with at least one certificate";
const TRUST_DIR: &str = "a directory with at least one certificate in PEM files";
const ATTEMPTS: &str = "a whole number from 1 to 10";
const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// The maximum length of a label in a host name.
const MAX_LABEL_BYTES: usize = 63;

/// All settings of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `DRY_RUN_FIRST`: the default for a request without `DryRunFirst`.
    pub dry_run_first: bool,
    /// How to call EC2.
    pub client: ClientSettings,
    /// Which certificates to trust instead of those that are compiled in. Empty if no variable names any.
    pub trust_store: Vec<TrustPath>,
    /// How to log.
    pub log: LogSettings,
}

/// How to call EC2. The variables are those of all AWS SDKs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// `AWS_REGION`, or else `AWS_DEFAULT_REGION`: the home Region of the IPAM.
    pub region: String,
    /// `AWS_ENDPOINT_URL_EC2`, or else `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips: Option<bool>,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dual_stack: Option<bool>,
    /// `AWS_MAX_ATTEMPTS`: the most attempts of one call, the first included.
    pub max_attempts: u32,
    /// `AWS_RETRY_MODE`.
    pub retry_mode: RetryMode,
    /// `AWS_SDK_UA_APP_ID`: a name in the user agent, which CloudTrail shows.
    pub app_name: Option<AppName>,
    /// The proxies.
    pub proxies: ProxySettings,
}

/// Proxies, each empty if it is not set. The uppercase name takes precedence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `HTTPS_PROXY` or `https_proxy`.
    pub https: String,
    /// `HTTP_PROXY` or `http_proxy`.
    pub http: String,
    /// `ALL_PROXY` or `all_proxy`.
    pub all: String,
    /// `NO_PROXY` or `no_proxy`: the hosts that are reached directly.
    pub no_proxy: String,
}

/// A file or a directory of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPath {
    /// The variable that names it.
    pub variable: &'static str,
    /// The path.
    pub path: PathBuf,
    /// Whether the path is a directory.
    pub is_dir: bool,
}

impl TrustPath {
    /// The error if there is no usable certificate, for a reason such as an error of the file system.
    #[must_use]
    pub fn without_certificate(&self, reason: &str) -> InvalidSetting {
        let allowed = if self.is_dir { TRUST_DIR } else { TRUST_FILE };
        let value = self.path.to_string_lossy().into_owned();
        let problem = format!("is {value:?}: {reason}");
        InvalidSetting { variable: self.variable, value: Some(value), problem, allowed }
    }
}

/// How to log. Lambda sets the variables from `LoggingConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `AWS_LAMBDA_LOG_FORMAT`: JSON if true, otherwise text.
    pub json: bool,
    /// `AWS_LAMBDA_LOG_LEVEL`.
    pub level: Level,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { json: true, level: Level::INFO }
    }
}

/// A variable with a value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}; allowed: {allowed}")]
pub struct InvalidSetting {
    /// The name of the variable.
    pub variable: &'static str,
    /// Its value, if it is set and cannot contain a password.
    pub value: Option<String>,
    /// What is wrong, as the rest of a sentence about the variable.
    pub problem: String,
    /// What is allowed.
    pub allowed: &'static str,
}

impl Settings {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`], for the first variable with a value that is not allowed.
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment(lookup);
        let log = LogSettings {
            json: environment.parse("AWS_LAMBDA_LOG_FORMAT", "JSON, Text", log_format)?.unwrap_or(true),
            level: environment
                .parse("AWS_LAMBDA_LOG_LEVEL", "TRACE, DEBUG, INFO, WARN, ERROR, FATAL", log_level)?
                .unwrap_or(Level::INFO),
        };
        Ok(Self {
            dry_run_first: environment.parse("DRY_RUN_FIRST", BOOLEAN, |value| value.parse().ok())?.unwrap_or(false),
            client: environment.client()?,
            trust_store: environment.trust_store(),
            log,
        })
    }
}

/// Where the variables are looked up.
struct Environment<F>(F);

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    fn client(&self) -> Result<ClientSettings, InvalidSetting> {
        let region = match self.parse("AWS_REGION", REGION, region)? {
            Some(region) => Some(region),
            None => self.parse("AWS_DEFAULT_REGION", REGION, region)?,
        };
        let missing_region =
            || InvalidSetting { variable: "AWS_REGION", value: None, problem: "is not set".into(), allowed: REGION };
        let app_name = |value: &str| AppName::new(value.to_owned()).ok();
        let endpoint = self.endpoint()?;
        Ok(ClientSettings {
            region: region.ok_or_else(missing_region)?,
            use_fips: self.endpoint_variant("AWS_USE_FIPS_ENDPOINT", endpoint.is_some())?,
            use_dual_stack: self.endpoint_variant("AWS_USE_DUALSTACK_ENDPOINT", endpoint.is_some())?,
            endpoint,
            max_attempts: self.parse("AWS_MAX_ATTEMPTS", ATTEMPTS, max_attempts)?.unwrap_or(DEFAULT_MAX_ATTEMPTS),
            retry_mode: self.parse("AWS_RETRY_MODE", "standard, adaptive", retry_mode)?.unwrap_or(RetryMode::Standard),
            app_name: self.parse("AWS_SDK_UA_APP_ID", "letters, digits and !#$%&'*+-.^_`|~", app_name)?,
            proxies: ProxySettings {
                https: self.proxy(["HTTPS_PROXY", "https_proxy"])?,
                http: self.proxy(["HTTP_PROXY", "http_proxy"])?,
                all: self.proxy(["ALL_PROXY", "all_proxy"])?,
                no_proxy: ["NO_PROXY", "no_proxy"]
                    .into_iter()
                    .find_map(|name| self.non_empty(name))
                    .unwrap_or_default(),
            },
        })
    }

    /// The endpoint URL. A variable that does not apply is checked too.
    fn endpoint(&self) -> Result<Option<String>, InvalidSetting> {
        let [for_ec2, for_all] = ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"].map(|variable| {
            let Some(value) = self.0(variable) else { return Ok(None) };
            match http_url_problem(&value, &["http", "https"]) {
                // The SDK ignores these parts, and logs some of them.
                None if may_contain_secret(&value) => {
                    Err(invalid_endpoint(variable, &value, "has a user name, a query or a fragment"))
                }
                None => Ok(Some(value)),
                Some(problem) => Err(invalid_endpoint(variable, &value, &problem)),
            }
        });
        let ignored = self.parse("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", BOOLEAN, boolean)?.unwrap_or(false);
        Ok(for_ec2?.or(for_all?).filter(|_| !ignored))
    }

    /// `AWS_USE_FIPS_ENDPOINT` or `AWS_USE_DUALSTACK_ENDPOINT`. The SDK rejects each of them beside an endpoint URL, in
    /// every call.
    fn endpoint_variant(&self, variable: &'static str, has_endpoint: bool) -> Result<Option<bool>, InvalidSetting> {
        match self.parse(variable, BOOLEAN, boolean)? {
            Some(true) if has_endpoint => Err(InvalidSetting {
                variable,
                value: self.0(variable),
                problem: "is true, and an endpoint URL is set".into(),
                allowed: "false, or no AWS_ENDPOINT_URL_EC2 and no AWS_ENDPOINT_URL",
            }),
            value => Ok(value),
        }
    }

    /// The first of two variables that is not empty. Both are checked. A proxy URL is never printed: it often has a
    /// password.
    fn proxy(&self, variables: [&'static str; 2]) -> Result<String, InvalidSetting> {
        let [upper, lower] = variables.map(|variable| {
            let Some(value) = self.non_empty(variable) else { return Ok(None) };
            match http_url_problem(&value, &["http"]) {
                None => Ok(Some(value)),
                Some(problem) => Err(InvalidSetting { variable, value: None, problem, allowed: PROXY }),
            }
        });
        Ok(upper?.or(lower?).unwrap_or_default())
    }

    fn trust_store(&self) -> Vec<TrustPath> {
        let file = ["SSL_CERT_FILE", "AWS_CA_BUNDLE"]
            .into_iter()
            .find_map(|variable| self.0(variable).map(|path| TrustPath { variable, path: path.into(), is_dir: false }));
        let variable = "SSL_CERT_DIR";
        let dir = self.0(variable).map(|path| TrustPath { variable, path: path.into(), is_dir: true });
        file.into_iter().chain(dir).collect()
    }

    fn non_empty(&self, variable: &str) -> Option<String> {
        self.0(variable).filter(|value| !value.is_empty())
    }

    fn parse<T>(
        &self,
        variable: &'static str,
        allowed: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, InvalidSetting> {
        let Some(value) = self.0(variable) else { return Ok(None) };
        match parse(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(InvalidSetting { variable, problem: format!("is {value:?}"), value: Some(value), allowed }),
        }
    }
}

/// The error for an endpoint URL, which is printed only if it cannot contain a secret.
fn invalid_endpoint(variable: &'static str, url: &str, problem: &str) -> InvalidSetting {
    let value = (!may_contain_secret(url)).then(|| url.to_owned());
    let problem = value.as_ref().map_or_else(|| problem.to_owned(), |value| format!("is {value:?} and {problem}"));
    InvalidSetting { variable, value, problem, allowed: ENDPOINT }
}

/// Whether a URL has a part that may be secret: a user name and password, a query or a fragment.
fn may_contain_secret(url: &str) -> bool {
    url.contains(['@', '?', '#'])
}

/// What is wrong with a URL, as the rest of a sentence, without repeating the URL.
///
/// [`Url`] validates, and the HTTP client connects with [`http::Uri`]. The two must agree on the host.
fn http_url_problem(value: &str, schemes: &[&str]) -> Option<String> {
    if value.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'')) {
        return Some("has white space or quotes in it".into());
    }
    let (Ok(url), Ok(uri)) = (Url::parse(value), value.parse::<http::Uri>()) else {
        return Some("is not a URL".into());
    };
    if !schemes.contains(&url.scheme()) {
        return Some(format!("does not start with {}://", schemes.join(":// or ")));
    }
    if value.matches('@').count() > 1 {
        return Some("has more than one @; in a password it is written as %40".into());
    }
    let host = url.host_str().unwrap_or_default();
    let same_host = uri.host().is_some_and(|uri_host| uri_host.eq_ignore_ascii_case(host));
    (host.is_empty() || !same_host).then(|| "has no valid host".into())
}

fn boolean(value: &str) -> Option<bool> {
    value.to_ascii_lowercase().parse().ok()
}

/// At most 10: before the first call, the SDK adds up the pauses before all attempts (`identity/cache/lazy.rs` in
/// aws-smithy-runtime).
fn max_attempts(value: &str) -> Option<u32> {
    value.parse().ok().filter(|attempts: &u32| (1..=10).contains(attempts) && value == attempts.to_string())
}

fn retry_mode(value: &str) -> Option<RetryMode> {
    match value.to_ascii_lowercase().as_str() {
        "standard" => Some(RetryMode::Standard),
        "adaptive" => Some(RetryMode::Adaptive),
        _ => None,
    }
}

fn region(value: &str) -> Option<String> {
    let is_label = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let has_hyphen_outside = value.starts_with('-') || value.ends_with('-');
    (is_label && !has_hyphen_outside && (1..=MAX_LABEL_BYTES).contains(&value.len())).then(|| value.to_owned())
}

fn log_format(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "json" => Some(true),
        "text" => Some(false),
        _ => None,
    }
}

fn log_level(value: &str) -> Option<Level> {
    match value.to_ascii_uppercase().as_str() {
        "TRACE" => Some(Level::TRACE),
        "DEBUG" => Some(Level::DEBUG),
        "INFO" => Some(Level::INFO),
        "WARN" => Some(Level::WARN),
        "ERROR" | "FATAL" => Some(Level::ERROR),
        _ => None,
    }
}
