//! Counts instructions, which hardly depend on the machine and its load, unlike time.
//!
//! valgrind's callgrind counts the instructions of all threads outside the kernel. The program is ended with SIGTERM while it
//! waits for an invocation.

use std::error::Error;
use std::fs;

use serde::Serialize;

use crate::candidate::Candidate;
use crate::harness::{Harness, Trust};

/// Runs of each kind; the median is reported, because hash seeds, keys and signatures differ from run to run.
const RUNS: usize = 3;

#[derive(Serialize)]
pub struct Instructions {
    /// From `exec` to the first `/next`.
    init_instructions: u64,
    /// From there to the next `/next`, with one invocation in between.
    first_response_instructions: u64,
}

pub fn count(harness: &Harness, candidate: &Candidate) -> Result<Instructions, Box<dyn Error>> {
    let median = |trust, invocations| -> Result<u64, Box<dyn Error>> {
        let mut counts =
            (0..RUNS).map(|_| run(harness, candidate, trust, invocations)).collect::<Result<Vec<_>, _>>()?;
        counts.sort_unstable();
        Ok(counts[RUNS / 2])
    };
    Ok(Instructions {
        init_instructions: median(Trust::Default, 0)?,
        first_response_instructions: median(Trust::TestCa, 1)?.saturating_sub(median(Trust::TestCa, 0)?),
    })
}

fn run(harness: &Harness, candidate: &Candidate, trust: Trust, invocations: usize) -> Result<u64, Box<dyn Error>> {
    let profile = harness.file("callgrind.out");
    let mut command = vec!["valgrind".into(), "--tool=callgrind".into(), "--quiet".into()];
    command.push(format!("--callgrind-out-file={}", profile.display()).into());
    command.extend(candidate.command.iter().cloned());
    let candidate = Candidate { command, ..candidate.clone() };
    let mut function = harness.start(&candidate, trust, None)?;
    for _ in 0..invocations {
        function.invoke()?;
    }
    function.terminate()?;
    total(&fs::read_to_string(profile)?).ok_or_else(|| "callgrind wrote no total".into())
}

fn total(profile: &str) -> Option<u64> {
    profile.lines().rev().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_at_the_end_of_a_profile() {
        assert_eq!(total("version: 1\nsummary: 300230\n\nfn=(1)\n0 12\n\ntotals: 300230\n"), Some(300_230));
        assert_eq!(total("version: 1\n"), None);
    }
}
