//! Pictures that have begun to come in and have not ended: who sends what is forwarded may wait for
//! the rest, so that it leaves in one piece. Must never make anything wait longer than [`WAIT`].

use std::time::{Duration, Instant};

use crate::rtp::egress::MediaPacket;
use crate::track::TrackIndex;

/// From a picture's first packet on. Senders spread pictures over more when they pace.
const WAIT: Duration = Duration::from_millis(2);

/// What a packet is to its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Begins,
    /// The marker bit (RFC 3550, 5.1; in all of the video formats the last packet of a picture).
    Ends,
    /// In the middle, or of a picture that was begun before the present one.
    Other,
}

/// The picture of one encoding that was begun last, by its SSRC and RTP timestamp.
#[derive(Debug, Default)]
pub struct Progress {
    newest: Option<(u32, u32)>,
}

impl Progress {
    pub fn part(&mut self, packet: &MediaPacket) -> Part {
        let is_newest = self.newest == Some((packet.ssrc, packet.timestamp));
        let is_late = self.newest.is_some_and(|(ssrc, timestamp)| {
            ssrc == packet.ssrc && timestamp.wrapping_sub(packet.timestamp) < 1 << 31
        });
        if is_late && !is_newest {
            return Part::Other;
        }
        self.newest = Some((packet.ssrc, packet.timestamp));
        match (packet.marker, is_newest) {
            (true, _) => Part::Ends,
            (false, false) => Part::Begins,
            (false, true) => Part::Other,
        }
    }
}

/// The open pictures of a shard; at most one of an encoding.
#[derive(Debug, Default)]
pub struct Unfinished {
    open: Vec<(TrackIndex, u8, Instant)>,
}

impl Unfinished {
    /// A packet of this encoding was forwarded.
    pub fn record(&mut self, now: Instant, track: TrackIndex, spatial: u8, part: Part) {
        let place = self
            .open
            .iter()
            .position(|(t, layer, _)| (*t, *layer) == (track, spatial));
        match (part, place) {
            // If one is open its end was lost, and what waits for it has waited since then.
            (Part::Begins, None) => self.open.push((track, spatial, now + WAIT)),
            (Part::Ends, Some(place)) => {
                self.open.swap_remove(place);
            }
            _ => {}
        }
    }

    /// The first moment at which one has been waited for long enough.
    pub fn until(&self) -> Option<Instant> {
        self.open.iter().map(|(_, _, until)| *until).min()
    }

    /// No longer wait for those that are late.
    pub fn expire(&mut self, now: Instant) {
        self.open.retain(|(_, _, until)| *until > now);
    }
}
