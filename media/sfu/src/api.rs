//! The vocabulary between the sans-IO core and whoever drives it.
//!
//! The driver's loop, once for each batch of datagrams or commands:
//! `command`* / `receive`* -> `advance(now)` -> send all `transmits` -> hand on all `events` ->
//! sleep until `next_timeout` or the next input. `advance` is what flushes: nothing that `receive`
//! or `command` caused leaves before it. Until `incomplete_until` a driver may leave out `transmits`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub use crate::sdp::CodecName;

/// `PA_…` sid of a participant, unique in the process.
pub type ParticipantId = Arc<str>;
/// `TR_…` sid of a published track, unique in the process.
pub type TrackId = Arc<str>;
/// Name of a room.
pub type RoomId = Arc<str>;

#[derive(Debug, Clone)]
pub struct ShardConfig {
    /// Addresses that are written into answers as host candidates, most preferred first.
    pub candidates: Vec<Candidate>,
}

/// One address on which the shard can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Where the socket is bound: `receive` names it as `destination`, transmits as `source`.
    pub local: SocketAddr,
    /// What clients are told: differs from `local` behind a 1:1 NAT only.
    pub advertised: SocketAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Audio,
    Video,
}

/// The MediaStream in which receivers see a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Camera,
    Screen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub can_publish: bool,
    pub can_subscribe: bool,
    pub can_publish_data: bool,
}

#[derive(Debug, Clone)]
pub struct ExpectedTrack {
    pub track: TrackId,
    /// Second token of `a=msid` in the offer that carries the track.
    pub cid: String,
    pub kind: Kind,
    pub stream: Stream,
    pub muted: bool,
    pub stereo: bool,
    pub dtx: bool,
    /// What the publisher wants to send with; without it the first codec of its offer.
    pub codec: Option<CodecName>,
    /// This is a track in another codec: who receives it sees that one.
    pub shown_as: Option<TrackId>,
}

