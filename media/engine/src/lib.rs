//! Threads, sockets and queues around the sans-IO core `conclave-sfu`.
//!
//! One OS thread a shard, each with its own UDP port on every address, so a datagram arrives on
//! the thread that owns the room. Commands go in through bounded queues, events come out through
//! one bounded queue with a file descriptor that an event loop can watch. Nothing here waits for
//! whoever calls it, and no forwarding decision is made here.

mod command_queue;
mod config;
mod directory;
mod egress;
mod engine;
mod event_queue;
pub mod log;
#[cfg(target_os = "linux")]
mod mmsg;
pub mod pings;
mod shard;
mod snapshot;
mod socket;

pub use conclave_sfu::{
    CodecName, Command, Event, ExpectedTrack, Grant, Kind, ParticipantId, Quality, RoomId, Speaker,
    Stats, Stream, SubscriptionError, TrackId, TransportState,
};
pub use config::{Config, StartError};
pub use engine::{CommandError, Engine};
pub use event_queue::Drained;
pub use snapshot::{EngineStats, ShardStats};
