//! Calls to EC2 over HTTPS.

use std::{fs, path::Path};

use serde_json::json;
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Fault, StandIn, World};

use crate::support::*;

#[test]
fn dry_run_and_deprovision_work_over_tls() {
    let function = Setup::over_tls(World::default()).start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRunFirst": true }))), Ok(pending()));
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DEPROVISION, DEPROVISION, DESCRIBE_BYOASN]);
}

#[test]
fn errors_keep_their_names_over_tls() {
    let function = Setup::over_tls(World::default()).start();
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", "No."));
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &["No.", "HTTP 403"]);
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn untrusted_certificate_is_unreachable() {
    let other = StandIn::start_tls(World::default());
    let bundle = other.ca_bundle().to_str().expect("UTF-8").to_owned();
    let function = Setup::over_tls(World::default()).set("SSL_CERT_FILE", &bundle).start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["certificate"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    assert_eq!(function.calls(), Vec::<String>::new());
}

#[test]
fn ssl_cert_dir_works_with_and_without_ssl_cert_file() {
    let other = StandIn::start_tls(World::default());
    let other = other.ca_bundle().to_str().expect("UTF-8").to_owned();
    for with_file in [true, false] {
        let setup = Setup::over_tls(World::default());
        let bundle = setup.ca_bundle();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{with_file}"));
        fs::create_dir_all(&folder).expect("folder");
        fs::copy(&bundle, folder.join("ca.pem")).expect("copied");
        let setup = setup.set("SSL_CERT_DIR", folder.to_str().expect("UTF-8"));
        let function =
            if with_file { setup.set("SSL_CERT_FILE", &other) } else { setup.unset("SSL_CERT_FILE") }.start();
        assert_eq!(function.invoke(&request()), Ok(pending()));
    }
}

/// Writes a file that the function reads, and returns its path.
fn file(name: &str, content: impl AsRef<[u8]>) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn trust_store_without_a_certificate_ends_the_start() {
    let certificate = fs::read_to_string(Setup::over_tls(World::default()).ca_bundle()).expect("certificate");
    let key = rcgen::KeyPair::generate().expect("key").serialize_pem();
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, content) in [
        ("empty.pem", ""),
        ("key.pem", &key),
        ("text.pem", "no certificate\n"),
        ("byte-order-mark.pem", &format!("\u{feff}{certificate}")),
        ("truncated.pem", &certificate[..certificate.len() / 2]),
        ("invalid.pem", not_a_certificate),
    ] {
        for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
            let path = file(name, content);
            let setup = Setup::over_tls(World::default()).unset("SSL_CERT_FILE").set(variable, &path);
            let (code, log) = setup.start_expecting_failure();
            let [line] = &log[..] else { panic!("not one line: {log:?}") };
            assert_eq!((code, &line["variable"], &line["value"]), (Some(1), &json!(variable), &json!(path)), "{line}");
            assert_eq!(line["allowed"], "a PEM file with at least one certificate");
        }
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-certificates");
    fs::create_dir_all(&dir).expect("directory");
    let setup = Setup::over_tls(World::default()).set("SSL_CERT_DIR", dir.to_str().expect("UTF-8"));
    let (code, log) = setup.start_expecting_failure();
    assert_eq!((code, log.len(), &log[0]["variable"]), (Some(1), 1, &json!("SSL_CERT_DIR")), "{log:?}");
}

#[test]
fn invalid_certificates_do_not_affect_valid_ones() {
    let setup = Setup::over_tls(World::default());
    let certificate = fs::read_to_string(setup.ca_bundle()).expect("certificate");
    let invalid = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let path = file("one-invalid.pem", format!("# comment\n{invalid}\r\n{certificate}"));
    let function = setup.set("SSL_CERT_FILE", &path).start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn aws_ca_bundle_is_used_unless_ssl_cert_file_is_set() {
    let setup = Setup::over_tls(World::default());
    let bundle = setup.ca_bundle().to_str().expect("UTF-8").to_owned();
    let function = setup.unset("SSL_CERT_FILE").set("AWS_CA_BUNDLE", &bundle).start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    let function = Setup::over_tls(World::default()).set("AWS_CA_BUNDLE", "/no/such/file").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn compiled_in_roots_do_not_trust_the_stand_in() {
    let function = Setup::over_tls(World::default()).unset("SSL_CERT_FILE").start();
    assert_error(function.invoke(&request()), "Ec2Unreachable", &["certificate"]);
    assert_eq!(function.log().len(), 1);
}
