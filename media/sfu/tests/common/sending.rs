//! What a client sends: tracks, and the encodings of each.

use std::time::Instant;

use conclave_sfu::Kind;
use str0m::media::Mid;

/// A track that is sent.
pub struct Sending {
    pub name: String,
    pub kind: Kind,
    pub mid: Option<Mid>,
    pub is_on: bool,
    pub packets_per_frame: usize,
    pub key_frames: u32,
    pub level: i8,
    pub next: Instant,
    pub encodings: Vec<Encoding>,
    pub sent: u64,
}

/// One layer of a track; three of simulcast, else one.
pub struct Encoding {
    pub rid: Option<&'static str>,
    pub is_on: bool,
    pub key_frames: u32,
    pub sequence: u64,
    pub timestamp: u32,
    pub frame: u32,
    pub tl0: u8,
    pub wants_key: bool,
    /// Answers no request.
    pub is_deaf: bool,
    /// Of a packet.
    pub size: usize,
}

impl Encoding {
    pub fn new(rid: Option<&'static str>, number: u32, size: usize) -> Self {
        Encoding {
            rid,
            is_on: true,
            key_frames: 0,
            sequence: 1000 + 5000 * u64::from(number),
            timestamp: 12_345 + 777_777 * number,
            frame: 1000 * number,
            tl0: 100 * number as u8,
            wants_key: true,
            is_deaf: false,
            size,
        }
    }
}

/// Temporal layer and layer sync of libvpx' three-layer pattern.
pub const PATTERN: [(u8, bool); 4] = [(0, false), (2, true), (1, true), (2, false)];
