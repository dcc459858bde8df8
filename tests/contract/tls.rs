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

#[test]
fn empty_trust_store_is_logged_as_a_warning() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.pem");
    fs::write(&empty, "").expect("written");
    let function = Setup::over_tls(World::default()).set("SSL_CERT_FILE", empty.to_str().expect("UTF-8")).start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["certificate"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    let log = function.log();
    assert_eq!(log[0]["level"], "WARN");
    assert!(log[0]["message"].as_str().is_some_and(|m| m.contains("no trust roots")), "{}", log[0]);
}
