//! The environment, read once at the start through a lookup function.

use std::{fmt, num::NonZero, path::Path};

use aws_config::{AppName, retry::RetryMode};
use tracing::Level;
use url::Url;

const REGION: &str = "a Region such as us-east-1";

/// What the function is set to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `DRY_RUN_FIRST`: what holds for a request that does not say.
    pub dry_run_first: bool,
    /// How to reach EC2.
    pub sdk: Sdk,
    /// How to log.
    pub log: Log,
}

/// How to reach EC2, by the variables that all of AWS's SDKs know. `None` leaves it to the SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdk {
    /// `AWS_REGION`: the IPAM's home Region.
    pub region: String,
    /// `AWS_ENDPOINT_URL_EC2`, or else `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips: Option<bool>,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dual_stack: Option<bool>,
    /// `AWS_MAX_ATTEMPTS`: of each call, the first one included.
    pub max_attempts: Option<NonZero<u32>>,
    /// `AWS_RETRY_MODE`.
    pub retry_mode: Option<RetryMode>,
    /// `AWS_SDK_UA_APP_ID`: a name among the user agents, which a trail shows.
    pub app_name: Option<AppName>,
}

/// How to log, as Lambda sets it from `LoggingConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// `AWS_LAMBDA_LOG_FORMAT`: JSON, or text for people.
    pub json: bool,
    /// `AWS_LAMBDA_LOG_LEVEL`.
    pub level: Level,
}

impl Default for Log {
    fn default() -> Self {
        Self { json: true, level: Level::INFO }
    }
}

/// A variable with a value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// Its name.
    pub variable: &'static str,
    /// Its value; `None` where a required one is missing.
    pub value: Option<String>,
    /// What is allowed.
    pub allowed: &'static str,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            None => write!(f, "{} is not set; allowed: {}", self.variable, self.allowed),
            Some(value) => write!(f, "{} is {value:?}; allowed: {}", self.variable, self.allowed),
        }
    }
}

impl Settings {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// [`BadSetting`], for the first variable with a value that is not allowed.
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        read(&lookup, "SSL_CERT_FILE", "a file of certificates in PEM", |path| {
            Path::new(path).is_file().then_some(())
        })?;
        Ok(Self {
            dry_run_first: read(&lookup, "DRY_RUN_FIRST", "true, false", |value| value.parse().ok())?.unwrap_or(false),
            sdk: Sdk::load(&lookup)?,
            log: Log {
                json: read(&lookup, "AWS_LAMBDA_LOG_FORMAT", "JSON, Text", |value| {
                    match value.to_ascii_lowercase().as_str() {
                        "json" => Some(true),
                        "text" => Some(false),
                        _ => None,
                    }
                })?
                .unwrap_or(true),
                level: read(&lookup, "AWS_LAMBDA_LOG_LEVEL", "TRACE, DEBUG, INFO, WARN, ERROR, FATAL", level)?
                    .unwrap_or(Level::INFO),
            },
        })
    }
}

impl Sdk {
    /// Strictly: with a bad value the SDK itself would panic, or go on without it. A local try whose endpoint
    /// cannot be read would deprovision in AWS.
    fn load(lookup: &impl Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        let region = match read(lookup, "AWS_REGION", REGION, region)? {
            Some(region) => Some(region),
            None => read(lookup, "AWS_DEFAULT_REGION", REGION, region)?,
        };
        let endpoint = |variable| {
            read(lookup, variable, "a URL such as https://ec2.us-east-1.amazonaws.com", |value| {
                let url = Url::parse(value).ok()?;
                // The HTTP client takes ASCII only.
                value.parse::<http::Uri>().ok()?.authority()?;
                (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| value.to_owned())
            })
        };
        let (for_ec2, for_all) = (endpoint("AWS_ENDPOINT_URL_EC2")?, endpoint("AWS_ENDPOINT_URL")?);
        let switch =
            |variable| read(lookup, variable, "true, false", |value| value.to_ascii_lowercase().parse::<bool>().ok());
        let ignore_endpoints = switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.unwrap_or(false);
        Ok(Self {
            region: region.ok_or(BadSetting { variable: "AWS_REGION", value: None, allowed: REGION })?,
            endpoint: for_ec2.or(for_all).filter(|_| !ignore_endpoints),
            use_fips: switch("AWS_USE_FIPS_ENDPOINT")?,
            use_dual_stack: switch("AWS_USE_DUALSTACK_ENDPOINT")?,
            max_attempts: read(lookup, "AWS_MAX_ATTEMPTS", "a whole number from 1", |value| value.parse().ok())?,
            retry_mode: read(lookup, "AWS_RETRY_MODE", "standard, adaptive", retry_mode)?,
            app_name: read(lookup, "AWS_SDK_UA_APP_ID", "letters, digits and !#$%&'*+-.^_`|~", |value| {
                AppName::new(value.to_owned()).ok()
            })?,
        })
    }
}

fn retry_mode(value: &str) -> Option<RetryMode> {
    match value.to_ascii_lowercase().as_str() {
        "standard" => Some(RetryMode::Standard),
        "adaptive" => Some(RetryMode::Adaptive),
        _ => None,
    }
}

