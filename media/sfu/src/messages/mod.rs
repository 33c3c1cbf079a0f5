//! Data channels: LiveKit's `DataPacket` passed on between participants.
//!
//! Packets are never decoded and encoded again: unknown fields, chat, RPC, streams and end-to-end
//! encrypted content pass through byte by byte.

mod channels;
mod replay;
mod splice;

pub use channels::{Channels, Lane};
pub use replay::Replay;
pub use splice::splice;

/// Largest message in either direction.
pub const MAX_MESSAGE: usize = 64_000;
