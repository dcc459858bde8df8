//! Runs scenarios in parallel.

use std::{
    sync::Mutex,
    thread::{self, ScopedJoinHandle},
};

/// Runs each scenario on one of these threads. Returns the results in the order of the scenarios.
pub fn map<T: Send, R: Send>(scenarios: Vec<T>, threads: usize, run: impl Fn(T) -> R + Sync) -> Vec<R> {
    let queue = Mutex::new(scenarios.into_iter().enumerate());
    let next = || queue.lock().expect("queue").next();
    let work = || {
        let mut done = Vec::new();
        while let Some((i, scenario)) = next() {
            done.push((i, run(scenario)));
        }
        done
    };
    let mut results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<ScopedJoinHandle<'_, Vec<(usize, R)>>> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a scenario has panicked")).collect()
    });
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
