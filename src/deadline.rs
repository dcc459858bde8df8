//! The time that an invocation has for its calls to EC2.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Left for the answer to reach the Runtime API: it takes milliseconds, and a small function has a
/// tenth of a processor.
const MARGIN: Duration = Duration::from_millis(500);

/// The time for EC2 where the invocation's deadline is unknown.
const UNKNOWN: Duration = Duration::from_secs(15);

/// Lambda's longest timeout: no deadline lies farther away.
const LONGEST: Duration = Duration::from_mins(15);

/// When EC2 must have answered, for a deadline in milliseconds since 1970.
///
/// A deadline in the past means that nobody knows it: `cargo lambda watch` always sends 600000.
#[must_use]
pub fn for_ec2(deadline_ms: u64) -> Instant {
    Instant::now() + time_left(deadline_ms, SystemTime::now())
}

fn time_left(deadline_ms: u64, now: SystemTime) -> Duration {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    match Duration::from_millis(deadline_ms).checked_sub(now) {
        None | Some(Duration::ZERO) => UNKNOWN,
        // A margin of a fifth at the most: a call that has little time is better than none.
        Some(left) => left.min(LONGEST).saturating_sub(MARGIN.min(left / 5)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_kept_and_the_past_is_unknown() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
        let at = |ms: i64| time_left(1_800_000_000_123_u64.saturating_add_signed(ms), now).as_millis();
        assert_eq!(at(30_000), 29_500);
        assert_eq!(at(3_000), 2_500);
        assert_eq!(at(1_000), 800);
        assert_eq!(at(0), 15_000);
        assert_eq!(at(-1), 15_000);
        assert_eq!(time_left(600_000, now).as_millis(), 15_000);
        assert_eq!(time_left(0, now).as_millis(), 15_000);
        assert_eq!(time_left(u64::MAX, now).as_millis(), 899_500);
    }
}
