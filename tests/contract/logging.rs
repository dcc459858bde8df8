//! The log's format, its levels and its content.

use serde_json::{Value, json};
use stand_ins::{
    ec2::{Action::DeprovisionIpamByoasn, Asn, Fault, World},
    runtime_api::Invocation,
};

use crate::support::*;

/// Whether a value is a UTC timestamp in RFC 3339 format. Without it, Lambda's level filter treats a line as INFO.
fn is_timestamp(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00:00:00") && text.ends_with('Z')
}

fn without_timestamp(mut line: Value) -> Value {
    assert!(is_timestamp(&line["timestamp"]), "{line}");
    line.as_object_mut().expect("object").remove("timestamp");
    line
}

#[test]
fn each_invocation_logs_one_outcome_line() {
    let function = Function::start();
    for (id, event) in [
        ("id-1", request_with(&json!({ "DryRun": true }))),
        ("id-2", request()),
        ("id-3", request()),
        ("id-4", json!({})),
    ] {
        let id = function.api.send(Invocation { request_id: Some(id.into()), ..Invocation::new(event.to_string()) });
        assert!(function.api.wait_for_response(&id, std::time::Duration::from_secs(30)).is_some());
    }
    function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(403, "UnauthorizedOperation", "No."));
    let (_, message) = function.invoke(&request()).expect_err("an error");

    let mut log: Vec<_> = function.log().into_iter().map(without_timestamp).collect();
    let last = log.pop().expect("a line");
    let span = |id: &str| json!({ "name": "invocation", "requestId": id });
    let request = json!({ "ipam_id": IPAM, "asn": "64500" });
    let line = |members: Value| {
        let mut line = request.clone();
        line.as_object_mut().expect("object").extend(members.as_object().expect("object").clone());
        line
    };
    assert_eq!(
        log,
        [
            line(
                json!({ "level": "INFO", "message": "the dry run has passed; nothing was changed", "dry_run": true, "describe_only": false, "span": span("id-1") })
            ),
            line(json!({
                "level": "INFO", "message": "EC2 has accepted the deprovisioning", "dry_run": false, "describe_only": false, "state": "pending-deprovision",
                "span": span("id-2"),
            })),
            line(json!({
                "level": "INFO", "message": "EC2 had already accepted the deprovisioning", "dry_run": false, "describe_only": false,
                "state": "pending-deprovision", "span": span("id-3"),
            })),
            json!({
                "level": "ERROR", "message": "`IpamId` is missing. Nothing was sent to EC2.",
                "error_type": "InvalidEvent", "span": span("id-4"),
            }),
        ]
    );
    assert_eq!(last["span"]["requestId"].as_str().map(str::is_empty), Some(false));
    assert_eq!(last["message"], message);
    assert_eq!(last["level"], "ERROR");
    assert_eq!(last["error_type"], "UnauthorizedOperation");
    assert_eq!(last["ipam_id"], IPAM);
    assert_eq!(last["asn"], "64500");
    assert_eq!(last["dry_run"], false);
}

#[test]
fn failed_deprovision_is_logged_with_its_state() {
    let function = Function::start();
    function
        .ec2
        .queue_fault(DeprovisionIpamByoasn, Fault::State { state: "failed-deprovision".into(), status_message: None });
    assert_error(function.invoke(&request()), "DeprovisionFailed", &[]);
    let log = function.log();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["state"], "failed-deprovision");
}

#[test]
fn log_level_follows_lambda() {
    for (level, lines) in [("ERROR", 1), ("FATAL", 1), ("warn", 1), ("INFO", 2), ("DEBUG", 2), ("TRACE", 2)] {
        let function = Setup::new(World::default()).set("AWS_LAMBDA_LOG_LEVEL", level).start();
        assert_eq!(function.invoke(&request()), Ok(pending()));
        assert_error(function.invoke(&json!({})), "InvalidEvent", &[]);
        let log = function.log();
        assert_eq!(log.len(), lines, "{level}: {log:?}");
        assert!(log.iter().all(|line| line["span"]["requestId"].is_string()), "{log:?}");
    }
}

#[test]
fn text_format_is_plain_text() {
    let function = Setup::new(World::default()).set("AWS_LAMBDA_LOG_FORMAT", "Text").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    let log = function.raw_log();
    assert_eq!(log.len(), 1);
    assert!(log[0].contains(" INFO ") && log[0].contains("EC2 has accepted"), "{log:?}");
    assert!(log[0].contains("state=\"pending-deprovision\"") && !log[0].contains('\u{1b}'), "{log:?}");
}

#[test]
fn credentials_and_signatures_are_redacted_at_every_level() {
    let echo = "Bad: {authorization} and {session_token}";
    for level in ["TRACE", "INFO"] {
        let function = Setup::new(World::default()).set("AWS_LAMBDA_LOG_LEVEL", level).set("RUST_LOG", "trace").start();
        let mut texts = Vec::new();
        for event in [request(), request_with(&json!({ "DryRun": true }))] {
            for code in ["AuthFailure", "IncorrectState", "DryRunOperation", echo] {
                function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, code, echo));
                texts.push(match function.invoke(&event) {
                    Ok(response) => response.to_string(),
                    Err((error_type, message)) => format!("{error_type}: {message}"),
                });
            }
        }
        let message = Some(format!("{echo} {SECRET_ACCESS_KEY}"));
        function.ec2.queue_fault(
            DeprovisionIpamByoasn,
            Fault::State { state: "failed-deprovision".into(), status_message: message },
        );
        texts.push(assert_error(function.invoke(&request()), "DeprovisionFailed", &[]));
        let asn = Asn::new("64500", IPAM).state("failed-deprovision").status_message(SESSION_TOKEN);
        function.ec2.set_world(World { asns: vec![asn], ..World::default() });
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "IncorrectState", "No."));
        texts.push(assert_error(function.invoke(&request()), "IncorrectState", &["failed-deprovision ([redacted])"]));
        assert!(
            texts.iter().any(|text| text.contains("Signature=[redacted]")),
            "the response contains the request's signature: {texts:?}"
        );
        texts.extend(function.raw_log());
        for text in texts {
            for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN] {
                assert!(!text.contains(secret), "{text}");
            }
            let hex = text.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
            assert!(hex < Some(64), "a signature: {text}");
        }
    }
}
