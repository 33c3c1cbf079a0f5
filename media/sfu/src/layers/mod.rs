//! Layers of video: which of them a subscriber gets, and how the stream it sees stays without
//! holes. Pure values without sockets, rooms or clocks.

pub mod allocate;
mod bits;
pub mod dependency;
pub mod numbering;
pub mod selector;
pub mod svc;
pub mod vp8;

/// Encodings of one track: q, h and f of LiveKit's simulcast.
pub const MAX_SPATIAL: u8 = 2;
/// Temporal layers of one encoding.
pub const MAX_TEMPORAL: u8 = 3;

/// What selection needs to know of one packet, read once for all subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Decoding can start with this packet.
    pub starts_key_frame: bool,
    /// First packet of its picture.
    pub starts_picture: bool,
    /// Temporal layer; 0 where the codec does not say.
    pub temporal: u8,
    /// Needs nothing but lower temporal layers of pictures before: one may switch up to it here.
    pub is_sync: bool,
}