fn region(value: &str) -> Option<String> {
    let label = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (label && !value.is_empty()).then(|| value.to_owned())
}

fn level(value: &str) -> Option<Level> {
    match value.to_ascii_uppercase().as_str() {
        "TRACE" => Some(Level::TRACE),
        "DEBUG" => Some(Level::DEBUG),
        "INFO" => Some(Level::INFO),
        "WARN" => Some(Level::WARN),
        "ERROR" | "FATAL" => Some(Level::ERROR),
        _ => None,
    }
}

fn read<T>(
    lookup: &impl Fn(&str) -> Option<String>,
    variable: &'static str,
    allowed: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, BadSetting> {
    let Some(value) = lookup(variable) else { return Ok(None) };
    match parse(&value) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(BadSetting { variable, value: Some(value), allowed }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings where, beside a Region, one variable is set.
    fn with(variable: &str, value: &str) -> Result<Settings, BadSetting> {
        Settings::load(|name| match name {
            "AWS_REGION" => Some("us-east-1".into()),
            name => (name == variable).then(|| value.to_owned()),
        })
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let sdk = Sdk {
            region: "us-east-1".into(),
            endpoint: None,
            use_fips: None,
            use_dual_stack: None,
            max_attempts: None,
            retry_mode: None,
            app_name: None,
        };
        assert_eq!(with("", ""), Ok(Settings { dry_run_first: false, sdk, log: Log::default() }));
    }

    #[test]
    fn each_of_lambdas_levels_is_read_in_any_case() {
        for (value, level) in [
            ("TRACE", Level::TRACE),
            ("DEBUG", Level::DEBUG),
            ("INFO", Level::INFO),
            ("WARN", Level::WARN),
            ("ERROR", Level::ERROR),
            ("FATAL", Level::ERROR),
            ("debug", Level::DEBUG),
        ] {
            let log = with("AWS_LAMBDA_LOG_LEVEL", value).map(|settings| settings.log);
            assert_eq!(log, Ok(Log { json: true, level }), "{value}");
        }
    }

    #[test]
    fn each_of_lambdas_formats_is_read_in_any_case() {
        for (value, json) in [("JSON", true), ("json", true), ("Text", false), ("TEXT", false)] {
            let log = with("AWS_LAMBDA_LOG_FORMAT", value).map(|settings| settings.log);
            assert_eq!(log, Ok(Log { json, level: Level::INFO }), "{value}");
        }
    }

    #[test]
    fn an_endpoint_is_an_http_url_with_a_host() {
        for variable in ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"] {
            for url in ["http://127.0.0.1:4566", "https://ec2.us-east-1.amazonaws.com"] {
                let endpoint = with(variable, url).map(|settings| settings.sdk.endpoint);
                assert_eq!(endpoint, Ok(Some(url.to_owned())), "{variable}");
            }
            for url in
                ["ftp://127.0.0.1", "file:///etc/hosts", "http://", "localhost:4566", "", "http:/127.0.0.1", "http://é"]
            {
                let bad = with(variable, url).expect_err(url);
                assert_eq!((bad.variable, bad.value.as_deref()), (variable, Some(url)));
            }
        }
    }

    #[test]
    fn what_is_for_the_sdk_is_read_as_the_sdk_reads_it() {
        let sdk = |variable, value| with(variable, value).map(|settings| settings.sdk);
        for (value, on) in [("true", true), ("FALSE", false), ("True", true)] {
            assert_eq!(sdk("AWS_USE_FIPS_ENDPOINT", value).map(|sdk| sdk.use_fips), Ok(Some(on)), "{value}");
            assert_eq!(sdk("AWS_USE_DUALSTACK_ENDPOINT", value).map(|sdk| sdk.use_dual_stack), Ok(Some(on)), "{value}");
        }
        assert_eq!(sdk("AWS_MAX_ATTEMPTS", "3").map(|sdk| sdk.max_attempts), Ok(NonZero::new(3)));
        assert_eq!(sdk("AWS_RETRY_MODE", "ADAPTIVE").map(|sdk| sdk.retry_mode), Ok(Some(RetryMode::Adaptive)));
        assert_eq!(sdk("AWS_RETRY_MODE", "standard").map(|sdk| sdk.retry_mode), Ok(Some(RetryMode::Standard)));
        let name = sdk("AWS_SDK_UA_APP_ID", "network-team").map(|sdk| sdk.app_name.map(|name| name.to_string()));
        assert_eq!(name, Ok(Some("network-team".into())));
    }

    #[test]
    fn a_region_is_one_label() {
        let region = |value: &str| {
            let load = Settings::load(|name| (name == "AWS_REGION").then(|| value.to_owned()));
            load.map(|settings| settings.sdk.region).map_err(|bad| bad.variable)
        };
        assert_eq!(region("us-gov-west-1"), Ok("us-gov-west-1".into()));
        for value in ["", " ", "us_east_1", "us-east-1.evil.example", "us-east-1/"] {
            assert_eq!(region(value), Err("AWS_REGION"), "{value:?}");
        }
    }
}
