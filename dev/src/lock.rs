//! Shared state between a server's thread and the test's.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks even after a panic elsewhere: a failed assertion must not turn into failures of the
/// server that hide it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
