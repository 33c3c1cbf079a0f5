//! Which packets of one stream are missing, and when they are asked for again (RFC 4585, 6.2.1).

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What is only out of order comes by itself in this time.
const REORDERING: Duration = Duration::from_millis(10);
/// Between two requests for the same packet, times the number of those before.
const RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_millis(200);
/// Afterwards no receiver waits for it any more.
const MAX_ATTEMPTS: u8 = 8;
const MAX_AGE: Duration = Duration::from_millis(1000);
/// More at once is no loss that resends repair: the newest are asked for.
const MAX_MISSING: usize = 256;

#[derive(Debug, Clone, Copy)]
struct Missing {
    sequence: u64,
    since: Instant,
    next: Instant,
    attempts: u8,
}

/// Missing packets in the order of their numbers.
#[derive(Debug, Default)]
pub struct Losses {
    missing: VecDeque<Missing>,
    due: Option<Instant>,
}

impl Losses {
    /// When the next request is due.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Numbers that were passed over, all above those before.
    pub fn skipped(&mut self, now: Instant, numbers: Range<u64>) {
        let next = now + REORDERING;
        let newest = numbers.end.saturating_sub(MAX_MISSING as u64);
        for sequence in numbers.start.max(newest)..numbers.end {
            if self.missing.len() >= MAX_MISSING {
                self.missing.pop_front();
            }
            self.missing.push_back(Missing {
                sequence,
                since: now,
                next,
                attempts: 0,
            });
        }
        self.due = Some(self.due.map_or(next, |due| due.min(next)));
    }

    /// It came after all.
    pub fn came(&mut self, sequence: u64) {
        if let Ok(at) = self
            .missing
            .binary_search_by_key(&sequence, |missing| missing.sequence)
        {
            self.missing.remove(at);
        }
    }

    /// Nobody needs what was sent before this one.
    pub fn forget_before(&mut self, sequence: u64) {
        let needless = self.missing.partition_point(|m| m.sequence < sequence);
        self.missing.drain(..needless);
    }

    pub fn clear(&mut self) {
        self.missing.clear();
        self.due = None;
    }

    /// The numbers to ask for now, in order.
    pub fn take(&mut self, now: Instant, wanted: &mut Vec<u16>) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.missing.retain_mut(|missing| {
            if missing.next > now {
                return true;
            }
            if missing.attempts >= MAX_ATTEMPTS || now > missing.since + MAX_AGE {
                return false;
            }
            missing.attempts += 1;
            missing.next = now + (RETRY * u32::from(missing.attempts)).min(LONGEST_RETRY);
            wanted.push(missing.sequence as u16);
            true
        });
        self.due = self.missing.iter().map(|missing| missing.next).min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(losses: &mut Losses, now: Instant) -> Vec<u16> {
        let mut wanted = Vec::new();
        losses.take(now, &mut wanted);
        wanted
    }

    #[test]
    fn what_is_only_late_is_not_asked_for() {
        let now = Instant::now();
        let mut losses = Losses::default();
        losses.skipped(now, 65_534..65_538);
        assert!(taken(&mut losses, now).is_empty());
        losses.came(65_535);
        losses.came(7);
        let due = losses.due().unwrap();
        assert_eq!(due, now + REORDERING);
        assert_eq!(taken(&mut losses, due), [65_534, 0, 1]);
        assert!(taken(&mut losses, due).is_empty(), "once");
    }

    #[test]
    fn requests_become_rarer_and_end() {
        let start = Instant::now();
        let mut losses = Losses::default();
        losses.skipped(start, 5..6);
        let mut waits = Vec::new();
        let mut last = start;
        while let Some(due) = losses.due() {
            if !taken(&mut losses, due).is_empty() {
                waits.push((due - last).as_millis());
                last = due;
            }
        }
        assert_eq!(waits, [10, 50, 100, 150, 200, 200, 200]);
        assert!(last - start <= MAX_AGE);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_in_order() {
        let now = Instant::now();
        let mut losses = Losses::default();
        losses.skipped(now, 0..u64::MAX / 2);
        losses.skipped(now, u64::MAX / 2 + 1..u64::MAX / 2 + 3);
        let wanted = taken(&mut losses, now + REORDERING);
        assert_eq!(wanted.len(), MAX_MISSING);
        assert!(
            wanted
                .windows(2)
                .all(|pair| pair[0].wrapping_sub(pair[1]) as i16 <= -1)
        );
    }

    #[test]
    fn a_key_frame_makes_what_was_before_needless() {
        let now = Instant::now();
        let mut losses = Losses::default();
        losses.skipped(now, 3..9);
        losses.forget_before(7);
        assert_eq!(taken(&mut losses, now + REORDERING), [7, 8]);
        losses.clear();
        assert_eq!(losses.due(), None);
    }
}
