//! Arithmetic of measuring: what one subscriber received of one track.
//!
//! A subscriber is on the layer of the newest packet that came. While it is on a layer it should get
//! every packet of that layer; where it begins before and ends after the window, all that were sent
//! in the window. So a track with one encoding, and one whose layer never changes, should come whole.
//!
//! Pure: no clock, no socket. All times are microseconds since the Unix epoch, handed in.

use std::ops::Range;

use crate::histogram::Histogram;

pub const LAYERS: usize = 3;

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
/// Changes of layer that are kept; a stream that changes more often is broken in another way.
const SPELLS: usize = 10_000;

/// One packet as it came in.
pub struct Received {
    pub layer: u8,
    pub sequence: u32,
    pub sent_us: u64,
    pub arrived_us: u64,
    pub bytes: usize,
}

/// The sequences of one layer that have come.
struct Sequences {
    newest: u32,
    seen: Box<[u64]>,
}

/// A stay on one layer, from the first to the last packet that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spell {
    layer: usize,
    first: u32,
    last: u32,
}

/// What one subscriber received of one track.
pub struct StreamMeter {
    layers: [Option<Sequences>; LAYERS],
    spells: Vec<Spell>,
    last_arrival_us: u64,
    /// All packets since the subscription began.
    pub total: u64,
    pub in_window: WindowCounts,
    pub latency: Histogram,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct WindowCounts {
    pub unique: u64,
    pub duplicates: u64,
    pub reordered: u64,
    pub bytes: u64,
    /// Times without a packet for longer than the limit.
    pub interruptions: u64,
    pub longest_gap_us: u64,
    /// Of `unique` and `bytes`, by layer.
    pub layer_packets: [u64; LAYERS],
    pub layer_bytes: [u64; LAYERS],
}

impl WindowCounts {
    pub fn add(&mut self, other: &WindowCounts) {
        self.unique += other.unique;
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.bytes += other.bytes;
        self.interruptions += other.interruptions;
        self.longest_gap_us = self.longest_gap_us.max(other.longest_gap_us);
        for layer in 0..LAYERS {
            self.layer_packets[layer] += other.layer_packets[layer];
            self.layer_bytes[layer] += other.layer_bytes[layer];
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Fresh,
    Duplicate,
}

impl StreamMeter {
    pub fn new(now_us: u64) -> Self {
        StreamMeter {
            layers: Default::default(),
            spells: Vec::new(),
            last_arrival_us: now_us,
            total: 0,
            in_window: WindowCounts::default(),
            latency: Histogram::default(),
        }
    }

    /// The layer that the subscriber is on.
    pub fn layer(&self) -> Option<u8> {
        self.spells.last().map(|spell| spell.layer as u8)
    }

    /// Take in one packet. `window` is `None` before the measurement.
    pub fn arrive(
        &mut self,
        packet: &Received,
        window: Option<&Window>,
        gap_limit_us: u64,
    ) -> Arrival {
        self.total += 1;
        let layer = usize::from(packet.layer).min(LAYERS - 1);
        let sequences = self.layers[layer].get_or_insert_with(|| Sequences::new(packet.sequence));
        let is_late = packet.sequence < sequences.newest;
        let is_duplicate = !sequences.mark(packet.sequence);
        if !is_late && !is_duplicate {
            self.follow(layer, packet.sequence);
        }
        let gap = self.gap_in(window, packet.arrived_us);
        self.last_arrival_us = self.last_arrival_us.max(packet.arrived_us);
        self.note_gap(gap, gap_limit_us);
        if window.is_some_and(|window| window.contains(packet.sent_us)) {
            let counts = &mut self.in_window;
            if is_duplicate {
                counts.duplicates += 1;
            } else {
                counts.unique += 1;
                counts.bytes += packet.bytes as u64;
                counts.layer_packets[layer] += 1;
                counts.layer_bytes[layer] += packet.bytes as u64;
                counts.reordered += u64::from(is_late);
                let latency = packet.arrived_us.saturating_sub(packet.sent_us);
                self.latency.record(latency);
            }
        }
        if is_duplicate {
            Arrival::Duplicate
        } else {
            Arrival::Fresh
        }
    }

    /// How many packets should have come, from the sequences that each layer sent in the window.
    pub fn expected(&self, sent: &[Range<u32>; LAYERS]) -> u64 {
        let (newest, oldest) = (self.spells.len().saturating_sub(1), 0);
        let stays = self.spells.iter().enumerate().map(|(at, spell)| {
            let sent = &sent[spell.layer];
            let from = if at == oldest { 0 } else { spell.first };
            let to = if at == newest {
                u32::MAX
            } else {
                spell.last + 1
            };
            let (from, to) = (from.max(sent.start), to.min(sent.end));
            u64::from(to.saturating_sub(from))
        });
        stays.sum()
    }

    /// Count the silence that was still open when the window closed.
    pub fn finish(&mut self, window: &Window, gap_limit_us: u64) {
        let gap = self.gap_in(Some(window), window.end_us);
        self.note_gap(gap, gap_limit_us);
    }

    /// The newest packet of a layer came: the subscriber is on it now.
    fn follow(&mut self, layer: usize, sequence: u32) {
        let has_room = self.spells.len() < SPELLS;
        match self.spells.last_mut() {
            Some(spell) if spell.layer == layer => spell.last = sequence,
            _ if has_room => self.spells.push(Spell {
                layer,
                first: sequence,
                last: sequence,
            }),
            _ => {}
        }
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
}

impl Sequences {
    fn new(sequence: u32) -> Self {
        Sequences {
            newest: sequence,
            seen: vec![0; (HISTORY / 64) as usize].into_boxed_slice(),
        }
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

    fn packet(layer: u8, sequence: u32, sent_us: u64, arrived_us: u64) -> Received {
        Received {
            layer,
            sequence,
            sent_us,
            arrived_us,
            bytes: 100,
        }
    }

    fn arrive(meter: &mut StreamMeter, sequence: u32, sent: u64, now: u64) -> Arrival {
        meter.arrive(&packet(2, sequence, sent, now), Some(&WINDOW), 500_000)
    }

    fn come(meter: &mut StreamMeter, layer: u8, sequences: Range<u32>) {
        for sequence in sequences {
            let at = 10_000 + u64::from(sequence);
            meter.arrive(&packet(layer, sequence, at, at), Some(&WINDOW), 500_000);
        }
    }

    #[test]
    fn all_of_the_window_is_expected_while_the_layer_stays() {
        let mut meter = StreamMeter::new(2_000);
        come(&mut meter, 2, 50..60);
        assert_eq!(meter.expected(&[0..0, 0..0, 40..100]), 60);
        assert_eq!(meter.layer(), Some(2));
        assert_eq!(StreamMeter::new(2_000).expected(&[0..9, 0..9, 0..9]), 0);
    }

    #[test]
    fn of_a_layer_that_was_left_only_what_was_sent_while_on_it_is_expected() {
        let mut meter = StreamMeter::new(2_000);
        come(&mut meter, 2, 0..10);
        come(&mut meter, 0, 5..8);
        // 32 is lost; 10 to 29 were sent while it was on the other layer.
        come(&mut meter, 2, 30..32);
        come(&mut meter, 2, 33..35);
        // Late: this does not bring the subscriber back to the low layer.
        come(&mut meter, 0, 6..7);
        let sent = [0..10, 0..0, 0..40];
        assert_eq!(meter.expected(&sent), 10 + 3 + 10);
        assert_eq!(meter.in_window.layer_packets, [3, 0, 14]);
        assert_eq!(meter.in_window.duplicates, 1);
        assert_eq!(meter.layer(), Some(2));
        // A window that begins and ends within a stay.
        assert_eq!(meter.expected(&[6..7, 0..0, 4..31]), 6 + 1 + 1);
    }

    #[test]
    fn lost_duplicated_and_reordered_are_told_apart() {
        let mut meter = StreamMeter::new(2_000);
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
        let mut meter = StreamMeter::new(2_000);
        arrive(&mut meter, 0, 1_900, 2_000);
        assert_eq!(arrive(&mut meter, 10_000, 1_900, 2_000), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 9_000, 1_900, 2_000), Arrival::Fresh);
        assert_eq!(arrive(&mut meter, 1_000, 1_900, 2_000), Arrival::Duplicate);
    }

    #[test]
    fn only_packets_sent_within_the_window_count() {
        let mut meter = StreamMeter::new(500);
        meter.arrive(&packet(2, 1, 400, 500), None, 500_000);
        arrive(&mut meter, 2, 999, 1_100);
        arrive(&mut meter, 3, 1_000, 1_200);
        arrive(&mut meter, 4, 2_000_000, 2_000_100);
        assert_eq!(meter.in_window.unique, 1);
        assert_eq!(meter.total, 4);
    }

    #[test]
    fn silence_longer_than_the_limit_is_an_interruption_also_at_the_end() {
        let mut meter = StreamMeter::new(2_000);
        arrive(&mut meter, 1, 1_900, 2_000);
        arrive(&mut meter, 2, 400_000, 400_100);
        arrive(&mut meter, 3, 1_000_000, 1_000_100);
        assert_eq!(meter.in_window.interruptions, 1);
        assert_eq!(meter.in_window.longest_gap_us, 600_000);
        meter.finish(&WINDOW, 500_000);
        assert_eq!(meter.in_window.interruptions, 2);
    }
}
