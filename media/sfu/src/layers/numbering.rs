//! Numbers of a source made ours, without holes where something is left out on purpose.
//!
//! Holes that the network made stay holes, so that what comes late still finds its place.

use std::collections::VecDeque;

/// Remembered runs of left out numbers: some seconds of a stream whose every other picture goes.
const RUNS: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    start: u64,
    end: u64,
    /// What is added to numbers below `start`.
    offset_below: i64,
}

/// Extended (unwrapped) numbers of one source to ours: strictly growing, never used twice.
#[derive(Debug, Clone)]
pub struct Numbering {
    /// Numbers below belong to the time before this mapping.
    first: u64,
    highest: u64,
    highest_passed: u64,
    /// What is added to numbers above all runs.
    offset: i64,
    left_out: VecDeque<Run>,
}

impl Numbering {
    /// `first` becomes `ours`; nothing below `first` has a place.
    pub fn new(first: u64, ours: u64) -> Self {
        Numbering {
            first,
            highest: first,
            highest_passed: first,
            offset: ours as i64 - first as i64,
            left_out: VecDeque::new(),
        }
    }

    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// What `number` would become if it were the next: to look for jumps.
    pub fn ahead(&self, number: u64) -> i64 {
        number as i64 + self.offset
    }

    /// Our number of what is passed on; `None` when it has no place (any more).
    pub fn pass(&mut self, number: u64) -> Option<u64> {
        let ours = self.place(number)?;
        self.highest = self.highest.max(number);
        self.highest_passed = self.highest_passed.max(number);
        Some(ours)
    }

    /// `number` is not passed on. Those after it close up, unless one of them was passed on already:
    /// then the place of `number` was kept, and is returned so that it can be filled.
    pub fn leave_out(&mut self, number: u64) -> Option<u64> {
        if number <= self.highest_passed {
            return self.place(number);
        }
        self.highest = self.highest.max(number);
        // Numbers come about in order: the place is at the end or near it.
        let above = self
            .left_out
            .iter()
            .rev()
            .take_while(|run| run.start > number);
        let at = self.left_out.len() - above.count();
        if at > 0 && self.left_out[at - 1].end >= number {
            return None;
        }
        if at > 0 && self.left_out[at - 1].end + 1 == number {
            self.left_out[at - 1].end = number;
        } else {
            let offset_below = self
                .left_out
                .get(at)
                .map_or(self.offset, |run| run.offset_below);
            let run = Run {
                start: number,
                end: number,
                offset_below,
            };
            self.left_out.insert(at, run);
        }
        let from = self.left_out.partition_point(|run| run.start <= number);
        for run in self.left_out.iter_mut().skip(from) {
            run.offset_below -= 1;
        }
        self.offset -= 1;
        if self.left_out.len() > RUNS
            && let Some(oldest) = self.left_out.pop_front()
        {
            self.first = oldest.end + 1;
        }
        None
    }

    fn place(&self, number: u64) -> Option<u64> {
        if number < self.first {
            return None;
        }
        let mut offset = self.offset;
        for run in self.left_out.iter().rev() {
            if number > run.end {
                break;
            }
            if number >= run.start {
                return None;
            }
            offset = run.offset_below;
        }
        u64::try_from(number as i64 + offset).ok()
    }
}

