//! Which sequence numbers of a stream were sent, or taken: each at most once. Of an outgoing stream a
//! number makes the cipher's nonce.

use crate::ahead;

/// Numbers remembered behind the highest.
const WINDOW: u64 = 2048;

#[derive(Debug)]
#[repr(C)]
pub struct Window {
    first: Option<u64>,
    highest: u64,
    sent: [u64; (WINDOW / 64) as usize],
}

impl Window {
    /// The first number sent will be above `highest`; the first taken may be it.
    pub fn new(highest: u64) -> Self {
        Window {
            first: None,
            highest,
            sent: [0; (WINDOW / 64) as usize],
        }
    }

    /// This number is marked soon.
    pub fn fetch(&self, sequence: u64) {
        ahead::fetch(&self.sent[slot(sequence).0]);
    }

    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// False for what was sent already, or is too old to know.
    pub fn mark(&mut self, sequence: u64) -> bool {
        self.first.get_or_insert(sequence);
        if sequence > self.highest {
            for skipped in self.highest + 1..=sequence.min(self.highest + WINDOW) {
                let (word, bit) = slot(skipped);
                self.sent[word] &= !bit;
            }
            if sequence - self.highest > WINDOW {
                self.sent = [0; (WINDOW / 64) as usize];
            }
            self.highest = sequence;
        } else if self.highest - sequence >= WINDOW {
            return false;
        }
        let (word, bit) = slot(sequence);
        let is_new = self.sent[word] & bit == 0;
        self.sent[word] |= bit;
        is_new
    }

    /// Numbers among the last `most` that were never sent.
    pub fn holes(&self, most: u64) -> Vec<u64> {
        let Some(first) = self.first else {
            return Vec::new();
        };
        let oldest = first.max(self.highest.saturating_sub(most));
        (oldest..self.highest)
            .filter(|sequence| {
                let (word, bit) = slot(*sequence);
                self.sent[word] & bit == 0
            })
            .collect()
    }

    /// The extended number nearest below the highest.
    pub fn extend(&self, sequence: u16) -> Option<u64> {
        let behind = (self.highest as u16).wrapping_sub(sequence);
        (behind < 1 << 15)
            .then(|| self.highest.checked_sub(u64::from(behind)))
            .flatten()
    }
}

fn slot(sequence: u64) -> (usize, u64) {
    ((sequence % WINDOW / 64) as usize, 1u64 << (sequence % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_once_and_none_that_is_too_old() {
        let mut window = Window::new(100);
        assert!(window.holes(64).is_empty());
        for (sequence, is_new) in [
            (101, true),
            (101, false),
            (105, true),
            (103, true),
            (103, false),
        ] {
            assert_eq!(window.mark(sequence), is_new, "{sequence}");
        }
        assert_eq!(window.holes(64), [102, 104]);
        assert_eq!(window.holes(2), [104]);
        assert!(window.mark(105 + 3 * WINDOW));
        assert!(!window.mark(105));
        assert!(window.mark(105 + 2 * WINDOW + 1));
    }

    #[test]
    fn numbers_of_the_wire_are_extended_backwards() {
        let window = Window::new(65_540);
        assert_eq!(window.extend(4), Some(65_540));
        assert_eq!(window.extend(65_535), Some(65_535));
        assert_eq!(window.extend(5), None, "was never sent");
        assert_eq!(Window::new(3).extend(65_000), None);
    }
}
