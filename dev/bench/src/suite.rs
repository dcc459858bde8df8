//! Rounds: every candidate once a round, one after the other, so that what disturbs the machine for a while
//! disturbs them all.

use std::error::Error;

use crate::candidate::Candidate;
use crate::cgroup::Cgroup;
use crate::start::{Stage, Start, Warm};

/// Lambda's smallest size, the usual ones, and the one that has a whole processor.
pub const MEMORY_SIZES_MB: [u32; 5] = [128, 256, 512, 1024, 1769];

/// Starts that nobody counts: they fill the page cache, and Python writes its byte code.
const REHEARSALS: usize = 3;

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub rounds: usize,
    /// How many of the rounds go on with invocations of the warm process.
    pub warm_rounds: usize,
    /// How many invocations those are.
    pub warm: usize,
    /// The rounds at each memory size.
    pub memory_rounds: usize,
}

/// What one candidate showed, round by round.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    pub starts: Vec<Start>,
    pub warm: Vec<Vec<Warm>>,
}

/// Cold starts without a limit, and warm runs. One element for each candidate.
pub fn free(stage: &Stage, candidates: &[Candidate], plan: Plan) -> Result<Vec<Samples>, Box<dyn Error>> {
    for candidate in candidates {
        for _ in 0..REHEARSALS {
            stage.start(candidate, None, 0)?;
        }
    }
    let mut samples = vec![Samples::default(); candidates.len()];
    for round in 0..plan.rounds {
        progress("cold starts", round, plan.rounds);
        let invocations = if round < plan.warm_rounds { plan.warm } else { 0 };
        for (candidate, samples) in candidates.iter().zip(&mut samples) {
            let (start, warm) = stage.start(candidate, None, invocations)?;
            samples.starts.push(start);
            if !warm.is_empty() {
                samples.warm.push(warm);
            }
        }
    }
    Ok(samples)
}

/// The starts at one memory size, one element for each candidate.
#[derive(Clone, Debug)]
pub struct AtSize {
    pub memory_mb: u32,
    pub starts: Vec<Vec<Start>>,
}

/// Cold starts under Lambda's share.
pub fn shared(
    stage: &Stage,
    candidates: &[Candidate],
    cgroup: &Cgroup,
    rounds: usize,
) -> Result<Vec<AtSize>, Box<dyn Error>> {
    let mut sizes =
        MEMORY_SIZES_MB.map(|memory_mb| AtSize { memory_mb, starts: vec![Vec::new(); candidates.len()] }).to_vec();
    for round in 0..rounds {
        progress("cold starts under Lambda's share", round, rounds);
        for AtSize { memory_mb, starts } in &mut sizes {
            for (candidate, starts) in candidates.iter().zip(starts) {
                starts.push(stage.start(candidate, Some((cgroup, *memory_mb)), 0)?.0);
            }
        }
    }
    Ok(sizes)
}

/// A line every ten rounds, for the person who waits.
fn progress(what: &str, round: usize, rounds: usize) {
    if round.is_multiple_of(10) {
        eprintln!("{what}: {round} of {rounds} rounds");
    }
}
