//! RTP and RTCP as the shard writes and reads them itself. No state of rooms or participants.

pub mod egress;
pub mod extension;
pub mod header;
pub mod keyframe;
pub mod known;
pub mod resends;
pub mod rtcp;
pub mod ssrc;
pub mod transport_cc;
pub mod window;
