//! What Lambda asks for: x86 in us-east-1, in 2026.

use std::time::Duration;

/// US dollars for a gibibyte of memory held for a second.
const GB_SECOND: f64 = 0.000_016_666_7;

/// US dollars for a million requests.
const MILLION_REQUESTS: f64 = 0.20;

/// What Lambda bills for a time: whole milliseconds, rounded up.
pub fn billed_ms(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// US dollars for a million invocations of this billed time.
pub fn per_million(memory_mb: u32, billed_ms: f64) -> f64 {
    1e6 * (billed_ms / 1e3) * (f64::from(memory_mb) / 1024.0) * GB_SECOND + MILLION_REQUESTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_millisecond_is_billed_whole() {
        assert_eq!(billed_ms(Duration::from_micros(3_001)), 4);
        assert_eq!(billed_ms(Duration::from_millis(3)), 3);
        assert_eq!(billed_ms(Duration::ZERO), 0);
    }

    #[test]
    fn a_million_requests_of_a_second_at_a_gibibyte_cost_what_the_price_list_says() {
        assert!((per_million(1024, 1000.0) - 16.8667).abs() < 1e-4);
        assert!((per_million(128, 0.0) - 0.20).abs() < 1e-9);
    }
}
