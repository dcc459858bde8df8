//! The properties hold for each seed and for each sample event.

#![allow(clippy::expect_used, reason = "a test that cannot read its files has failed")]

use std::{fs, path::Path};

/// Runs `check` on each file of a folder. The output of a failed test names the file.
fn check_files(folder: &str, check: impl Fn(&[u8])) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(path).expect("the folder exists").map(|entry| entry.expect("the entry is readable"));
    let files: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    assert!(!files.is_empty(), "{folder} is empty");
    for file in files {
        println!("{}", file.display());
        check(&fs::read(file).expect("the file is readable"));
    }
}

#[test]
fn events_follow_the_request_table() {
    for folder in ["seeds/event", "../../events", "../../events/invalid"] {
        check_files(folder, fuzz::event::check);
    }
}

#[test]
fn responses_are_read_strictly() {
    check_files("seeds/response", fuzz::response::check);
}
