use serde_json::json;
use stand_ins::ec2::{StandIn, World};

use crate::client::{Client, Response, deprovision, describe_states};

fn control(ec2: &StandIn, method: &str, resource: &str, body: &str) -> Response {
    let path = format!("/_control/{resource}");
    Client::new(ec2.endpoint()).request(method, &path, "", body)
}

#[test]
fn calls_can_be_listed_and_cleared() {
    let ec2 = StandIn::start(World::default());
    describe_states(&ec2);
    assert_eq!(
        control(&ec2, "GET", "calls", "").json(),
        json!([{
            "action": "DescribeIpamByoasn",
            "params": {},
            "access_key_id": "AKID",
            "region": "us-east-1",
        }])
    );
    assert_eq!(control(&ec2, "DELETE", "calls", "").status, 204);
    assert_eq!(control(&ec2, "GET", "calls", "").json(), json!([]));
}

#[test]
fn default_world_as_json() {
    let ec2 = StandIn::start(World::default());
    assert_eq!(
        control(&ec2, "GET", "world", "").json(),
        json!({
            "region": "us-east-1",
            "denied_access_keys": [],
            "denied_actions": [],
            "ipams": ["ipam-0123456789abcdef0"],
            "asns": [{
                "asn": "64500",
                "ipam_id": "ipam-0123456789abcdef0",
                "state": "provisioned",
                "status_message": null,
                "after": {"describes": 2},
                "ends_in": "deprovisioned",
                "end_message": null,
            }],
            "cidrs": [],
            "page_size": 100,
            "dry_run_status": 412,
            "request_id_header": true,
            "codes": {
                "asn_not_found": "InvalidByoasn.NotFound",
                "asn_in_wrong_state": "IncorrectState",
                "still_associated": "DependencyViolation",
                "association_not_found": "InvalidAsnAssociation.NotFound",
                "association_in_wrong_state": "IncorrectState",
            },
        })
    );
}

#[test]
fn world_can_be_read_and_restored() {
    let ec2 = StandIn::start(World::default());
    let world = control(&ec2, "GET", "world", "").body;
    deprovision(&ec2);
    assert_eq!(control(&ec2, "PUT", "world", &world).status, 204);
    assert_eq!(control(&ec2, "GET", "world", "").body, world);
}

#[test]
fn new_world_clears_faults_and_calls() {
    let ec2 = StandIn::start(World::default());
    let faults = r#"{"action": "DescribeIpamByoasn", "faults": [{"kind": "throttle"}]}"#;
    assert_eq!(control(&ec2, "POST", "faults", faults).status, 204);
    deprovision(&ec2);
    let world = r#"{"asns": [{"asn": "1", "ipam_id": "ipam-0", "state": "failed-provision"}]}"#;
    assert_eq!(control(&ec2, "PUT", "world", world).status, 204);
    assert_eq!(ec2.calls(), []);
    assert_eq!(describe_states(&ec2), ["failed-provision"]);
}

#[test]
fn every_fault_kind_has_a_json_name() {
    let ec2 = StandIn::start(World::default());
    let faults = json!({"action": "DescribeIpamByoasn", "faults": [
        {"kind": "throttle"},
        {"kind": "error", "status": 500, "code": "InternalError", "message": "m"},
        {"kind": "no-code", "status": 500},
        {"kind": "empty-body", "status": 500},
        {"kind": "html", "status": 502},
        {"kind": "truncated-xml", "status": 200},
        {"kind": "slow", "seconds": 2},
        {"kind": "slow", "seconds": 0.5, "after_effect": true},
        {"kind": "hang"},
        {"kind": "reset", "after_effect": true},
        {"kind": "close"},
        {"kind": "half-response"},
        {"kind": "interrupted", "at": "half-body", "by": "garbage"},
        {"kind": "interrupted", "at": "start", "by": {"drip": {"seconds": 1}}, "status": 503, "after_effect": true},
        {"kind": "close-after-response"},
        {"kind": "no-byoasn"},
        {"kind": "state", "state": "failed-deprovision", "status_message": "m"},
        {"kind": "dry-run-ignored", "after_effect": true},
        {"kind": "raw", "status": 200, "headers": {"a": "b"}, "body": "c"},
    ]});
    let response = control(&ec2, "POST", "faults", &faults.to_string());
    assert_eq!(response.status, 204, "{}", response.body);
}

#[test]
fn invalid_control_requests_are_rejected_with_a_reason() {
    let ec2 = StandIn::start(World::default());
    for (method, resource, body, reason) in [
        ("PUT", "world", "{", "EOF while parsing"),
        ("PUT", "world", r#"{"regoin": "x"}"#, "unknown field `regoin`"),
        ("PUT", "world", r#"{"page_size": 0}"#, "page_size is 0; expected at least 1"),
        ("PUT", "world", r#"{"dry_run_status": 200}"#, "dry_run_status is 200"),
        (
            "PUT",
            "world",
            r#"{"asns": [{"asn": "1", "ipam_id": "i", "after": {"seconds": -1}}]}"#,
            "after is -1 seconds",
        ),
        ("POST", "faults", r#"{"action": "RunInstances", "faults": []}"#, "unknown variant `RunInstances`"),
        (
            "POST",
            "faults",
            r#"{"action": "DescribeIpamByoasn", "faults": [{"kind": "flood"}]}"#,
            "unknown variant `flood`",
        ),
        (
            "POST",
            "faults",
            r#"{"action": "DescribeIpamByoasn", "faults": [{"kind": "hang", "after": 1}]}"#,
            "unknown field `after`",
        ),
        (
            "POST",
            "faults",
            r#"{"action": "DescribeIpamByoasn", "faults": [{"kind": "html", "status": 99}]}"#,
            "status is 99",
        ),
        (
            "POST",
            "faults",
            r#"{"action": "DescribeIpamByoasn", "faults": [{"kind": "slow", "seconds": -1}]}"#,
            "seconds is -1",
        ),
    ] {
        let response = control(&ec2, method, resource, body);
        assert_eq!(response.status, 400, "{body}");
        let message = response.json()["message"].to_string();
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(control(&ec2, "POST", "world", "{}").status, 405);
    assert_eq!(control(&ec2, "GET", "weather", "").status, 404);
    assert_eq!(describe_states(&ec2), ["provisioned"]);
}
