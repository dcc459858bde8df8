//! The same over HTTPS.

use serde_json::json;
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Fault, StandIn, World};

use crate::support::*;

fn over_tls(world: World) -> Setup {
    let ec2 = StandIn::start_tls(world);
    let bundle = ec2.ca_bundle().to_str().expect("UTF-8").to_owned();
    Setup::beside(ec2).set("SSL_CERT_FILE", &bundle)
}

#[test]
fn a_dry_run_and_a_deprovision_go_over_tls() {
    let function = over_tls(World::default()).start();
    assert_eq!(function.invoke(&request_with(&json!({ "DryRunFirst": true }))), Ok(pending()));
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert_eq!(function.calls(), [DRY_RUN, DEPROVISION, DEPROVISION, LOOK_AT_ASN]);
}

#[test]
fn errors_keep_their_names_over_tls() {
    let function = over_tls(World::default()).start();
    function.ec2.fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", "No."));
    assert_error(function.invoke(&request()), "UnauthorizedOperation", &["No.", "HTTP 403"]);
    function.ec2.fault(DeprovisionIpamByoasn, Fault::Reset { after_effect: true });
    assert_eq!(function.invoke(&request()), Ok(pending()));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_no_connection() {
    let other = StandIn::start_tls(World::default());
    let bundle = other.ca_bundle().to_str().expect("UTF-8").to_owned();
    let function = over_tls(World::default()).set("SSL_CERT_FILE", &bundle).start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["certificate"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    assert_eq!(function.calls(), Vec::<String>::new());
}
