//! The header extensions that we know, by name.

pub const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
pub const ABS_CAPTURE_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
pub const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
pub const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
pub const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
pub const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
pub const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
pub const DEPENDENCY_DESCRIPTOR: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// Answered in every section, also where nothing flows yet: libwebrtc leaves out of later offers
/// what an answer left out, and what a section is for changes. Transport-wide sequence numbers are
/// read, and not written. Dependency descriptors are asked of publishers of scalable codecs only.
const ANSWERED: [(&str, Known); 9] = [
    (MID, Known::Mid),
    (AUDIO_LEVEL, Known::AudioLevel),
    (ABS_CAPTURE_TIME, Known::AbsCaptureTime),
    (VIDEO_ORIENTATION, Known::VideoOrientation),
    (TRANSPORT_CC, Known::TransportNumber),
    (PLAYOUT_DELAY, Known::PlayoutDelay),
    (RID, Known::Rid),
    (REPAIRED_RID, Known::RepairedRid),
    (DEPENDENCY_DESCRIPTOR, Known::DependencyDescriptor),
];

/// What is answered, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Mid,
    AudioLevel,
    AbsCaptureTime,
    VideoOrientation,
    TransportNumber,
    PlayoutDelay,
    Rid,
    RepairedRid,
    DependencyDescriptor,
}

impl Known {
    /// `None`: not answered.
    pub fn of(uri: &str) -> Option<Known> {
        let answered = ANSWERED.iter().find(|(known, _)| *known == uri);
        answered.map(|(_, known)| *known)
    }
}

/// Between the epochs of NTP and of Unix.
pub const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;
