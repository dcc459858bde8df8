//! Settings in environment variables.

use serde_json::{Value, json};
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Fault, World};

use crate::support::*;

#[test]
fn dry_run_first_setting_is_the_default_of_the_request() {
    let function = Setup::new(World::default()).set("DRY_RUN_FIRST", "true").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DEPROVISION]);
    function.ec2.set_world(World::default());
    assert_eq!(function.invoke(&request_with(&json!({ "DryRunFirst": false }))), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
    function.ec2.set_world(World::default());
    assert!(function.invoke(&request_with(&json!({ "DryRun": true }))).is_ok());
    assert_eq!(function.calls(), [DRY_RUN]);

    let function = Setup::new(World::default()).set("DRY_RUN_FIRST", "false").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION]);
}

#[test]
fn invalid_settings_end_the_start_with_one_line() {
    for (variable, value, allowed) in [
        ("DRY_RUN_FIRST", "yes", "true, false"),
        ("DRY_RUN_FIRST", "True", "true, false"),
        ("DRY_RUN_FIRST", "1", "true, false"),
        ("DRY_RUN_FIRST", "", "true, false"),
        ("DRY_RUN_FIRST", " true", "true, false"),
        ("AWS_LAMBDA_LOG_FORMAT", "XML", "JSON, Text"),
        ("AWS_LAMBDA_LOG_LEVEL", "LOUD", "TRACE, DEBUG, INFO, WARN, ERROR, FATAL"),
        ("AWS_REGION", "us east 1", "a Region such as us-east-1"),
        ("AWS_REGION", "", "a Region such as us-east-1"),
        ("AWS_ENDPOINT_URL_EC2", "localhost:4566", "a URL such as https://ec2.us-east-1.amazonaws.com"),
        ("AWS_ENDPOINT_URL_EC2", "not a URL", "a URL such as https://ec2.us-east-1.amazonaws.com"),
        ("AWS_ENDPOINT_URL_EC2", "http://\u{e9}c2.example", "a URL such as https://ec2.us-east-1.amazonaws.com"),
        ("AWS_MAX_ATTEMPTS", "0", "a whole number from 1 to 10"),
        ("AWS_MAX_ATTEMPTS", "11", "a whole number from 1 to 10"),
        ("AWS_MAX_ATTEMPTS", "10000000", "a whole number from 1 to 10"),
        ("AWS_RETRY_MODE", "often", "standard, adaptive"),
        ("AWS_CA_BUNDLE", "/no/such/file", "a PEM file with at least one certificate"),
        ("SSL_CERT_DIR", "/no/such/directory", "a directory with at least one certificate in PEM files"),
        ("AWS_MAX_ATTEMPTS", "3.0", "a whole number from 1 to 10"),
        ("AWS_USE_FIPS_ENDPOINT", "maybe", "true, false"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "1", "true, false"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "yes", "true, false"),
        ("AWS_SDK_UA_APP_ID", "two words", "letters, digits and !#$%&'*+-.^_`|~"),
        ("SSL_CERT_FILE", "", "a PEM file with at least one certificate"),
        ("SSL_CERT_FILE", "/no/such/file", "a PEM file with at least one certificate"),
        ("AWS_ENDPOINT_URL", "ftp://127.0.0.1", "a URL such as https://ec2.us-east-1.amazonaws.com"),
    ] {
        let line = failed_start(Setup::new(World::default()).set(variable, value));
        assert_eq!(line["variable"], variable);
        assert_eq!(line["value"], value);
        assert_eq!(line["allowed"], allowed);
        let message = line["message"].as_str().expect("text");
        assert!(message.starts_with(&format!("{variable} is {value:?}")), "{message}");
        assert!(message.ends_with(&format!("; allowed: {allowed}")), "{message}");
        assert!(line["timestamp"].is_string());
    }
}

