//! What somebody who is about to connect will see first.

use std::time::{Duration, Instant};

use crate::rtp::egress::MediaPacket;

/// The newest key frame and what came behind it, kept while somebody who will look at this track
/// is about to connect: so the encoder works while addresses and keys are still being agreed on.
#[derive(Debug, Default)]
pub struct Opening {
    wanted_until: Option<Instant>,
    since: Option<Instant>,
    packets: Vec<MediaPacket>,
}

/// Who needs longer to connect asks for a key frame then.
const OPENING_WAIT: Duration = Duration::from_secs(2);
/// An older picture is not worth what has to be sent behind it.
const OPENING_AGE: Duration = Duration::from_millis(500);
/// About half a second of 5 Mbit/s: at most 300 kB for a track.
const MAX_OPENING: usize = 256;

impl Opening {
    /// Somebody is about to connect.
    pub fn expect(&mut self, now: Instant) {
        self.wanted_until = Some(now + OPENING_WAIT);
    }

    pub fn is_wanted(&self) -> bool {
        self.wanted_until.is_some()
    }

    pub fn record(&mut self, now: Instant, packet: &MediaPacket) {
        let Some(until) = self.wanted_until else {
            return;
        };
        if now > until {
            self.clear();
        } else if packet.marks.starts_key_frame {
            self.packets.clear();
            self.packets.push(packet.clone());
            self.since = Some(now);
        } else if let Some(first) = self.packets.first() {
            // Another source does not continue this picture; nor is it kept without end.
            if first.ssrc != packet.ssrc || self.packets.len() == MAX_OPENING {
                self.packets.clear();
            } else if packet.sequence > first.sequence {
                self.packets.push(packet.clone());
            }
        }
    }

    /// In the order of their sequence; empty when there is nothing to begin with.
    pub fn packets(&self, now: Instant) -> Vec<MediaPacket> {
        if self.since.is_none_or(|since| now > since + OPENING_AGE) {
            return Vec::new();
        }
        let mut packets = self.packets.clone();
        packets.sort_by_key(|packet| packet.sequence);
        packets.dedup_by_key(|packet| packet.sequence);
        packets
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u64, starts_key_frame: bool) -> MediaPacket {
        MediaPacket {
            ssrc,
            sequence,
            timestamp: sequence as u32 * 3000,
            marker: true,
            values: Default::default(),
            payload: vec![0; 4].into(),
            marks: crate::layers::Marks {
                starts_key_frame,
                ..Default::default()
            },
            vp8: None,
            descriptor: None,
            dependency: None,
        }
    }

    #[test]
    fn an_opening_is_the_newest_key_frame_and_what_came_behind_it() {
        let now = Instant::now();
        let mut opening = Opening::default();
        let sequences = |opening: &Opening, at| {
            let packets = opening.packets(at).into_iter();
            packets.map(|p| p.sequence).collect::<Vec<_>>()
        };
        opening.record(now, &packet(1, 1, true));
        assert!(opening.packets(now).is_empty(), "nobody is about to come");
        opening.expect(now);
        for (ssrc, sequence, is_key) in [
            (1, 2, false),
            (1, 4, true),
            (1, 7, false),
            (1, 5, false),
            (1, 5, false),
            (1, 3, false),
        ] {
            opening.record(now, &packet(ssrc, sequence, is_key));
        }
        assert_eq!(sequences(&opening, now), [4, 5, 7]);
        let later = now + OPENING_AGE + Duration::from_millis(1);
        assert!(opening.packets(later).is_empty(), "too old to begin with");
        opening.record(later, &packet(1, 9, true));
        assert_eq!(sequences(&opening, later), [9]);
        opening.record(later, &packet(2, 10, false));
        assert!(opening.packets(later).is_empty(), "another source");
        opening.record(later, &packet(2, 11, true));
        opening.record(
            now + OPENING_WAIT + Duration::from_millis(1),
            &packet(1, 10, false),
        );
        assert!(opening.packets(later).is_empty(), "nobody has come");
    }

    #[test]
    fn an_opening_that_grows_too_large_is_none() {
        let now = Instant::now();
        let mut opening = Opening::default();
        opening.expect(now);
        opening.record(now, &packet(1, 0, true));
        for sequence in 1..2 * MAX_OPENING as u64 {
            opening.record(now, &packet(1, sequence, false));
            assert!(opening.packets(now).len() <= MAX_OPENING);
        }
        assert!(opening.packets(now).is_empty());
    }
}
