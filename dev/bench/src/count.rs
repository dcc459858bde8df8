//! Instructions instead of time: a count hardly depends on the machine or on what else it does.
//!
//! The program runs under valgrind's callgrind, which counts every instruction outside the kernel, and is ended by
//! SIGTERM while it waits for work. What a phase costs is the difference between two runs that end before and after.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::candidate::Candidate;
use crate::start::Stage;
use crate::stats::Summary;

/// Runs of each kind. Their median is told: hash seeds, signatures and key exchange differ from run to run.
const RUNS: usize = 3;

/// The instructions of a start, by phase.
#[derive(Clone, Debug, Serialize)]
pub struct Instructions {
    /// From `exec` to the first poll.
    pub init: Summary,
    /// From there to the next poll, with an invocation between them.
    pub first_answer: Summary,
}

pub fn instructions(stage: &Stage, candidate: &Candidate) -> Result<Instructions, Box<dyn Error>> {
    let mut init = Vec::new();
    let mut both = Vec::new();
    for _ in 0..RUNS {
        init.push(run(stage, candidate, 0)?);
        both.push(run(stage, candidate, 1)?);
    }
    let init = Summary::of(init).ok_or("no run")?;
    let first_answer = Summary::of(both.into_iter().map(|it| it - init.median)).ok_or("no run")?;
    Ok(Instructions { init, first_answer })
}

fn run(stage: &Stage, candidate: &Candidate, invocations: usize) -> Result<f64, Box<dyn Error>> {
    let profile = stage.scratch_file("callgrind.out");
    let candidate = Candidate { command: under_callgrind(&candidate.command, &profile), ..candidate.clone() };
    stage.start_and_end(&candidate, invocations)?;
    let profile = fs::read_to_string(profile)?;
    total(&profile).ok_or_else(|| "callgrind wrote no total".into())
}

fn under_callgrind(command: &[OsString], profile: &Path) -> Vec<OsString> {
    let mut profile_option = OsString::from("--callgrind-out-file=");
    profile_option.push(profile);
    let valgrind = ["valgrind".into(), "--tool=callgrind".into(), "--quiet".into(), profile_option];
    valgrind.into_iter().chain(command.iter().cloned()).collect()
}

/// The instructions of all threads.
fn total(profile: &str) -> Option<f64> {
    profile.lines().rev().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_the_end_of_a_profile() {
        let profile = "version: 1\nevents: Ir\nsummary: 300230\n\nfn=(1)\n0 12\n\ntotals: 300230\n";
        assert_eq!(total(profile), Some(300_230.0));
        assert_eq!(total("version: 1\n"), None);
    }

    #[test]
    fn callgrind_comes_before_the_command() {
        let command = under_callgrind(&["python".into(), "-m".into()], Path::new("/tmp/out"));
        assert_eq!(
            command,
            ["valgrind", "--tool=callgrind", "--quiet", "--callgrind-out-file=/tmp/out", "python", "-m"]
        );
    }
}
