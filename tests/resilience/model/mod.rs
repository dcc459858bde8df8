//! Model test: random sequences of invocations, faults, crashes and changes by others. Invariants are checked after
//! each step.
//!
//! `MODEL_SEQUENCES` sets the number of sequences and `MODEL_SEED` the seed. A failure prints both and the shortest
//! failing sequence. `MODEL_DEADLINE_MS` sets the deadline of invocations with a call that hangs.

mod run;
mod sequence;

use std::{cell::Cell, env};

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::run::Sandbox;
use crate::resilience::parallel;

/// Threads. Each has its own sandbox.
const WORKERS: u64 = 4;

/// One in this many sequences runs with the SDK's retries, which take seconds.
const RETRY_INTERVAL: usize = 100;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable}={value} is not a number")))
}

#[test]
fn random_sequences_uphold_invariants() {
    let seed = number("MODEL_SEED").unwrap_or_else(rand_seed);
    let sequences = number("MODEL_SEQUENCES").unwrap_or(2_000);
    println!("MODEL_SEED={seed} MODEL_SEQUENCES={sequences}");
    let totals = parallel::map((0..WORKERS).collect(), 4, |worker| {
        let cases = u32::try_from(sequences.div_ceil(WORKERS)).expect("fewer sequences");
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_of(seed, worker));
        let (without_retries, with_retries) = (Cell::new(None), Cell::new(None));
        let (count, total) = (Cell::new(0), Cell::new(run::Total::default()));
        let result = TestRunner::new_with_rng(config, rng).run(&sequence::steps(), |steps| {
            count.set(count.get() + 1);
            let (sandbox, attempts) =
                if count.get() % RETRY_INTERVAL == 0 { (&with_retries, "3") } else { (&without_retries, "1") };
            // A sandbox is not used again after a failure.
            let mut used = sandbox.take().unwrap_or_else(|| Sandbox::start(attempts));
            total.set(total.get() + used.run(&steps));
            sandbox.set(Some(used));
            Ok(())
        });
        if let Err(error) = result {
            panic!("MODEL_SEED={seed} MODEL_SEQUENCES={sequences}, worker {worker}: {error}");
        }
        total.get()
    });
    let total = totals.into_iter().fold(run::Total::default(), |sum, total| sum + total);
    println!("{total:?}");
    assert!(
        [total.successes, total.errors, total.crashes, total.reports, total.dry_runs_not_honored]
            .iter()
            .all(|n| *n > 0),
        "something never happens in the sequences: {total:?}"
    );
}

fn rand_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) >> 32
}

fn seed_of(seed: u64, worker: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&worker.to_le_bytes());
    bytes
}
