//! The time that an invocation may spend on its calls to EC2.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Reserved for sending the response to the Runtime API. That takes milliseconds, but a small function has a tenth of a
/// processor.
const RESPONSE_MARGIN: Duration = Duration::from_millis(500);

/// The time for EC2 if the deadline of the invocation is not known.
const DEFAULT_TIME: Duration = Duration::from_secs(15);

/// The longest timeout of a Lambda function. No deadline is further away.
const MAX_TIME: Duration = Duration::from_mins(15);

/// The instant until which EC2 may take, for a deadline in milliseconds since 1970.
///
/// A deadline in the past means that it is not known: `cargo lambda watch` always sends 600000.
#[must_use]
pub fn for_ec2(deadline_ms: u64) -> Instant {
    Instant::now() + time_left(deadline_ms, SystemTime::now())
}

fn time_left(deadline_ms: u64, now: SystemTime) -> Duration {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    match Duration::from_millis(deadline_ms).checked_sub(now) {
        None | Some(Duration::ZERO) => DEFAULT_TIME,
        // The margin is at most a fifth, so that a short time is still mostly for EC2.
        Some(left) => left.min(MAX_TIME).saturating_sub(RESPONSE_MARGIN.min(left / 5)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_reserved_and_the_past_means_unknown() {
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
