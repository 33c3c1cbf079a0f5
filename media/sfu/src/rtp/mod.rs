//! RTP and RTCP as the shard writes and reads them itself. No state of rooms or participants.

pub mod egress;
pub mod extension;
pub mod keyframe;
pub mod known;
mod late;
pub mod resends;
pub mod rtcp;
pub mod transport_cc;
mod window;
