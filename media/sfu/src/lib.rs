//! Sans-IO selective forwarding: datagrams and commands with `now` in, datagrams and events out.
//!
//! No socket, thread or clock in here, so a whole room runs inside a unit test over a simulated
//! network, faster than real time. [`Shard`] is the only entry.

mod api;

pub use api::*;

use std::net::SocketAddr;
use std::time::Instant;

/// All rooms of one shard.
pub struct Shard {
    _config: ShardConfig,
}

impl Shard {
    pub fn new(config: ShardConfig, _now: Instant) -> Self {
        Shard { _config: config }
    }

    /// Carry out one command. Unknown ids are ignored.
    pub fn command(&mut self, _now: Instant, _command: Command) {}

    /// Take one datagram in. Never fails: what nobody can use is counted and dropped.
    pub fn receive(&mut self, _now: Instant, _source: SocketAddr, _destination: SocketAddr, _datagram: &[u8]) {}

    /// Run due timers and flush everyone whom `command` or `receive` touched.
    pub fn advance(&mut self, _now: Instant) {}

    /// When `advance` is needed next if nothing comes in; `None` when there is nobody.
    pub fn next_timeout(&self) -> Option<Instant> {
        None
    }

    /// Everything to send since the last call.
    pub fn transmits(&mut self) -> std::vec::Drain<'_, Transmit> {
        unimplemented!()
    }

    /// Everything that happened since the last call.
    pub fn events(&mut self) -> std::vec::Drain<'_, Event> {
        unimplemented!()
    }

    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
