//! What was sent of one stream and may have to be sent again, and how often it may.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::extension::Values;
use crate::ahead;
use crate::buffers::{Buffers, Payload};
use crate::layers::vp8::Patch;

/// Resends kept for a video stream: 2 s of 2.5 Mbit/s. About 120 bytes each; payloads are shared.
const CACHE: usize = 512;
const CACHE_AGE: Duration = Duration::from_secs(3);
/// The same packet is not sent again sooner; its resend may still be on the way.
pub const INTERVAL: Duration = Duration::from_millis(15);
/// Resends a second and in one burst. Above 5 % of any stream this side of 200 Mbit/s.
const RATE: f64 = 1000.0;

/// A packet as it was sent, but for what belongs to the stream.
#[derive(Clone)]
pub struct Kept {
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub rtx_pt: u8,
    pub values: Values,
    pub descriptor: Option<Arc<[u8]>>,
    pub patch: Patch,
    pub payload: Payload,
    pub sent_at: Instant,
    /// It came late to us already: that it is asked for says nothing of the receiver.
    pub is_late: bool,
}

pub struct Resends {
    kept: Vec<Option<(Kept, Option<Instant>)>>,
    tokens: f64,
    refilled: Instant,
    /// Packets repaired since `take_repaired`.
    repaired: u32,
}

impl Resends {
    pub fn new(now: Instant) -> Self {
        Resends {
            kept: Vec::new(),
            tokens: RATE,
            refilled: now,
            repaired: 0,
        }
    }

    /// This number is kept soon.
    pub fn fetch(&self, sequence: u64) {
        if let Some(place) = self.kept.get(sequence as usize % CACHE) {
            ahead::fetch(place);
        }
    }

    pub fn keep(&mut self, sent: Kept, buffers: &mut Buffers) {
        if self.kept.is_empty() {
            self.kept.resize_with(CACHE, || None);
        }
        let place = sent.sequence as usize % CACHE;
        if let Some((before, _)) = self.kept[place].replace((sent, None)) {
            buffers.release(before.payload);
        }
    }

    pub fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.tokens = (self.tokens + elapsed * RATE).min(RATE);
    }

    /// The packet, if it may be sent again now; counts as sent then.
    pub fn take(&mut self, now: Instant, sequence: u64) -> Option<Kept> {
        let (kept, resent_at) = self.kept.get_mut(sequence as usize % CACHE)?.as_mut()?;
        let is_due = resent_at.is_none_or(|at| now.saturating_duration_since(at) >= INTERVAL);
        let is_young = now.saturating_duration_since(kept.sent_at) <= CACHE_AGE;
        if kept.sequence != sequence || !is_young || !is_due || self.tokens < 1.0 {
            return None;
        }
        if resent_at.replace(now).is_none() {
            self.repaired += u32::from(!kept.is_late);
        }
        self.tokens -= 1.0;
        Some(kept.clone())
    }

    pub fn take_repaired(&mut self) -> u32 {
        std::mem::take(&mut self.repaired)
    }
}