#[test]
fn max_attempts_setting_limits_attempts() {
    for attempts in [1, 2] {
        let function = Setup::new(World::default()).set("AWS_MAX_ATTEMPTS", &attempts.to_string()).start();
        for _ in 0..attempts {
            function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Throttle);
        }
        assert_error(function.invoke(&request()), "RequestLimitExceeded", &[]);
        assert_eq!(function.calls().len(), attempts);
    }
    let function = Setup::new(World::default()).set("AWS_RETRY_MODE", "Adaptive").start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Throttle);
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DEPROVISION, DEPROVISION]);
}

#[test]
fn ec2_endpoint_takes_precedence_over_the_general_one() {
    let function = Setup::new(World::default()).set("AWS_ENDPOINT_URL", "http://127.0.0.1:1").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn missing_region_ends_the_start() {
    let line = failed_start(Setup::new(World::default()).unset("AWS_REGION"));
    assert_eq!(line["message"], "AWS_REGION is not set; allowed: a Region such as us-east-1");
    assert_eq!(line["value"], Value::Null);
}

#[test]
fn calls_are_signed_for_the_configured_region() {
    let world = World { region: "eu-central-1".into(), ..World::default() };
    let function = Setup::new(world.clone()).set("AWS_REGION", "eu-central-1").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    let function = Setup::new(world).unset("AWS_REGION").set("AWS_DEFAULT_REGION", "eu-central-1").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn start_outside_lambda_logs_one_line() {
    let (code, log) = Setup::new(World::default()).unset("AWS_LAMBDA_FUNCTION_NAME").start_expecting_failure();
    assert_ne!(code, Some(0));
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0]["level"], "ERROR");
}

/// The one line with which a start fails.
#[track_caller]
fn failed_start(setup: Setup) -> Value {
    let (code, log) = setup.start_expecting_failure();
    assert_eq!(code, Some(1), "{log:?}");
    let [line] = &log[..] else { panic!("not one line: {log:?}") };
    assert_eq!(line["level"], "ERROR");
    line.clone()
}

#[test]
fn unusable_proxies_end_the_start_without_the_password() {
    for variable in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        for url in [
            "https://user:hunter2@127.0.0.1:9",
            "socks5://user:hunter2@127.0.0.1:9",
            "ftp://127.0.0.1:9",
            " http://user:hunter2@127.0.0.1:9",
            "http://127.0.0.1:9 ",
            "'http://user:hunter2@127.0.0.1:9'",
            "http://",
            "http://user:hunter2@",
            "127.0.0.1:9",
        ] {
            let line = failed_start(Setup::new(World::default()).set(variable, url));
            assert_eq!(line["variable"], variable);
            assert_eq!(line["allowed"], "an http:// URL with a host, such as http://proxy.example:3128");
            assert!(!line.to_string().contains("hunter2"), "{line}");
        }
    }
}

#[test]
fn endpoint_with_a_password_ends_the_start_without_it() {
    for variable in ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"] {
        for url in [
            "http://user:hunter2@127.0.0.1:9",
            "http://127.0.0.1:9/?password=hunter2",
            "http://127.0.0.1:9/#hunter2",
            "ftp://127.0.0.1:9/?password=hunter2",
        ] {
            let line = failed_start(Setup::new(World::default()).set(variable, url));
            assert_eq!(line["variable"], variable);
            assert!(!line.to_string().contains("hunter2"), "{line}");
        }
    }
}

#[test]
fn fips_and_dual_stack_exclude_an_endpoint_url() {
    for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        let line = failed_start(Setup::new(World::default()).set(variable, "true"));
        assert_eq!(line["variable"], variable);
        assert_eq!(
            line["message"],
            format!(
                "{variable} is true, and an endpoint URL is set; allowed: false, or no \
            AWS_ENDPOINT_URL_EC2 and no AWS_ENDPOINT_URL"
            )
        );
    }
}

#[test]
fn credentials_in_another_variable_are_not_logged() {
    for variable in ["DRY_RUN_FIRST", "SSL_CERT_FILE", "AWS_LAMBDA_LOG_LEVEL", "AWS_ENDPOINT_URL"] {
        let line = failed_start(Setup::new(World::default()).set(variable, SECRET_ACCESS_KEY));
        assert_eq!(line["variable"], variable);
        assert!(!line.to_string().contains(SECRET_ACCESS_KEY), "{line}");
    }
}