#[derive(Debug, Clone)]
pub enum Command {
    Open {
        room: RoomId,
        participant: ParticipantId,
        identity: String,
        grant: Grant,
        /// The client has two connections: it offers on the one on which it publishes, and answers
        /// [`Event::Offer`] on the one on which it receives.
        is_dual: bool,
    },
    SetGrant {
        participant: ParticipantId,
        grant: Grant,
    },
    Offer {
        participant: ParticipantId,
        offer_id: u32,
        sdp: String,
    },
    /// What a client with two connections says to [`Event::Offer`]. Another id than the last offer's
    /// is passed over; 0 is taken for it (clients that know no ids).
    Answer {
        participant: ParticipantId,
        offer_id: u32,
        sdp: String,
    },
    /// The client of two connections came back: offer new ICE credentials for the one on which it
    /// receives. It restarts the other one itself.
    RestartIce {
        participant: ParticipantId,
    },
    Trickle {
        participant: ParticipantId,
        candidate: String,
    },
    SetBandwidth {
        participant: ParticipantId,
        bits_per_second: Option<u64>,
    },
    Close {
        participant: ParticipantId,
    },
    CloseRoom {
        room: RoomId,
    },
    AddTrack {
        participant: ParticipantId,
        track: ExpectedTrack,
    },
    RemoveTrack {
        participant: ParticipantId,
        track: TrackId,
    },
    MuteTrack {
        participant: ParticipantId,
        track: TrackId,
        muted: bool,
    },
    Subscribe {
        participant: ParticipantId,
        track: TrackId,
    },
    Unsubscribe {
        participant: ParticipantId,
        track: TrackId,
    },
    /// Who receives `from` receives `to` in its place from its next key frame on, in the same
    /// section: the same pictures in another codec. Who does not, subscribes to `to`.
    Exchange {
        participant: ParticipantId,
        from: TrackId,
        to: TrackId,
    },
    Pause {
        participant: ParticipantId,
        track: TrackId,
        paused: bool,
    },
    /// The largest layers of a track that a subscriber wants: spatial 0 to 2 (LiveKit's low, medium,
    /// high), temporal 0 to 3; larger means all. Without it, all.
    Limit {
        participant: ParticipantId,
        track: TrackId,
        spatial: u8,
        temporal: u8,
    },
    RequestKeyframes {
        room: RoomId,
    },
    SendData {
        room: RoomId,
        packet: Vec<u8>,
        reliable: bool,
        destinations: Vec<ParticipantId>,
    },
    ReplayData {
        participant: ParticipantId,
        last: HashMap<ParticipantId, u32>,
    },
    /// Test hook: panic at this participant's next datagram.
    InjectFault {
        participant: ParticipantId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportState {
    Connected,
    /// No ICE answer for 10 s.
    Disconnected,
    /// 5 s after that.
    Failed,
    /// The client closed DTLS.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    Poor,
    Good,
    Excellent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Answer {
        participant: ParticipantId,
        offer_id: u32,
        sdp: String,
        mid_to_track: Vec<(String, TrackId)>,
    },
    /// To be answered by [`Command::Answer`]; on the connection on which the client receives. Ids
    /// increase, and there is never more than one that counts.
    Offer {
        participant: ParticipantId,
        offer_id: u32,
        sdp: String,
        mid_to_track: Vec<(String, TrackId)>,
    },
    OfferRejected {
        participant: ParticipantId,
        offer_id: u32,
        reason: String,
    },
    /// Of the participant as a whole. With two connections: connected when the primary one is (the
    /// one on which it receives, unless it may not subscribe), failed when either fails.
    Transport {
        participant: ParticipantId,
        state: TransportState,
    },
    SectionsNeeded {
        participant: ParticipantId,
        audio: u32,
        video: u32,
    },
    Subscribed {
        participant: ParticipantId,
        track: TrackId,
        mid: String,
    },
    SubscriptionFailed {
        participant: ParticipantId,
        track: TrackId,
        reason: SubscriptionError,
    },
    TrackActive {
        participant: ParticipantId,
        track: TrackId,
        mime: &'static str,
        mid: String,
    },
    TrackEnded {
        participant: ParticipantId,
        track: TrackId,
    },
    StreamState {
        participant: ParticipantId,
        track: TrackId,
        paused: bool,
    },
    Speakers {
        room: RoomId,
        speakers: Vec<Speaker>,
    },
    Quality {
        room: RoomId,
        qualities: Vec<(ParticipantId, Quality, f32)>,
    },
    /// The last reliable sequence seen from a participant moved on (coalesced; for resume).
    ReliableSequence {
        participant: ParticipantId,
        sequence: u32,
    },
    /// A panic inside this participant's processing: it is gone already.
    ParticipantFailed {
        participant: ParticipantId,
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionError {
    CodecUnsupported,
    TrackUnknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Speaker {
    pub participant: ParticipantId,
    /// 0 (silent) to 1.
    pub level: f32,
    pub active: bool,
}

/// One datagram to send. Those of one destination come in order and next to each other, so that
/// the driver can hand runs of equal length to the kernel as one segmented send (GSO).
#[derive(Debug)]
pub struct Transmit {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: Vec<u8>,
}

/// Counters since start; the driver publishes a copy every second.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    pub rooms: u64,
    pub participants: u64,
    pub packets_in: u64,
    pub packets_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Datagrams that nobody could use, by reason (`unknown_source`, `malformed_stun`, …).
    pub datagrams_dropped: HashMap<&'static str, u64>,
    pub rtx_in: u64,
    pub rtx_out: u64,
    pub nacks_in: u64,
    pub nacks_out: u64,
    pub plis_in: u64,
    pub plis_out: u64,
    pub packets_lost_in: u64,
    pub packets_lost_out: u64,
    pub data_in: u64,
    pub data_out: u64,
    pub data_dropped: u64,
    pub panics: u64,
}
