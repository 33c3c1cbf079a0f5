//! One encoding of a published track (a simulcast track has up to three): what is sent now, the key
//! frames that are asked of it, and what is measured.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ingress::Arrival;
use crate::layers::Marks;
use crate::layers::dependency::{Dependency, Reader};
use crate::layers::vp8::Descriptor;
use crate::opening::Opening;
use crate::pictures::Progress;
use crate::rtp::egress::{MediaPacket, SourceClock};
use crate::rtp::keyframe::marks;
use crate::sdp::{Codec, CodecName};

/// What a packet says of itself.
pub struct Reading {
    pub marks: Marks,
    pub vp8: Option<Descriptor>,
    pub dependency: Option<Arc<Dependency>>,
}

impl Reading {
    pub fn write_to(self, packet: &mut MediaPacket) {
        (packet.marks, packet.vp8, packet.dependency) = (self.marks, self.vp8, self.dependency);
    }
}

/// RTP with extensions and the tag of its encryption, roughly.
const HEADERS: usize = 40;
/// About one large key frame.
const MAX_EARLY: usize = 128;

/// What is sent now: changes when the publisher switches codec or SSRC.
#[derive(Debug, Clone)]
pub struct Source {
    pub ssrc: u32,
    pub codec: Arc<Codec>,
}

#[derive(Debug, Default)]
pub struct Encoding {
    /// 0 = the smallest.
    pub spatial: u8,
    pub source: Option<Source>,
    pub clock: Option<SourceClock>,
    pub dependencies: Reader,
    pub last_packet: Option<Instant>,
    /// Pictures of other encodings since then.
    pub missed: u8,
    pub key_frames: KeyFrames,
    /// No receiver took its last packet, and none will before its next key frame; looked at again
    /// then.
    pub unused_until: Option<Instant>,
    /// Packets that somebody could not use for want of the key frame's first packet, which may just
    /// be late.
    early: VecDeque<MediaPacket>,
    pub opening: Opening,
    pub progress: Progress,
    pub reception: Reception,
    pub bitrate: Bitrate,
}

impl Encoding {
    pub fn new(spatial: u8) -> Self {
        Encoding {
            spatial,
            ..Encoding::default()
        }
    }

    pub fn measure(&mut self, now: Instant, packet: &Arrival<'_>) {
        self.reception.record(packet.ssrc, packet.sequence);
        self.bitrate.record(now, packet.payload.len() + HEADERS);
    }

    /// Read what a packet says of itself. `None`: of a scalable stream, and not understood before its
    /// key frame has come.
    pub fn read(
        &mut self,
        codec: CodecName,
        payload: &[u8],
        descriptor: Option<&[u8]>,
    ) -> Option<Reading> {
        let (marks, vp8) = marks(codec, payload);
        let mut reading = Reading {
            marks,
            vp8,
            dependency: None,
        };
        if let Some(descriptor) = descriptor.filter(|_| codec.is_scalable()) {
            let dependency = self.dependencies.read(descriptor)?;
            reading.marks.starts_key_frame =
                dependency.has_structure && dependency.is_start && dependency.spatial == 0;
            reading.dependency = Some(Arc::new(dependency));
        }
        Some(reading)
    }

    /// Keep a packet that came before the key frame's first one, perhaps.
    pub fn keep_early(&mut self, packet: MediaPacket) {
        if self.early.len() >= MAX_EARLY {
            self.early.pop_front();
        }
        self.early.push_back(packet);
    }

    /// The key frame's first packet came: what belongs behind it.
    pub fn take_early(&mut self, first: &MediaPacket) -> Vec<MediaPacket> {
        let mut early: Vec<_> = self
            .early
            .drain(..)
            .filter(|p| p.ssrc == first.ssrc && p.sequence > first.sequence)
            .collect();
        early.sort_by_key(|p| p.sequence);
        early
    }
}

/// Requests of key frames from one publisher's track.
#[derive(Debug, Default)]
pub struct KeyFrames {
    last: Option<Instant>,
    due: Option<Instant>,
    attempts: u32,
}

