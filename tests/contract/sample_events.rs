//! The sample events in `events/` lead to the calls and errors that docs/reference.md describes.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;
use stand_ins::ec2::{Asn, World};

use crate::support::*;

const VALID: [(&str, &[&str]); 9] = [
    ("asdot-asn", &["DeprovisionIpamByoasn Asn=65546 IpamId=ipam-0123456789abcdef0"]),
    ("describe-only", &[DESCRIBE_CIDRS, DESCRIBE_BYOASN]),
    ("direct", &[DEPROVISION]),
    ("dry-run", &[DRY_RUN]),
    ("dry-run-first", &[DRY_RUN, DEPROVISION]),
    ("eventbridge", &[DEPROVISION]),
    ("integer-asn", &[DEPROVISION]),
    ("prefixed-asn", &[DEPROVISION]),
    ("scheduler", &[DRY_RUN, DEPROVISION]),
];

const INVALID: [(&str, &str); 4] = [
    ("asdot-as-number", "`Asn` is `1.10`"),
    ("dry-run-twice", "`DryRun` is given twice"),
    ("ipam-pool-id", "the ID of an IPAM pool;"),
    ("misspelt-dry-run", "did you mean `DryRun`?"),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/events"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.is_file()).map(|path| path.file_stem().expect("a name").to_string_lossy().into()).collect()
}

#[test]
fn valid_sample_events_make_their_calls() {
    assert_eq!(names(folder()), VALID.map(|(name, _)| name.to_owned()).into());
    for (name, calls) in VALID {
        let asns = ["64500", "64501", "65546"].map(|asn| Asn::new(asn, IPAM)).into();
        let function = Function::with_world(World { asns, ..World::default() });
        let response = function.invoke_text(fs::read(folder().join(format!("{name}.json"))).expect("a file"));
        let response = response.expect(name);
        match name {
            "describe-only" => assert_eq!(response["DescribeOnly"], json!(true)),
            "dry-run" => assert_eq!(response["DryRun"], json!(true)),
            _ => assert_eq!(response["Byoasn"]["State"], "pending-deprovision"),
        }
        let mut actual = function.calls();
        if name == "describe-only" {
            // Both lists are read at the same time.
            actual.sort();
        }
        assert_eq!(actual, calls, "{name}");
    }
}

#[test]
fn invalid_sample_events_are_rejected_with_their_reason() {
    assert_eq!(names(&folder().join("invalid")), INVALID.map(|(name, _)| name.to_owned()).into());
    let function = Function::start();
    for (name, reason) in INVALID {
        let event = fs::read(folder().join(format!("invalid/{name}.json"))).expect("a file");
        assert_error(function.invoke_text(event), "InvalidEvent", &[reason]);
    }
    assert_eq!(function.calls(), Vec::<String>::new());
}

#[test]
fn the_reference_lists_every_sample_event() {
    let reference = fs::read_to_string(folder().join("../docs/reference.md")).expect("docs/reference.md");
    for name in
        VALID.map(|(name, _)| name.to_owned()).into_iter().chain(INVALID.map(|(name, _)| format!("invalid/{name}")))
    {
        assert!(reference.contains(&format!("events/{name}.json")), "{name}");
    }
}
