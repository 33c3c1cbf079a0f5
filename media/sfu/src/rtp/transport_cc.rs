//! Which transport-wide sequence numbers the stack may see.
//!
//! The stack extends these 16 bits by the highest that came before, and does so below zero: a small
//! one and then one that lies more than half the circle ahead become numbers 2^64 apart, and the
//! report of what is missing in between takes all the memory there is. And it keeps what does not
//! fit into its reports, one every 50 ms, for the next one: numbers that jump fill them sooner than
//! they leave.
//!
//! Numbers are read before a packet is authenticated, so what was read proves nothing: only what came
//! out of the stack does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const HALF: u32 = 1 << 15;
/// The stack's own.
const REPORTS: Duration = Duration::from_millis(50);
/// Bytes of a report, a little less than it has: 9000 packets a second without losses.
const ROOM: u32 = 900;
/// Of a number that follows the one before, in bytes of a report.
const NEXT: u32 = 2;
/// Of any other, and of each run of missing ones before it.
const OTHER: u32 = 6;
const MISSING: u32 = 2;
const LONGEST_RUN: u16 = 8191;

/// Of one transport; shared between who reads headers and who sees what came of it.
#[derive(Debug, Clone, Default)]
pub struct TransportNumbers(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The stack has had at least this one.
    confirmed: AtomicU32,
    /// One of the lower half was let through, whether or not it was authentic.
    is_low: AtomicBool,
    last: AtomicU16,
    /// Bytes of the next report that are spoken for.
    taken: AtomicU32,
}

impl TransportNumbers {
    /// The number if the stack can extend and report it, as far as is known.
    pub fn admit(&self, number: u16) -> Option<u16> {
        let known = &self.0;
        let confirmed = known.confirmed.load(Ordering::Relaxed);
        let is_near = u32::from(number) <= confirmed + HALF;
        if !is_near && known.is_low.load(Ordering::Relaxed) {
            return None;
        }
        let ahead = number.wrapping_sub(known.last.load(Ordering::Relaxed));
        let cost = match ahead {
            1 => NEXT,
            _ => OTHER + MISSING * u32::from(ahead / LONGEST_RUN),
        };
        if known.taken.fetch_add(cost, Ordering::Relaxed) + cost > ROOM {
            return None;
        }
        known.last.store(number, Ordering::Relaxed);
        if u32::from(number) < HALF {
            known.is_low.store(true, Ordering::Relaxed);
        }
        Some(number)
    }

    /// An authentic packet had this number. From the upper half on, nothing lies below zero.
    pub fn confirm(&self, number: u16) {
        let known = &self.0.confirmed;
        known.fetch_max(u32::from(number), Ordering::Relaxed);
    }
}

/// When there is room for more, by the clock of the transport.
#[derive(Debug)]
pub struct Reporting {
    numbers: TransportNumbers,
    since: Instant,
}

impl Reporting {
    pub fn new(numbers: TransportNumbers, now: Instant) -> Self {
        Reporting {
            numbers,
            since: now,
        }
    }

    /// Another packet is about to be read.
    pub fn advance(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= REPORTS {
            self.since = now;
            self.numbers.0.taken.store(0, Ordering::Relaxed);
        }
    }

    pub fn confirm(&self, number: u16) {
        self.numbers.confirm(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fresh() -> (TransportNumbers, Reporting, Instant) {
        let (numbers, now) = (TransportNumbers::default(), Instant::now());
        (numbers.clone(), Reporting::new(numbers, now), now)
    }

    #[test]
    fn a_beginning_anywhere_and_all_that_follows_are_let_through() {
        for first in [0, 1, 32_767, 32_768, 40_000, 65_535] {
            let (numbers, mut reporting, mut now) = fresh();
            for at in 0..200_000u32 {
                now += Duration::from_micros(250);
                reporting.advance(now);
                let number = (first + at) as u16;
                assert_eq!(numbers.admit(number), Some(number), "{first} {at}");
                reporting.confirm(number);
            }
        }
    }

    #[test]
    fn what_is_not_authentic_opens_no_way() {
        let (numbers, reporting, _) = fresh();
        numbers.admit(10);
        reporting.confirm(10);
        assert_eq!(numbers.admit(32_778), Some(32_778));
        assert_eq!(numbers.admit(32_779), None);
        assert_eq!(numbers.admit(60_000), None);
        reporting.confirm(32_778);
        assert_eq!(numbers.admit(60_000), Some(60_000));
    }

    #[test]
    fn no_more_is_let_through_than_a_report_can_hold() {
        for (step, most) in [(1, 450), (2, 150), (30_000, 75), (65_535, 45)] {
            let (numbers, mut reporting, now) = fresh();
            reporting.confirm(u16::MAX);
            let admit = |numbers: &TransportNumbers| {
                let all = (0..5000u32).filter_map(|at| numbers.admit((at * step) as u16));
                all.count()
            };
            assert!((most - 10..=most).contains(&admit(&numbers)), "{step}");
            reporting.advance(now + REPORTS / 2);
            assert_eq!(admit(&numbers), 0);
            reporting.advance(now + REPORTS);
            assert!((most - 10..=most).contains(&admit(&numbers)), "{step}");
        }
    }

    proptest! {
        /// As the stack extends: never below zero, whichever packets are authentic.
        #[test]
        fn nothing_is_extended_below_zero(
            packets in proptest::collection::vec((any::<u16>(), any::<bool>()), 1..200),
        ) {
            let (numbers, mut reporting, mut now) = fresh();
            let mut highest: Option<i64> = None;
            for (number, is_authentic) in packets {
                now += Duration::from_millis(10);
                reporting.advance(now);
                let Some(number) = numbers.admit(number).filter(|_| is_authentic) else {
                    continue;
                };
                let extended = highest.map_or(i64::from(number), |highest| {
                    let candidate = (highest & !0xffff) | i64::from(number);
                    match candidate - highest {
                        ahead if ahead > 32_768 => candidate - 65_536,
                        behind if behind < -32_768 => candidate + 65_536,
                        _ => candidate,
                    }
                });
                prop_assert!(extended >= 0, "{highest:?} {number}");
                highest = Some(highest.map_or(extended, |highest| highest.max(extended)));
                reporting.confirm(number);
            }
        }
    }
}
