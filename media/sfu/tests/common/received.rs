//! What a client got of a track, and whether it could be decoded.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

/// What one received video packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub at: Instant,
    pub timestamp: u32,
    pub picture: u16,
    pub tl0: u8,
    pub temporal: u8,
    pub is_start: bool,
    pub is_key: bool,
    pub is_end: bool,
    /// Size of the packet stands for the layer.
    pub size: usize,
}

/// What came of one track.
#[derive(Default, Debug)]
pub struct Received {
    pub packets: u64,
    pub key_frames: u64,
    pub first_is_key: Option<bool>,
    /// Frame counters seen, from the payload.
    pub frames: HashSet<u32>,
    pub sequences: HashSet<u64>,
    pub highest: u64,
    pub last_timestamp: u32,
    pub last_at: Option<Instant>,
    pub first_at: Option<Instant>,
    pub ssrcs: HashSet<u32>,
    pub levels: u64,
    /// Of video, by sequence number.
    pub seen: BTreeMap<u64, Seen>,
    pub padding: u64,
}

impl Received {
    /// Every picture whole and in order, layers changing with key frames only, and nothing missing
    /// in sequence numbers, picture ids, TL0PICIDX and time. `lossy`: holes are no fault.
    pub fn assert_decodable(&self, lossy: bool) {
        let mut before: Option<(u64, Seen)> = None;
        for (&sequence, &seen) in &self.seen {
            if before.is_none() {
                assert!(seen.is_key || lossy, "begins with a key frame");
                before = Some((sequence, seen)).filter(|_| seen.is_key);
                continue;
            }
            let Some((last, was)) = before.replace((sequence, seen)) else {
                continue;
            };
            let has_hole = sequence != last + 1;
            assert!(lossy || !has_hole, "{last} then {sequence}");
            if seen.is_start && !has_hole {
                assert_eq!(seen.picture, (was.picture + 1) & 0x7fff, "{was:?} {seen:?}");
                let step = seen.timestamp.wrapping_sub(was.timestamp);
                assert!(step > 0 && step < 900_000, "{was:?} {seen:?}");
                let tl0 = was.tl0.wrapping_add(u8::from(seen.temporal == 0));
                assert_eq!(seen.tl0, tl0, "{was:?} {seen:?}");
            } else if !has_hole {
                assert_eq!((seen.picture, seen.timestamp), (was.picture, was.timestamp));
            }
            if seen.size != was.size && !has_hole {
                assert!(seen.is_start && seen.is_key, "{was:?} {seen:?}");
            }
        }
    }

    /// Sizes of pictures' packets in order of appearance: which layers were shown.
    pub fn layers(&self) -> Vec<usize> {
        let mut layers: Vec<usize> = self.seen.values().map(|seen| seen.size).collect();
        layers.dedup();
        layers
    }

    /// When the layer of this size was shown first, at or after `since`.
    pub fn shown(&self, size: usize, since: Instant) -> Option<Instant> {
        let seen = self
            .seen
            .values()
            .filter(|s| s.size == size && s.at >= since);
        seen.map(|s| s.at).min()
    }

    pub fn pictures_since(&self, since: Instant) -> usize {
        self.seen
            .values()
            .filter(|s| s.is_start && s.at >= since)
            .count()
    }

    /// Sequence numbers between the first and the last that never came.
    pub fn missing(&self) -> u64 {
        let first = self.sequences.iter().min().copied().unwrap_or(0);
        if self.sequences.is_empty() {
            0
        } else {
            self.highest + 1 - first - self.sequences.len() as u64
        }
    }
}