/// Encoders need a while to answer, and each answer costs all subscribers bandwidth.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);
/// For somebody who sees nothing yet.
const FIRST_KEY_FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// Then the publisher does not answer, and only a new request asks it again.
const MAX_ATTEMPTS: u32 = 20;

impl KeyFrames {
    /// Somebody needs one. `is_first`: for the first picture of a subscription.
    pub fn request(&mut self, now: Instant, is_first: bool) {
        let interval = if is_first {
            FIRST_KEY_FRAME_INTERVAL
        } else {
            KEY_FRAME_INTERVAL
        };
        let due = self.last.map_or(now, |last| now.max(last + interval));
        self.due = Some(self.due.map_or(due, |d| d.min(due)));
        self.attempts = 0;
    }

    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Nothing was asked, or in vain for a long time.
    pub fn is_quiet(&self) -> bool {
        self.due.is_none() && self.attempts == 0
    }

    /// A request goes out now; ask again until a key frame comes.
    pub fn sent(&mut self, now: Instant) {
        self.last = Some(now);
        self.attempts += 1;
        self.due = (self.attempts < MAX_ATTEMPTS).then_some(now + KEY_FRAME_INTERVAL);
    }

    /// A key frame came.
    pub fn satisfied(&mut self) {
        self.due = None;
        self.attempts = 0;
    }
}

/// Loss on the way from the publisher, after its resends.
#[derive(Debug, Default)]
pub struct Reception {
    ssrc: u32,
    highest: u64,
    expected: u64,
    received: u64,
    late: u64,
}

impl Reception {
    pub fn record(&mut self, ssrc: u32, sequence: u64) {
        if self.ssrc != ssrc {
            self.ssrc = ssrc;
            self.highest = sequence;
            self.expected += 1;
        } else if sequence > self.highest {
            self.expected += sequence - self.highest;
            self.highest = sequence;
        } else {
            self.late += 1;
        }
        self.received += 1;
    }

    /// (expected, missing, of those that came: late) since the last call.
    pub fn take(&mut self) -> (u64, u64, u64) {
        let taken = (
            self.expected,
            self.expected.saturating_sub(self.received),
            self.late,
        );
        (self.expected, self.received, self.late) = (0, 0, 0);
        taken
    }
}

/// Bits per second over about the last second.
#[derive(Debug, Default)]
pub struct Bitrate {
    since: Option<Instant>,
    bytes: u64,
    rate: u64,
}

impl Bitrate {
    pub fn record(&mut self, now: Instant, bytes: usize) {
        self.roll(now);
        self.since.get_or_insert(now);
        self.bytes += bytes as u64;
    }

    fn roll(&mut self, now: Instant) {
        let Some(since) = self.since else { return };
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= Duration::from_secs(1) {
            self.rate = (self.bytes as f64 * 8.0 / elapsed.as_secs_f64()) as u64;
            self.bytes = 0;
            self.since = Some(now);
        }
    }

    pub fn get(&mut self, now: Instant) -> u64 {
        self.roll(now);
        // Not yet a second: the bits so far are a floor.
        self.rate
            .max(if self.rate == 0 { self.bytes * 8 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_frame_requests_are_throttled_and_repeated() {
        let now = Instant::now();
        let ms = |n| now + Duration::from_millis(n);
        let mut requests = KeyFrames::default();
        requests.request(now, false);
        assert_eq!(requests.due(), Some(now));
        requests.sent(now);
        assert_eq!(requests.due(), Some(ms(500)), "repeated until one comes");
        requests.request(ms(50), true);
        assert_eq!(
            requests.due(),
            Some(ms(100)),
            "a new subscriber does not wait for the interval"
        );
        requests.satisfied();
        assert_eq!(requests.due(), None);
        requests.request(ms(200), false);
        assert_eq!(requests.due(), Some(ms(500)));
        for n in 0..MAX_ATTEMPTS {
            requests.sent(ms(u64::from(n) * 500));
        }
        assert_eq!(
            requests.due(),
            None,
            "a publisher that never answers is left alone"
        );
    }
}
