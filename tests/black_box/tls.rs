//! The same over HTTPS.

use std::{fs, path::Path};

use serde_json::json;
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Fault, StandIn, World};

use crate::support::*;

pub fn over_tls() -> Setup {
    let ec2 = StandIn::start_tls(World::default());
    let bundle = ec2.ca_bundle().to_str().expect("UTF-8").to_owned();
    Setup::beside(ec2).set("SSL_CERT_FILE", &bundle)
}

#[test]
fn a_dry_run_and_a_deprovision_go_over_tls() {
    let function = over_tls().start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRunFirst": true }))), Ok(pending()));
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DEPROVISION, DEPROVISION, LOOK_AT_ASN]);
}

#[test]
fn errors_keep_their_names_over_tls() {
    let function = over_tls().start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", "No."));
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &["No.", "HTTP 403"]);
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_no_connection() {
    let other = StandIn::start_tls(World::default());
    let bundle = other.ca_bundle().to_str().expect("UTF-8").to_owned();
    let function = over_tls().set("SSL_CERT_FILE", &bundle).start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["certificate"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    assert_eq!(function.calls(), Vec::<String>::new());
}

#[test]
fn a_directory_of_certificates_counts_beside_a_file_and_alone() {
    let other = StandIn::start_tls(World::default());
    let other = other.ca_bundle().to_str().expect("UTF-8").to_owned();
    for beside in [true, false] {
        let setup = over_tls();
        let bundle = setup.ca_bundle();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{beside}"));
        fs::create_dir_all(&folder).expect("folder");
        fs::copy(&bundle, folder.join("ca.pem")).expect("copied");
        let setup = setup.set("SSL_CERT_DIR", folder.to_str().expect("UTF-8"));
        let function = if beside { setup.set("SSL_CERT_FILE", &other) } else { setup.unset("SSL_CERT_FILE") }.start();
        assert_eq!(function.invoke(&request()), Ok(pending()));
    }
}

#[test]
fn a_start_without_any_trust_root_says_so() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.pem");
    fs::write(&empty, "").expect("written");
    let function = over_tls().set("SSL_CERT_FILE", empty.to_str().expect("UTF-8")).start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["certificate"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    let log = function.log();
    assert_eq!(log[0]["level"], "WARN");
    assert!(log[0]["message"].as_str().is_some_and(|m| m.contains("no trust roots")), "{}", log[0]);
}
