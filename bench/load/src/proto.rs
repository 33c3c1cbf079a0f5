//! The few LiveKit signalling messages that joining, publishing and subscribing need.
//!
//! Declared by hand with the field numbers of `livekit_rtc.proto` and `livekit_models.proto`
//! (protocol 1.50), because the full generated crate costs more to compile than the rest of this
//! program. Unknown fields and unknown messages are skipped by protobuf's own rules. This module
//! holds declarations only.

use std::collections::HashMap;

use prost::{Enumeration, Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub struct SignalRequest {
    #[prost(oneof = "Request", tags = "1, 2, 3, 4, 7, 8, 16")]
    pub message: Option<Request>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Request {
    #[prost(message, tag = "1")]
    Offer(SessionDescription),
    #[prost(message, tag = "2")]
    Answer(SessionDescription),
    #[prost(message, tag = "3")]
    Trickle(TrickleRequest),
    #[prost(message, tag = "4")]
    AddTrack(AddTrackRequest),
    #[prost(message, tag = "7")]
    TrackSetting(UpdateTrackSettings),
    #[prost(message, tag = "8")]
    Leave(LeaveRequest),
    #[prost(message, tag = "16")]
    Ping(Ping),
}

#[derive(Clone, PartialEq, Message)]
pub struct SignalResponse {
    #[prost(
        oneof = "Response",
        tags = "1, 2, 3, 4, 5, 6, 8, 13, 14, 20, 21, 22, 25"
    )]
    pub message: Option<Response>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Response {
    #[prost(message, tag = "1")]
    Join(JoinResponse),
    #[prost(message, tag = "2")]
    Answer(SessionDescription),
    #[prost(message, tag = "3")]
    Offer(SessionDescription),
    #[prost(message, tag = "4")]
    Trickle(TrickleRequest),
    #[prost(message, tag = "5")]
    Update(ParticipantUpdate),
    #[prost(message, tag = "6")]
    TrackPublished(TrackPublishedResponse),
    #[prost(message, tag = "8")]
    Leave(LeaveRequest),
    #[prost(message, tag = "13")]
    StreamState(StreamStateUpdate),
    #[prost(message, tag = "14")]
    SubscribedQuality(SubscribedQualityUpdate),
    #[prost(message, tag = "20")]
    Pong(Pong),
    #[prost(message, tag = "21")]
    Subscription(SubscriptionResponse),
    #[prost(message, tag = "22")]
    Request(RequestResponse),
    #[prost(message, tag = "25")]
    SectionsRequired(MediaSectionsRequirement),
}

#[derive(Clone, PartialEq, Message)]
pub struct WrappedJoinRequest {
    #[prost(enumeration = "Compression", tag = "1")]
    pub compression: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub join_request: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum Compression {
    None = 0,
    Gzip = 1,
}

#[derive(Clone, PartialEq, Message)]
pub struct JoinRequest {
    #[prost(message, optional, tag = "1")]
    pub client_info: Option<ClientInfo>,
    #[prost(message, optional, tag = "2")]
    pub connection_settings: Option<ConnectionSettings>,
    #[prost(message, optional, tag = "6")]
    pub publisher_offer: Option<SessionDescription>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ClientInfo {
    #[prost(int32, tag = "1")]
    pub sdk: i32,
    #[prost(string, tag = "2")]
    pub version: String,
    #[prost(int32, tag = "3")]
    pub protocol: i32,
    #[prost(string, tag = "4")]
    pub os: String,
    #[prost(string, tag = "7")]
    pub browser: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ConnectionSettings {
    #[prost(bool, tag = "1")]
    pub auto_subscribe: bool,
    #[prost(bool, tag = "2")]
    pub adaptive_stream: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct SessionDescription {
    #[prost(string, tag = "1")]
    pub r#type: String,
    #[prost(string, tag = "2")]
    pub sdp: String,
    #[prost(uint32, tag = "3")]
    pub id: u32,
    #[prost(map = "string, string", tag = "4")]
    pub mid_to_track_id: HashMap<String, String>,
}

/// `SignalTarget`: the connection on which we offer, the only one of some clients.
pub const PUBLISHER: i32 = 0;
/// The connection on which the server offers.
pub const SUBSCRIBER: i32 = 1;

#[derive(Clone, PartialEq, Message)]
pub struct TrickleRequest {
    #[prost(string, tag = "1")]
    pub candidate_init: String,
    /// `PUBLISHER` or `SUBSCRIBER`.
    #[prost(int32, tag = "2")]
    pub target: i32,
    #[prost(bool, tag = "3")]
    pub r#final: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enumeration)]
#[repr(i32)]
pub enum TrackType {
    Audio = 0,
    Video = 1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum TrackSource {
    Unknown = 0,
    Camera = 1,
    Microphone = 2,
}

#[derive(Clone, PartialEq, Message)]
pub struct AddTrackRequest {
    #[prost(string, tag = "1")]
    pub cid: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(enumeration = "TrackType", tag = "3")]
    pub r#type: i32,
    #[prost(uint32, tag = "4")]
    pub width: u32,
    #[prost(uint32, tag = "5")]
    pub height: u32,
    #[prost(enumeration = "TrackSource", tag = "8")]
    pub source: i32,
    #[prost(message, repeated, tag = "9")]
    pub layers: Vec<VideoLayer>,
    #[prost(bool, tag = "13")]
    pub disable_red: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct VideoLayer {
    /// 0 LOW, 1 MEDIUM, 2 HIGH, the one for a track with a single layer.
    #[prost(int32, tag = "1")]
    pub quality: i32,
    #[prost(uint32, tag = "2")]
    pub width: u32,
    #[prost(uint32, tag = "3")]
    pub height: u32,
    #[prost(uint32, tag = "4")]
    pub bitrate: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct LeaveRequest {
    #[prost(int32, tag = "2")]
    pub reason: i32,
    #[prost(int32, tag = "3")]
    pub action: i32,
}

/// `DisconnectReason` of a client that leaves by its own will.
pub const CLIENT_INITIATED: i32 = 1;

#[derive(Clone, PartialEq, Message)]
pub struct Ping {
    #[prost(int64, tag = "1")]
    pub timestamp: i64,
    #[prost(int64, tag = "2")]
    pub rtt: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Pong {
    #[prost(int64, tag = "1")]
    pub last_ping_timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct JoinResponse {
    #[prost(message, optional, tag = "2")]
    pub participant: Option<ParticipantInfo>,
    #[prost(message, repeated, tag = "3")]
    pub other_participants: Vec<ParticipantInfo>,
    #[prost(int32, tag = "11")]
    pub ping_interval: i32,
    #[prost(message, optional, tag = "12")]
    pub server_info: Option<ServerInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ServerInfo {
    #[prost(string, tag = "2")]
    pub version: String,
    #[prost(int32, tag = "3")]
    pub protocol: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ParticipantUpdate {
    #[prost(message, repeated, tag = "1")]
    pub participants: Vec<ParticipantInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ParticipantInfo {
    #[prost(string, tag = "1")]
    pub sid: String,
    #[prost(string, tag = "2")]
    pub identity: String,
    #[prost(message, repeated, tag = "4")]
    pub tracks: Vec<TrackInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TrackInfo {
    #[prost(string, tag = "1")]
    pub sid: String,
    #[prost(enumeration = "TrackType", tag = "2")]
    pub r#type: i32,
    #[prost(string, tag = "3")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct UpdateTrackSettings {
    #[prost(string, repeated, tag = "1")]
    pub track_sids: Vec<String>,
    /// As in `VideoLayer`.
    #[prost(int32, tag = "4")]
    pub quality: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubscribedQualityUpdate {
    #[prost(string, tag = "1")]
    pub track_sid: String,
    #[prost(message, repeated, tag = "2")]
    pub subscribed_qualities: Vec<SubscribedQuality>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubscribedQuality {
    #[prost(int32, tag = "1")]
    pub quality: i32,
    #[prost(bool, tag = "2")]
    pub enabled: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct TrackPublishedResponse {
    #[prost(string, tag = "1")]
    pub cid: String,
    #[prost(message, optional, tag = "2")]
    pub track: Option<TrackInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamStateUpdate {
    #[prost(message, repeated, tag = "1")]
    pub stream_states: Vec<StreamStateInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamStateInfo {
    #[prost(string, tag = "2")]
    pub track_sid: String,
    /// 0 active, 1 paused.
    #[prost(int32, tag = "3")]
    pub state: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubscriptionResponse {
    #[prost(string, tag = "1")]
    pub track_sid: String,
    #[prost(int32, tag = "2")]
    pub err: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct RequestResponse {
    #[prost(int32, tag = "2")]
    pub reason: i32,
    #[prost(string, tag = "3")]
    pub message: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct MediaSectionsRequirement {
    #[prost(uint32, tag = "1")]
    pub num_audios: u32,
    #[prost(uint32, tag = "2")]
    pub num_videos: u32,
}
