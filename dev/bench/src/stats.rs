//! What many measurements say together.

use serde::Serialize;

/// The middle and the spread of measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub median: f64,
    /// The quartiles: half of all measurements lie between them.
    pub q1: f64,
    pub q3: f64,
    pub min: f64,
    pub max: f64,
    /// How many there are.
    pub n: usize,
}

impl Summary {
    /// `None` where there is nothing to summarize.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&values, 0.5)?,
            q1: quantile(&values, 0.25)?,
            q3: quantile(&values, 0.75)?,
            min: *values.first()?,
            max: *values.last()?,
            n: values.len(),
        })
    }
}

/// The median of the ratios of two candidates' measurements, round by round: what disturbs a round
/// disturbs both, and leaves their ratio as it is. Rounds that one of them lacks are left out.
pub fn ratio(of: &[f64], to: &[f64]) -> Option<Summary> {
    Summary::of(of.iter().zip(to).map(|(of, to)| of / to))
}

/// The value below which this part of all values lies, between two neighbours in proportion.
pub fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 measurements")]
    let position = part * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and the last index")]
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(Summary::of([4.0, 1.0, 3.0, 2.0]).map(|it| it.median), Some(2.5));
    }

    #[test]
    fn a_summary_has_the_quartiles_and_the_extremes() {
        let expected = Summary { median: 3.0, q1: 2.0, q3: 4.0, min: 1.0, max: 5.0, n: 5 };
        assert_eq!(Summary::of([5.0, 4.0, 3.0, 2.0, 1.0]), Some(expected));
    }

    #[test]
    fn one_measurement_is_its_own_summary() {
        assert_eq!(Summary::of([7.0]).map(|it| (it.q1, it.median, it.q3)), Some((7.0, 7.0, 7.0)));
    }

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(Summary::of([]), None);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn an_outlier_moves_the_maximum_and_not_the_median() {
        let summary = Summary::of([1.0, 1.0, 1.0, 1.0, 1000.0]).unwrap();
        assert_eq!((summary.median, summary.max), (1.0, 1000.0));
    }

    #[test]
    fn the_99th_percentile_is_near_the_end() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), Some(99.0));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The second round was twice as slow for both: the ratio of the medians would be another.
        assert_eq!(ratio(&[10.0, 20.0, 30.0], &[1.0, 2.0, 10.0]).map(|it| it.median), Some(10.0));
    }
}
