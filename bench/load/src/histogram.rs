//! Histograms of durations. Pure: no clock.

use serde_json::{Value, json};

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;
const GROUPS: usize = 34;

/// Counts of durations in microseconds with a relative error below 1.6 %, from 0 to hours.
#[derive(Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: vec![0; SUB * GROUPS],
            total: 0,
            max: 0,
        }
    }
}

impl Histogram {
    pub fn record(&mut self, value: u64) {
        let at = Self::bucket(value).min(self.counts.len() - 1);
        self.counts[at] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    pub fn count(&self) -> u64 {
        self.total
    }

    /// The value below or at which `fraction` of all records lie; `None` when there are none.
    pub fn quantile(&self, fraction: f64) -> Option<u64> {
        if self.total == 0 {
            return None;
        }
        let wanted = ((self.total as f64 * fraction).ceil() as u64).clamp(1, self.total);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(Self::upper(at).min(self.max));
            }
        }
        Some(self.max)
    }

    /// `{count, p50, p95, p99, max}` in milliseconds; nulls when nothing was recorded.
    pub fn summary_ms(&self) -> Value {
        let ms = |us: Option<u64>| us.map(|us| us as f64 / 1_000.0);
        json!({
            "count": self.count(),
            "p50": ms(self.quantile(0.50)),
            "p95": ms(self.quantile(0.95)),
            "p99": ms(self.quantile(0.99)),
            "max": ms((self.total > 0).then_some(self.max)),
        })
    }

    /// Exact below `SUB`; above, `SUB / 2` buckets for each power of two.
    fn bucket(value: u64) -> usize {
        if value < SUB as u64 {
            return value as usize;
        }
        let group = (63 - value.leading_zeros()) - SUB_BITS + 1;
        let within = (value >> group) as usize - SUB / 2;
        SUB + (group as usize - 1) * (SUB / 2) + within
    }

    fn upper(bucket: usize) -> u64 {
        if bucket < SUB {
            return bucket as u64;
        }
        let group = (bucket - SUB) / (SUB / 2) + 1;
        let within = (bucket - SUB) % (SUB / 2) + SUB / 2;
        ((within as u64 + 1) << group) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_per_cent() {
        let mut histogram = Histogram::default();
        for value in 1..=100_000u64 {
            histogram.record(value);
        }
        for (fraction, exact) in [(0.5, 50_000.0), (0.95, 95_000.0), (0.99, 99_000.0)] {
            let found = histogram.quantile(fraction).unwrap() as f64;
            assert!((found - exact).abs() / exact < 0.02, "{fraction}: {found}");
        }
        assert_eq!(histogram.quantile(1.0), Some(100_000));
        assert_eq!(histogram.count(), 100_000);
    }

    #[test]
    fn buckets_are_contiguous_and_hold_their_values() {
        let mut last = 0;
        for value in 0..10_000u64 {
            let at = Histogram::bucket(value);
            assert!(at == last || at == last + 1, "{value}");
            assert!(Histogram::upper(at) >= value);
            last = at;
        }
    }

    #[test]
    fn empty_and_extreme_histograms_answer() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        assert!(histogram.summary_ms()["p99"].is_null());
        histogram.record(u64::MAX);
        histogram.record(0);
        assert_eq!(histogram.quantile(0.5), Some(0));
        assert_eq!(histogram.count(), 2);
    }

    #[test]
    fn merging_is_adding() {
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        left.record(10);
        right.record(1_000);
        left.merge(&right);
        assert_eq!(left.count(), 2);
        assert_eq!(left.quantile(0.5), Some(10));
        assert_eq!(left.quantile(1.0), Some(1_000));
    }
}
