//! The settings, read through a lookup function in place of the environment.

use std::path::PathBuf;

use aws_config::retry::RetryMode;
use deprovision_ipam_byoasn::settings::{ClientSettings, InvalidSetting, LogSettings, ProxySettings, Settings};
use tracing::Level;

/// The settings with a Region and one more variable.
fn with(variable: &str, value: &str) -> Result<Settings, InvalidSetting> {
    Settings::load(|name| match name {
        "AWS_REGION" => Some("us-east-1".into()),
        name => (name == variable).then(|| value.to_owned()),
    })
}

#[test]
fn unset_variables_have_defaults() {
    let client = ClientSettings {
        region: "us-east-1".into(),
        endpoint: None,
        use_fips: None,
        use_dual_stack: None,
        max_attempts: 3,
        retry_mode: RetryMode::Standard,
        app_name: None,
        proxies: ProxySettings::default(),
    };
    let log = LogSettings { json: true, level: Level::INFO };
    assert_eq!(with("", ""), Ok(Settings { dry_run_first: false, client, trust_store: Vec::new(), log }));
}

#[test]
fn log_levels_are_read_in_any_case() {
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
        assert_eq!(log, Ok(LogSettings { json: true, level }), "{value}");
    }
}

#[test]
fn log_formats_are_read_in_any_case() {
    for (value, json) in [("JSON", true), ("json", true), ("Text", false), ("TEXT", false)] {
        let log = with("AWS_LAMBDA_LOG_FORMAT", value).map(|settings| settings.log);
        assert_eq!(log, Ok(LogSettings { json, level: Level::INFO }), "{value}");
    }
}

#[test]
fn an_endpoint_is_an_http_url_with_a_host() {
    for variable in ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"] {
        for url in ["http://127.0.0.1:4566", "https://ec2.us-east-1.amazonaws.com", "http://[::1]:80/path"] {
            let endpoint = with(variable, url).map(|settings| settings.client.endpoint);
            assert_eq!(endpoint, Ok(Some(url.to_owned())), "{variable}");
        }
        for url in [
            "ftp://127.0.0.1", "file:///etc/hosts", "http://", "localhost:4566", "", "http:/127.0.0.1", "http://é",
            " http://127.0.0.1", "http://host name",
        ] {
            let invalid = with(variable, url).expect_err(url);
            assert_eq!((invalid.variable, invalid.value.as_deref()), (variable, Some(url)));
        }
    }
}

#[test]
fn an_endpoint_with_a_password_is_rejected_without_it() {
    for url in ["http://user:hunter2@127.0.0.1", "ftp://user:hunter2@127.0.0.1", "http://user:hunter2@"] {
        let invalid = with("AWS_ENDPOINT_URL", url).expect_err(url);
        assert!(!format!("{invalid} {invalid:?}").contains("hunter2"), "{invalid:?}");
    }
}

#[test]
fn a_proxy_is_an_http_url_with_a_host() {
    let proxies = |variable, value| with(variable, value).map(|settings| settings.client.proxies);
    let url = "http://user:hunter2@proxy.example:3128";
    for (variable, expected) in [
        ("HTTPS_PROXY", ProxySettings { https: url.into(), ..ProxySettings::default() }),
        ("https_proxy", ProxySettings { https: url.into(), ..ProxySettings::default() }),
        ("HTTP_PROXY", ProxySettings { http: url.into(), ..ProxySettings::default() }),
        ("http_proxy", ProxySettings { http: url.into(), ..ProxySettings::default() }),
        ("ALL_PROXY", ProxySettings { all: url.into(), ..ProxySettings::default() }),
        ("all_proxy", ProxySettings { all: url.into(), ..ProxySettings::default() }),
    ] {
        assert_eq!(proxies(variable, url), Ok(expected));
        assert_eq!(proxies(variable, ""), Ok(ProxySettings::default()));
        for invalid_url in [
            "https://user:hunter2@proxy.example",
            "socks5://user:hunter2@proxy.example",
            "ftp://proxy.example",
            "proxy.example:3128",
            "proxy.example",
            " http://proxy.example",
            "http://proxy.example ",
            "\"http://proxy.example\"",
            "http://",
            "http://user:hunter2@",
            "http://user:hunter2",
            "http://user:hunter@2@proxy.example",
            "direct",
        ] {
            let invalid = proxies(variable, invalid_url).expect_err(invalid_url);
            assert_eq!((invalid.variable, invalid.value.as_deref()), (variable, None));
            let printed = format!("{invalid} {invalid:?}");
            assert!(!printed.contains("hunter2") && !printed.contains("hunter@2"), "{printed}");
        }
    }
    assert_eq!(proxies("no_proxy", "a,b").map(|proxies| proxies.no_proxy), Ok("a,b".into()));
}

