//! Whether the pictures that a subscriber gets of one track stay whole where the layer changes.
//!
//! Looks at what the server rewrites: sequence numbers, timestamps, picture ids. Pure.

use std::collections::BTreeSet;

use crate::payload::Vp8Facts;

/// Sequence numbers missing at changes of layer that may still come late.
const REMEMBERED: usize = 256;

/// The header of one packet as it came in.
pub struct Header {
    /// Extended.
    pub sequence: u64,
    pub time: u32,
    pub marker: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PictureCounts {
    /// Changes of layer.
    pub changes: u64,
    /// The first packet of the new layer does not start a key frame.
    pub without_keyframe: u64,
    /// Packets of two layers have the same timestamp.
    pub mixed: u64,
    /// Sequence numbers missing where the layer changes.
    pub sequence_holes: u64,
    /// The new layer's first picture id does not follow the old one's last.
    pub picture_id_holes: u64,
    /// The old layer's last picture lacks its end. Receivers drop it; the next one is a key frame.
    pub cut_short: u64,
}

impl PictureCounts {
    /// What a receiver could not decode, or would take for a loss.
    pub fn torn(&self) -> u64 {
        self.without_keyframe + self.mixed + self.sequence_holes + self.picture_id_holes
    }

    pub fn add(&mut self, other: &PictureCounts) {
        self.changes += other.changes;
        self.without_keyframe += other.without_keyframe;
        self.mixed += other.mixed;
        self.sequence_holes += other.sequence_holes;
        self.picture_id_holes += other.picture_id_holes;
        self.cut_short += other.cut_short;
    }
}

#[derive(Clone, Copy)]
struct Last {
    sequence: u64,
    time: u32,
    marker: bool,
    layer: u8,
    picture_id: Option<(u16, u16)>,
}

#[derive(Default)]
pub struct Pictures {
    last: Option<Last>,
    missing: BTreeSet<u64>,
    pub counts: PictureCounts,
}

impl Pictures {
    /// A packet of the server's own, as padding, has a place in the sequence.
    pub fn pass(&mut self, sequence: u64) {
        self.missing.remove(&sequence);
        if let Some(last) = self.last.as_mut().filter(|it| it.sequence + 1 == sequence) {
            last.sequence = sequence;
        }
    }

    pub fn arrive(&mut self, header: &Header, layer: u8, facts: &Vp8Facts) {
        let Some(last) = self.last else {
            self.follow(header, layer, facts);
            return;
        };
        if header.sequence <= last.sequence {
            let was_missing = self.missing.remove(&header.sequence);
            self.counts.sequence_holes -= u64::from(was_missing);
            return;
        }
        if layer != last.layer {
            self.change(&last, header, facts);
        }
        self.follow(header, layer, facts);
    }

    fn follow(&mut self, header: &Header, layer: u8, facts: &Vp8Facts) {
        self.last = Some(Last {
            sequence: header.sequence,
            time: header.time,
            marker: header.marker,
            layer,
            picture_id: facts.picture_id,
        });
    }

    fn change(&mut self, last: &Last, header: &Header, facts: &Vp8Facts) {
        let counts = &mut self.counts;
        counts.changes += 1;
        counts.mixed += u64::from(header.time == last.time);
        let hole = last.sequence + 1..header.sequence;
        if !hole.is_empty() {
            // What is missing may be the start of the key frame or the end of the last picture.
            counts.sequence_holes += hole.end - hole.start;
            let room = REMEMBERED.saturating_sub(self.missing.len());
            self.missing.extend(hole.take(room));
            return;
        }
        counts.without_keyframe += u64::from(!facts.starts_keyframe);
        counts.cut_short += u64::from(!last.marker);
        let is_next = match (last.picture_id, facts.picture_id) {
            (Some((before, count)), Some((id, _))) => (before + 1) % count == id,
            (None, None) => true,
            _ => false,
        };
        counts.picture_id_holes += u64::from(!is_next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u64, time: u32, marker: bool) -> Header {
        Header {
            sequence,
            time,
            marker,
        }
    }

    fn facts(starts_keyframe: bool, id: u16) -> Vp8Facts {
        Vp8Facts {
            starts_frame: true,
            starts_keyframe,
            picture_id: Some((id, 1 << 15)),
        }
    }

    fn after_low(next: &Header, facts: &Vp8Facts) -> PictureCounts {
        let mut pictures = Pictures::default();
        pictures.arrive(&header(10, 100, true), 0, &self::facts(true, 32_767));
        pictures.arrive(next, 2, facts);
        pictures.counts
    }

    #[test]
    fn a_clean_change_is_only_a_change() {
        let clean = PictureCounts {
            changes: 1,
            ..Default::default()
        };
        assert_eq!(after_low(&header(11, 200, false), &facts(true, 0)), clean);
    }

    #[test]
    fn each_way_to_tear_a_picture_is_told() {
        let torn = after_low(&header(11, 100, false), &facts(false, 5));
        let (key, mixed) = (torn.without_keyframe, torn.mixed);
        assert_eq!((key, mixed, torn.picture_id_holes), (1, 1, 1));
        let hole = after_low(&header(14, 200, false), &facts(true, 0));
        assert_eq!((hole.sequence_holes, hole.without_keyframe), (3, 0));
        let mut pictures = Pictures::default();
        pictures.arrive(&header(10, 100, false), 0, &facts(true, 1));
        pictures.arrive(&header(11, 200, false), 2, &facts(true, 2));
        assert_eq!(pictures.counts.cut_short, 1);
    }

    #[test]
    fn what_comes_late_fills_the_hole_and_padding_makes_none() {
        let mut pictures = Pictures::default();
        pictures.arrive(&header(10, 100, true), 0, &facts(true, 1));
        pictures.pass(11);
        pictures.arrive(&header(13, 200, false), 2, &facts(false, 2));
        assert_eq!(pictures.counts.sequence_holes, 1);
        pictures.arrive(&header(12, 200, false), 2, &facts(true, 2));
        assert_eq!(pictures.counts.sequence_holes, 0);
        assert_eq!(pictures.counts.changes, 1);
    }
}
