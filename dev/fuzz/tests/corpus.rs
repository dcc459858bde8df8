//! The inputs that fuzzing found worth keeping, and each sample event, hold what is asserted.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_file()).map(|path| fs::read(path).expect("a file")).collect()
}

#[test]
fn each_event_is_read_as_the_request_table_says() {
    for folder in ["corpus/event", "../../events", "../../events/invalid"] {
        let files = files(folder);
        assert!(!files.is_empty(), "{folder} is empty");
        for event in files {
            fuzz::event::check(&event);
        }
    }
}

#[test]
fn each_answer_ends_in_an_error_that_a_caller_can_read() {
    let files = files("corpus/answer");
    assert!(!files.is_empty());
    for answer in files {
        fuzz::answer::check(&answer);
    }
}