#[test]
fn an_uppercase_proxy_wins_and_both_are_checked() {
    let with_both = |upper: &str, lower: &str| {
        let load = Settings::load(|name| match name {
            "AWS_REGION" => Some("us-east-1".into()),
            "HTTPS_PROXY" => Some(upper.to_owned()),
            "https_proxy" => Some(lower.to_owned()),
            _ => None,
        });
        load.map(|settings| settings.client.proxies.https).map_err(|invalid| invalid.variable)
    };
    assert_eq!(with_both("http://a", "http://b"), Ok("http://a".into()));
    assert_eq!(with_both("", "http://b"), Ok("http://b".into()));
    assert_eq!(with_both("http://a", "ftp://b"), Err("https_proxy"));
}

#[test]
fn sdk_variables_are_read_as_the_sdk_reads_them() {
    let client = |variable, value| with(variable, value).map(|settings| settings.client);
    for (value, on) in [("true", true), ("FALSE", false), ("True", true)] {
        assert_eq!(client("AWS_USE_FIPS_ENDPOINT", value).map(|client| client.use_fips), Ok(Some(on)), "{value}");
        let use_dual_stack = client("AWS_USE_DUALSTACK_ENDPOINT", value).map(|client| client.use_dual_stack);
        assert_eq!(use_dual_stack, Ok(Some(on)), "{value}");
    }
    for (value, attempts) in [("1", 1), ("3", 3), ("10", 10)] {
        assert_eq!(client("AWS_MAX_ATTEMPTS", value).map(|client| client.max_attempts), Ok(attempts));
    }
    for value in ["0", "+3", "03", "11", "10000000", "4294967296", "-1", "3.0", ""] {
        assert_eq!(client("AWS_MAX_ATTEMPTS", value).map_err(|invalid| invalid.variable), Err("AWS_MAX_ATTEMPTS"));
    }
    let mode = |value| client("AWS_RETRY_MODE", value).map(|client| client.retry_mode);
    assert_eq!((mode("ADAPTIVE"), mode("standard")), (Ok(RetryMode::Adaptive), Ok(RetryMode::Standard)));
    let name = client("AWS_SDK_UA_APP_ID", "network-team").map(|client| client.app_name.map(|name| name.to_string()));
    assert_eq!(name, Ok(Some("network-team".into())));
}

#[test]
fn fips_or_dual_stack_with_an_endpoint_url_is_rejected() {
    for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        for (value, ignored, expected) in
            [("true", "false", Err(variable)), ("false", "false", Ok(())), ("true", "true", Ok(()))]
        {
            let load = Settings::load(|name| match name {
                "AWS_REGION" => Some("us-east-1".into()),
                "AWS_ENDPOINT_URL" => Some("https://ec2.example".into()),
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => Some(ignored.into()),
                name => (name == variable).then(|| value.to_owned()),
            });
            assert_eq!(load.map(drop).map_err(|invalid| invalid.variable), expected, "{variable}={value}");
        }
    }
}

#[test]
fn a_region_is_one_label() {
    let region = |value: &str| {
        let load = Settings::load(|name| (name == "AWS_REGION").then(|| value.to_owned()));
        load.map(|settings| settings.client.region).map_err(|invalid| invalid.variable)
    };
    assert_eq!(region("us-gov-west-1"), Ok("us-gov-west-1".into()));
    for value in ["", " ", "-", "us-", "-us", "us_east_1", "us-east-1.evil.example", "us-east-1/"] {
        assert_eq!(region(value), Err("AWS_REGION"), "{value:?}");
    }
}

#[test]
fn ssl_cert_file_takes_precedence_over_aws_ca_bundle() {
    let paths = |set: &[&str]| -> Vec<(&'static str, PathBuf)> {
        let load = Settings::load(|name| {
            let is_set = name == "AWS_REGION" || set.contains(&name);
            is_set.then(|| if name == "AWS_REGION" { "us-east-1".into() } else { format!("/{name}") })
        });
        load.expect("settings").trust_store.into_iter().map(|trust| (trust.variable, trust.path)).collect()
    };
    assert_eq!(paths(&["SSL_CERT_FILE", "AWS_CA_BUNDLE"]), [("SSL_CERT_FILE", "/SSL_CERT_FILE".into())]);
    assert_eq!(
        paths(&["AWS_CA_BUNDLE", "SSL_CERT_DIR"]),
        [("AWS_CA_BUNDLE", "/AWS_CA_BUNDLE".into()), ("SSL_CERT_DIR", "/SSL_CERT_DIR".into())]
    );
}
