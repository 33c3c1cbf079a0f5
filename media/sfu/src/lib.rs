//! Sans-IO selective forwarding: datagrams and commands with `now` in, datagrams and events out.
//!
//! No socket, thread or clock in here, so a whole room runs inside a unit test over a simulated
//! network, faster than real time. [`Shard`] is the only entry.

// The simulated network of the integration tests names the crate from outside.
#[cfg(test)]
extern crate self as conclave_sfu;

mod ahead;
mod api;
mod buffers;
#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
mod encoding;
#[cfg(test)]
mod fuzz;
mod ingress;
mod layers;
mod messages;
mod opening;
mod participant;
mod pictures;
mod quality;
mod room;
mod rtp;
mod runs;
mod sdp;
mod serving;
mod shard;
mod slab;
mod speakers;
mod track;
mod transport;

pub use api::*;
pub use shard::Shard;
