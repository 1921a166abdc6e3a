//! Mean and percentiles.

use serde::Serialize;

/// Mean and percentiles, in the unit of the values. Percentiles are by nearest rank, so each is a value
/// that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    /// The spread of these values; none if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let max = *sorted.last()?;
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).max(1);
        let percentile = |percent| sorted[rank(percent) - 1];
        Some(Spread {
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            p50: percentile(50),
            p95: percentile(95),
            p99: percentile(99),
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let spread = Spread::of((1..=24).rev().map(f64::from)).unwrap();
        assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (12.0, 23.0, 24.0, 24.0));
        assert_eq!(spread.mean, 12.5);
        let spread = Spread::of((1..=1000).map(f64::from)).unwrap();
        assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (500.0, 950.0, 990.0, 1000.0));
    }

    #[test]
    fn one_value_is_every_percentile_of_itself_and_none_has_no_spread() {
        let spread = Spread { mean: 7.0, p50: 7.0, p95: 7.0, p99: 7.0, max: 7.0 };
        assert_eq!(Spread::of([7.0]), Some(spread));
        assert_eq!(Spread::of([]), None);
    }
}
