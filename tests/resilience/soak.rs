//! Soak test: memory and file descriptors of one process over many invocations.
//!
//! `SOAK_INVOCATIONS` sets the number of invocations. Times are printed but not asserted, because they depend on the
//! machine.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{
        Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
        Fault, Interruption, Point, World,
    },
    runtime_api::{Deadline, Invocation},
};

use crate::support::*;

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is running").count()
}

/// The invocations of a round: event, fault, and the expected error type, empty for a success.
fn round() -> Vec<(Value, Option<Fault>, &'static str)> {
    let interrupted = |at, by| Some(Fault::Interrupted { at, by, status: 200, after_effect: true });
    let rejection = |message: &str| Some(Fault::error(400, "SomeCode", message));
    vec![
        (request(), None, ""),
        (request_with(&json!({ "DryRun": true })), None, ""),
        (request_with(&json!({ "DryRunFirst": true })), None, ""),
        (request(), Some(Fault::CloseAfterResponse { seconds: 0.0 }), ""),
        (request(), Some(Fault::Throttle), "RequestLimitExceeded"),
        (request(), Some(Fault::Reset { after_effect: true }), "Ec2Unreachable"),
        (request(), Some(Fault::Close { after_effect: false }), "Ec2Unreachable"),
        (request(), interrupted(Point::HalfBody, Interruption::Reset), "Ec2Unreachable"),
        (request(), interrupted(Point::Head, Interruption::Garbage), "Ec2BadResponse"),
        (request(), Some(Fault::Html { status: 502 }), "Ec2BadResponse"),
        (request(), None, ""),
        (request(), rejection("No."), "SomeCode"),
        (request(), rejection(&"m".repeat(10_000)), "SomeCode"),
        (
            request_with(&json!({ "DryRun": true })),
            Some(Fault::DryRunIgnored { after_effect: true }),
            "DryRunNotHonored",
        ),
        (json!({ "IpamId": IPAM, "Asn": 1, "dryRun": true }), None, "InvalidEvent"),
        (json!({ "x": "y".repeat(10_000) }), None, "InvalidEvent"),
        (request(), None, ""),
        (request(), None, ""),
        (request(), None, ""),
        (request(), None, ""),
    ]
}

#[test]
fn soak_memory_and_descriptors_stay_flat() {
    let invocations: usize = env::var("SOAK_INVOCATIONS").map_or(4_000, |n| n.parse().expect("SOAK_INVOCATIONS"));
    let round = round();
    let hang = (request(), Some(Fault::Hang { after_effect: true }), "Ec2Timeout");
    // One attempt, because the SDK's delays between attempts would take most of the time.
    let function = Setup::new(World::default()).set("AWS_MAX_ATTEMPTS", "1").start();
    let pid = function.pid();
    let tenth = (invocations / 10 / round.len()).max(1) * round.len();
    let start = Instant::now();
    let mut tenths = Vec::new();
    for number in 1..=10 {
        // Timeouts are not measured.
        let mut times = Vec::with_capacity(tenth);
        for i in 0..tenth {
            // Timeouts are rare, because each takes 0.5 s.
            let (event, fault, expected) = if i % 200 == 199 { &hang } else { &round[i % round.len()] };
            function.ec2.set_world(World::default());
            if let Some(fault) = fault {
                function.ec2.queue_fault(DeprovisionIpamByoasn, fault.clone());
                if matches!(fault, Fault::Error { .. }) {
                    function.ec2.queue_fault(DescribeIpamByoasn, Fault::Throttle);
                    function.ec2.queue_fault(DescribeByoipCidrs, Fault::HalfResponse);
                }
            }
            let deadline = Deadline::In(Duration::from_millis(if *expected == "Ec2Timeout" { 500 } else { 20_000 }));
            let sent = Instant::now();
            let id = function.api.send(Invocation { deadline, ..Invocation::new(event.to_string()) });
            let response = function.api.wait_for_response(&id, Duration::from_secs(30)).expect("a response");
            if *expected != "Ec2Timeout" {
                times.push(sent.elapsed());
            }
            match outcome(&response) {
                Ok(_) => assert_eq!(*expected, "", "{event} with {fault:?}"),
                Err((error_type, message)) => assert_eq!(error_type, *expected, "{message}"),
            }
        }
        times.sort_unstable();
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let (rss, fds) = (function.memory_kib("VmRSS"), descriptors(pid));
        println!("{number}0 %: RSS {rss} KiB, {fds} descriptors, p50 {p50:?}, p99 {p99:?}");
        tenths.push((rss, fds, p99));
    }
    let ((rss, fds, p99), (last_rss, last_fds, last_p99)) = (tenths[0], tenths[9]);
    println!(
        "{} invocations in {:.0} s: RSS {rss} to {last_rss} KiB, descriptors {fds} to {last_fds}, p99 of the last tenth {:.2} times that of the first",
        10 * tenth,
        start.elapsed().as_secs_f64(),
        last_p99.as_secs_f64() / p99.as_secs_f64()
    );
    // The allocator grows a little over time. A leak of 100 bytes an invocation would be 20 MB.
    assert!(last_rss <= rss + 4 * 1024, "{rss} KiB after a tenth, {last_rss} KiB at the end");
    // Connections may be open or closed at the time of measurement.
    assert!(last_fds <= fds + 2, "{fds} after a tenth, {last_fds} at the end");
    assert_eq!(assert_no_secrets(function.raw_log()).len(), 10 * tenth, "expected one line an invocation");
}