/// The extended number nearest to `near` whose low `bits` are `low`.
pub fn extend(low: u16, bits: u32, near: u64) -> u64 {
    let size = 1u64 << bits;
    let candidate = (near & !(size - 1)) | u64::from(low);
    if candidate + size / 2 < near {
        candidate + size
    } else if candidate > near + size / 2 && candidate >= size {
        candidate - size
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, HashSet};

    #[test]
    fn what_is_left_out_leaves_no_hole_and_what_is_lost_does() {
        let mut numbers = Numbering::new(100, 7);
        assert_eq!(numbers.pass(100), Some(7));
        assert_eq!(numbers.leave_out(101), None);
        assert_eq!(numbers.leave_out(102), None);
        assert_eq!(numbers.pass(103), Some(8));
        assert_eq!(numbers.pass(105), Some(10), "104 is on its way");
        assert_eq!(numbers.pass(104), Some(9));
        assert_eq!(numbers.pass(101), None, "its place is gone");
        assert_eq!(numbers.leave_out(107), None);
        assert_eq!(numbers.pass(108), Some(12));
        assert_eq!(numbers.leave_out(106), Some(11), "to be filled");
        assert_eq!(numbers.pass(99), None, "from before");
    }

    #[test]
    fn what_is_left_out_in_any_order_leaves_no_hole() {
        let mut numbers = Numbering::new(100, 7);
        for number in [105, 103, 103, 105, 101, 104] {
            assert_eq!(numbers.leave_out(number), None);
        }
        assert_eq!(numbers.pass(106), Some(9), "102 is on its way");
        assert_eq!(numbers.pass(102), Some(8));
        assert_eq!(numbers.leave_out(104), None);
        assert_eq!(numbers.pass(107), Some(10));
    }

    #[test]
    fn old_runs_are_forgotten_with_what_lies_before_them() {
        let mut numbers = Numbering::new(0, 0);
        for n in 0..10_000 {
            match n % 2 {
                0 => assert_eq!(numbers.pass(n), Some(n / 2)),
                _ => assert_eq!(numbers.leave_out(n), None),
            }
        }
        assert_eq!(numbers.left_out.len(), RUNS);
        assert_eq!(numbers.pass(4), None);
        assert_eq!(numbers.pass(9_998), Some(4_999));
    }

    #[test]
    fn numbers_are_extended_to_the_nearest() {
        assert_eq!(extend(5, 15, 0), 5);
        assert_eq!(extend(3, 15, (1 << 15) - 2), (1 << 15) + 3);
        assert_eq!(extend(32_767, 15, (1 << 15) + 1), (1 << 15) - 1);
        assert_eq!(extend(127, 7, 128), 127);
        assert_eq!(extend(0, 7, 127), 128);
        assert_eq!(extend(100, 7, 3), 100, "nothing lies below zero");
    }

    proptest! {
        /// In any order of arrival: growing with the source, no number twice, and without losses and
        /// late ones no holes.
        #[test]
        fn ours_grow_with_the_source(
            start in 0u64..100_000,
            steps in proptest::collection::vec((0u64..5, any::<bool>(), 0u64..4), 1..400),
        ) {
            let mut numbers = Numbering::new(start, 1_000);
            let mut at = start;
            let mut given = BTreeMap::new();
            let mut used = HashSet::new();
            given.insert(start, numbers.pass(start).unwrap());
            used.insert(1_000);
            for (ahead, is_passed, back) in steps {
                at += ahead;
                let number = at.saturating_sub(back);
                if given.contains_key(&number) {
                    continue;
                }
                let ours = if is_passed { numbers.pass(number) } else { numbers.leave_out(number) };
                if let Some(ours) = ours {
                    prop_assert!(used.insert(ours), "{ours} twice");
                    given.insert(number, ours);
                }
            }
            let mut last = 0;
            for ours in given.values() {
                prop_assert!(*ours > last);
                last = *ours;
            }
        }

        #[test]
        fn in_order_there_are_no_holes(passed in proptest::collection::vec(any::<bool>(), 1..500)) {
            let mut numbers = Numbering::new(65_500, 3);
            let mut next = 3;
            for (at, is_passed) in passed.into_iter().enumerate() {
                let number = 65_500 + at as u64;
                if is_passed || at == 0 {
                    prop_assert_eq!(numbers.pass(number), Some(next));
                    next += 1;
                } else {
                    prop_assert_eq!(numbers.leave_out(number), None);
                }
            }
        }
    }
}
