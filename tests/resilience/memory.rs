//! Memory while long lists are read.

use serde_json::json;
use stand_ins::ec2::{
    Action::{DeprovisionIpamByoasn, DescribeByoipCidrs},
    Fault,
};

use crate::support::*;

/// Few enough for an unoptimized build, which needs a quarter of a second for each.
const PAGES: usize = 20;

/// Just below the size limit of a response.
const CIDR_BYTES: usize = 900_000;

/// The growth that is allowed. All CIDRs together have 18 MB.
const MAX_GROWTH_KIB: u64 = 12 << 10;

/// Queues a list of [`PAGES`] pages. Each has one associated CIDR of [`CIDR_BYTES`].
fn queue_large_list(function: &Function) {
    let cidr = "x".repeat(CIDR_BYTES);
    for page in 1..=PAGES {
        let next = if page == PAGES { String::new() } else { format!("<nextToken>{page}</nextToken>") };
        let body = format!(
            "<DescribeByoipCidrsResponse><byoipCidrSet><item><cidr>{cidr}</cidr><asnAssociationSet><item>\
             <asn>64500</asn><state>associated</state></item></asnAssociationSet></item></byoipCidrSet>{next}\
             </DescribeByoipCidrsResponse>"
        );
        function.ec2.queue_fault(DescribeByoipCidrs, Fault::raw(200, body));
    }
}

/// Runs `invoke` and asserts that all pages were read and that the peak memory grew little.
fn assert_memory_is_bounded(invoke: impl FnOnce(&Function)) {
    let function = Function::start();
    assert!(function.invoke(&request_with(&json!({ "DryRun": true }))).is_ok());
    let before = function.memory_kib("VmHWM");
    queue_large_list(&function);
    invoke(&function);
    let pages = function.calls().iter().filter(|call| call.starts_with("DescribeByoipCidrs")).count();
    assert_eq!(pages, PAGES);
    let peak = function.memory_kib("VmHWM");
    println!("peak memory: {before} KiB before, {peak} KiB after {PAGES} pages");
    assert!(peak < before + MAX_GROWTH_KIB, "{before} KiB before, {peak} KiB after {PAGES} pages");
}

#[test]
fn report_of_long_cidrs_needs_little_memory() {
    assert_memory_is_bounded(|function| {
        let report = function.invoke(&request_with(&json!({ "DescribeOnly": true }))).expect("a report");
        assert_eq!(report["AsnAssociations"].as_array().map(Vec::len), Some(PAGES));
    });
}

#[test]
fn reconcile_with_long_cidrs_needs_little_memory() {
    assert_memory_is_bounded(|function| {
        function.ec2.queue_fault(DeprovisionIpamByoasn, Fault::error(400, "DependencyViolation", "No."));
        assert_error(function.invoke(&request()), "AsnStillAssociated", &["code DependencyViolation, HTTP 400"]);
    });
}
