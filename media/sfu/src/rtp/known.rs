//! The header extensions that we know, by name.

use std::sync::Arc;

use str0m::rtp::{ExtensionSerializer, ExtensionValues};

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
pub const ANSWERED: [&str; 9] = [
    MID,
    AUDIO_LEVEL,
    ABS_CAPTURE_TIME,
    VIDEO_ORIENTATION,
    TRANSPORT_CC,
    PLAYOUT_DELAY,
    RID,
    REPAIRED_RID,
    DEPENDENCY_DESCRIPTOR,
];

/// Between the epochs of NTP and of Unix.
pub const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// A dependency descriptor as it stands in a packet; the stack only carries it.
#[derive(Debug, Clone)]
pub struct RawDescriptor(pub Arc<[u8]>);

impl ExtensionSerializer for RawDescriptor {
    fn write_to(&self, _: &mut [u8], _: &ExtensionValues) -> usize {
        // The stack sends no media.
        0
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(RawDescriptor(bytes.into()));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }
}
