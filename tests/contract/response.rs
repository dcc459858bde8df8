//! Responses of successful invocations.

use serde_json::json;
use stand_ins::ec2::{Action::DeprovisionIpamByoasn, Fault, World};

use crate::support::*;

/// A success with this `byoasn` element.
fn success(byoasn: &str) -> Fault {
    Fault::raw(
        200,
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <DeprovisionIpamByoasnResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>{byoasn}</DeprovisionIpamByoasnResponse>"#
        ),
    )
}

#[test]
fn deprovision_returns_exactly_the_members_from_ec2() {
    for (byoasn, expected) in [
        (
            "<byoasn><asn>64500</asn><ipamId>ipam-0123456789abcdef0</ipamId><statusMessage>a &lt;b&gt;</statusMessage>\
             <state>pending-deprovision</state></byoasn>",
            json!({ "Asn": "64500", "IpamId": IPAM, "StatusMessage": "a <b>", "State": "pending-deprovision" }),
        ),
        (
            "<byoasn><asn>64500</asn><ipamId>ipam-0123456789abcdef0</ipamId><state>deprovisioned</state></byoasn>",
            json!({ "Asn": "64500", "IpamId": IPAM, "State": "deprovisioned" }),
        ),
        (
            "<byoasn><asn>64500</asn><state>a-state-of-next-year</state></byoasn>",
            json!({ "Asn": "64500", "State": "a-state-of-next-year" }),
        ),
    ] {
        let function = Function::start();
        function.ec2.queue_fault(DeprovisionIpamByoasn, success(byoasn));
        assert_eq!(function.invoke(&request()), Ok(json!({ "Byoasn": expected })));
        assert_eq!(function.calls(), [DEPROVISION]);
    }
}

#[test]
fn dry_run_returns_the_message_from_ec2_without_byoasn() {
    let function = Function::start();
    let passed = json!({
        "DryRun": true, "IpamId": IPAM, "Asn": "64500",
        "Message": "Request would have succeeded, but DryRun flag is set.",
    });
    assert_eq!(function.invoke(&json!({ "IpamId": IPAM, "Asn": "as64500", "DryRun": true })), Ok(passed));
    assert_eq!(function.calls(), [DRY_RUN]);
    assert_eq!(function.ec2.world().asns[0].state, "provisioned");
}

#[test]
fn dry_run_passes_by_its_code_with_any_status() {
    for status in [400, 403, 412, 500] {
        let function = Function::with_world(World { dry_run_status: status, ..World::default() });
        let response = function.invoke(&request_with(&json!({ "DryRun": true }))).expect("a passed dry run");
        assert_eq!(response["DryRun"], true, "{status}");
        assert_eq!(function.ec2.world().asns[0].state, "provisioned");
    }
}
