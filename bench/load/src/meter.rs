//! Arithmetic of measuring: histograms of durations, and what one subscriber received of one track.
//!
//! Pure: no clock, no socket. All times are microseconds since the Unix epoch, handed in.

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

/// The time in which packets count, by their time of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start_us: u64,
    pub end_us: u64,
}

impl Window {
    pub fn contains(&self, time_us: u64) -> bool {
        time_us >= self.start_us && time_us < self.end_us
    }
}

/// Sequences this far behind the newest are still told apart from duplicates.
const HISTORY: u32 = 4_096;

/// What one subscriber received of one track.
pub struct StreamMeter {
    newest: u32,
    seen: Box<[u64]>,
    last_arrival_us: u64,
    /// All packets since the subscription began.
    pub total: u64,
    pub in_window: WindowCounts,
    pub latency: Histogram,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WindowCounts {
    pub unique: u64,
    pub duplicates: u64,
    pub reordered: u64,
    pub bytes: u64,
    /// Times without a packet for longer than the limit.
    pub interruptions: u64,
    pub longest_gap_us: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Fresh,
    Duplicate,
}

impl StreamMeter {
    pub fn new(sequence: u32, now_us: u64) -> Self {
        StreamMeter {
            newest: sequence,
            seen: vec![0; (HISTORY / 64) as usize].into_boxed_slice(),
            last_arrival_us: now_us,
            total: 0,
            in_window: WindowCounts::default(),
            latency: Histogram::default(),
        }
    }

    /// Take in one packet. `window` is `None` before the measurement.
    pub fn arrive(
        &mut self,
        sequence: u32,
        sent_us: u64,
        now_us: u64,
        bytes: usize,
        window: Option<&Window>,
        gap_limit_us: u64,
    ) -> Arrival {
        self.total += 1;
        let is_late = sequence < self.newest;
        let is_duplicate = !self.mark(sequence);
        let gap = self.gap_in(window, now_us);
        self.last_arrival_us = self.last_arrival_us.max(now_us);
        self.note_gap(gap, gap_limit_us);
        if window.is_some_and(|window| window.contains(sent_us)) {
            let counts = &mut self.in_window;
            if is_duplicate {
                counts.duplicates += 1;
            } else {
                counts.unique += 1;
                counts.bytes += bytes as u64;
                counts.reordered += u64::from(is_late);
                self.latency.record(now_us.saturating_sub(sent_us));
            }
        }
        if is_duplicate {
            Arrival::Duplicate
        } else {
            Arrival::Fresh
        }
    }

    /// Count the silence that was still open when the window closed.
    pub fn finish(&mut self, window: &Window, gap_limit_us: u64) {
        let gap = self.gap_in(Some(window), window.end_us);
        self.note_gap(gap, gap_limit_us);
    }

    fn gap_in(&self, window: Option<&Window>, now_us: u64) -> u64 {
        window.map_or(0, |window| {
            let from = self.last_arrival_us.max(window.start_us);
            now_us.min(window.end_us).saturating_sub(from)
        })
    }

    fn note_gap(&mut self, gap_us: u64, limit_us: u64) {
        let counts = &mut self.in_window;
        counts.longest_gap_us = counts.longest_gap_us.max(gap_us);
        counts.interruptions += u64::from(gap_us > limit_us);
    }

    /// Remember a sequence; `false` when it was there already or is too old to know.
    fn mark(&mut self, sequence: u32) -> bool {
        if sequence > self.newest {
            let steps = (sequence - self.newest).min(HISTORY);
            for step in 0..steps {
                let at = (sequence - step) % HISTORY;
                self.seen[(at / 64) as usize] &= !(1 << (at % 64));
            }
            self.newest = sequence;
        } else if self.newest - sequence >= HISTORY {
            return false;
        }
        let at = sequence % HISTORY;
        let (word, bit) = ((at / 64) as usize, 1u64 << (at % 64));
        let fresh = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        start_us: 1_000,
        end_us: 2_000_000,
    };

    fn arrive(meter: &mut StreamMeter, sequence: u32, sent: u64, now: u64) -> Arrival {
        meter.arrive(sequence, sent, now, 100, Some(&WINDOW), 500_000)
    }

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

    #[test]
    fn lost_duplicated_and_reordered_are_told_apart() {
        let mut meter = StreamMeter::new(10, 2_000);
        assert_eq!(arrive(&mut meter, 10, 1_900, 2_000), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 12, 2_100, 2_200), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 11, 2_050, 2_300), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 12, 2_100, 2_400), Arrival::Duplicate);
        assert_eq!(arrive(&mut meter, 15, 2_450, 2_500), Arrival::Fresh);
        let counts = meter.in_window;
        assert_eq!(
            (counts.unique, counts.duplicates, counts.reordered),
            (4, 1, 1)
        );
        assert_eq!(meter.latency.count(), 4);
        assert_eq!(meter.latency.quantile(1.0), Some(250));
    }

    #[test]
    fn a_jump_beyond_the_history_forgets_it_and_what_is_too_old_counts_as_duplicate() {
        let mut meter = StreamMeter::new(0, 2_000);
        arrive(&mut meter, 0, 1_900, 2_000);
        assert_eq!(arrive(&mut meter, 10_000, 1_900, 2_000), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 9_000, 1_900, 2_000), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 1_000, 1_900, 2_000), Arrival::Duplicate);
    }

    #[test]
    fn only_packets_sent_within_the_window_count() {
        let mut meter = StreamMeter::new(1, 500);
        meter.arrive(1, 400, 500, 100, None, 500_000);
        arrive(&mut meter, 2, 999, 1_100);
        arrive(&mut meter, 3, 1_000, 1_200);
        arrive(&mut meter, 4, 2_000_000, 2_000_100);
        assert_eq!(meter.in_window.unique, 1);
        assert_eq!(meter.total, 4);
    }

    #[test]
    fn silence_longer_than_the_limit_is_an_interruption_also_at_the_end() {
        let mut meter = StreamMeter::new(1, 2_000);
        arrive(&mut meter, 1, 1_900, 2_000);
        arrive(&mut meter, 2, 400_000, 400_100);
        arrive(&mut meter, 3, 1_000_000, 1_000_100);
        assert_eq!(meter.in_window.interruptions, 1);
        assert_eq!(meter.in_window.longest_gap_us, 600_000);
        meter.finish(&WINDOW, 500_000);
        assert_eq!(meter.in_window.interruptions, 2);
    }
}
