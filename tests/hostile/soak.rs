//! One process for very many invocations, good and bad: what it takes stays what it was.
//!
//! `SOAK_INVOCATIONS` sets how many. The times are printed, not asserted: they are the machine's.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{
        Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
        Break, Fault, Point, World,
    },
    runtime_api::{Deadline, Invocation},
};

use crate::{secret_free, support::*};

/// A line of `/proc/PID/status`, in KiB.
pub fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect(name);
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process lives").count()
}

/// What each invocation of a round meets, and how it ends.
fn round() -> Vec<(Value, Option<Fault>, &'static str)> {
    let breaks = |at, by| Some(Fault::Breaks { at, by, status: 200, after_effect: true });
    let refusal = |message: &str| Some(Fault::error(400, "SomeCode", message));
    vec![
        (request(), None, ""),
        (request_with(&json!({ "DryRun": true })), None, ""),
        (request_with(&json!({ "DryRunFirst": true })), None, ""),
        (request(), Some(Fault::LastAnswer { seconds: 0.0 }), ""),
        (request(), Some(Fault::Throttle), "RequestLimitExceeded"),
        (request(), Some(Fault::Reset { after_effect: true }), "Ec2Unreachable"),
        (request(), Some(Fault::Close { after_effect: false }), "Ec2Unreachable"),
        (request(), breaks(Point::HalfBody, Break::Reset), "Ec2Unreachable"),
        (request(), breaks(Point::Head, Break::Garbage), "Ec2BadResponse"),
        (request(), Some(Fault::Html { status: 502 }), "Ec2BadResponse"),
        (request(), None, ""),
        (request(), refusal("No."), "SomeCode"),
        (request(), refusal(&"m".repeat(10_000)), "SomeCode"),
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
fn memory_and_descriptors_stay_flat_over_very_many_invocations() {
    let invocations: usize = env::var("SOAK_INVOCATIONS").map_or(4_000, |n| n.parse().expect("SOAK_INVOCATIONS"));
    let round = round();
    let hang = (request(), Some(Fault::Hang { after_effect: true }), "Ec2Timeout");
    // One attempt, or most of the time would be the SDK's waiting between two.
    let function = Setup::new(World::default()).set("AWS_MAX_ATTEMPTS", "1").start();
    let pid = function.pid();
    let tenth = (invocations / 10 / round.len()).max(1) * round.len();
    let start = Instant::now();
    let mut tenths = Vec::new();
    for number in 1..=10 {
        // Those that time out on purpose are not timed.
        let mut times = Vec::with_capacity(tenth);
        for i in 0..tenth {
            // Rare, because each takes its time.
            let (event, fault, expected) = if i % 200 == 199 { &hang } else { &round[i % round.len()] };
            function.ec2.set_world(World::default());
            if let Some(fault) = fault {
                function.ec2.fault(DeprovisionIpamByoasn, fault.clone());
                if matches!(fault, Fault::Error { .. }) {
                    function.ec2.fault(DescribeIpamByoasn, Fault::Throttle);
                    function.ec2.fault(DescribeByoipCidrs, Fault::HalfAnswer);
                }
            }
            let deadline = Deadline::In(Duration::from_millis(if *expected == "Ec2Timeout" { 500 } else { 20_000 }));
            let sent = Instant::now();
            let id = function.api.send(Invocation { deadline, ..Invocation::new(event.to_string()) });
            let answer = function.api.answer(&id, Duration::from_secs(30)).expect("an answer");
            if *expected != "Ec2Timeout" {
                times.push(sent.elapsed());
            }
            match outcome(&answer) {
                Ok(_) => assert_eq!(*expected, "", "{event} with {fault:?}"),
                Err((error_type, message)) => assert_eq!(error_type, *expected, "{message}"),
            }
        }
        times.sort_unstable();
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let (rss, fds) = (memory(pid, "VmRSS"), descriptors(pid));
        println!("{number}0 %: RSS {rss} KiB, {fds} descriptors, p50 {p50:?}, p99 {p99:?}");
        tenths.push((rss, fds, p99));
    }
    let ((rss, fds, p99), (last_rss, last_fds, last_p99)) = (tenths[0], tenths[9]);
    println!(
        "{} invocations in {:.0} s: RSS {rss} to {last_rss} KiB, descriptors {fds} to {last_fds}, p99 {:.2} times the first tenth's",
        10 * tenth,
        start.elapsed().as_secs_f64(),
        last_p99.as_secs_f64() / p99.as_secs_f64()
    );
    // The allocator takes a little more now and then; a leak of 100 bytes an invocation would be 20 MB.
    assert!(last_rss <= rss + 4 * 1024, "{rss} KiB after a tenth, {last_rss} KiB at the end");
    // A connection may be open, or not, whenever one looks.
    assert!(last_fds <= fds + 2, "{fds} after a tenth, {last_fds} at the end");
    assert_eq!(secret_free(function.raw_log()).len(), 10 * tenth, "one line an invocation");
}
