//! Offers of ours, for what a client receives on a connection of its own, and its answers.
//!
//! We choose payload types and extension ids here (libwebrtc's customary ones); the answer says
//! which of them the client takes. Written by the same writer as answers.

use super::codec::{Codec, CodecName};
use super::parse::{finish, read};
use super::{Direction, Offer, OfferSection, SdpError, SectionKind};
use crate::rtp::extension;

const H264_BASELINE: &str = "level-asymmetry-allowed=1;profile-level-id=42e01f";

const AV1_MAIN: &str = "level-idx=5;profile=0;tier=0";

/// What a section of this kind is offered with.
pub fn offered_codecs(kind: SectionKind) -> Vec<Codec> {
    let codec = |pt, rtx: Option<u8>, name, fmtp: &str, feedback: &[&str]| Codec {
        pt,
        rtx,
        name,
        fmtp: fmtp.to_owned(),
        feedback: feedback.iter().map(|f| (*f).to_owned()).collect(),
    };
    let video = ["nack", "nack pli", "ccm fir", "transport-cc"];
    let h264 = |mode: u8| format!("{H264_BASELINE};packetization-mode={mode}");
    match kind {
        SectionKind::Audio => vec![codec(
            111,
            None,
            CodecName::Opus,
            "minptime=10;useinbandfec=1",
            &["transport-cc"],
        )],
        SectionKind::Video => vec![
            codec(96, Some(97), CodecName::Vp8, "", &video),
            codec(103, Some(104), CodecName::H264, &h264(1), &video),
            codec(109, Some(114), CodecName::H264, &h264(0), &video),
            codec(98, Some(99), CodecName::Vp9, "profile-id=0", &video),
            codec(45, Some(46), CodecName::Av1, AV1_MAIN, &video),
        ],
        _ => Vec::new(),
    }
}

/// A section of ours, as the writer takes it.
pub fn offered_section(mid: &str, kind: SectionKind) -> OfferSection {
    let (media, protocol, formats) = match kind {
        SectionKind::Audio => ("audio", "UDP/TLS/RTP/SAVPF", ""),
        SectionKind::Video => ("video", "UDP/TLS/RTP/SAVPF", ""),
        _ => ("application", "UDP/DTLS/SCTP", "webrtc-datachannel"),
    };
    OfferSection {
        kind,
        media: media.to_owned(),
        protocol: protocol.to_owned(),
        formats: formats.to_owned(),
        mid: mid.to_owned(),
        is_rejected: false,
        direction: Direction::SendOnly,
        cid: None,
        codecs: offered_codecs(kind),
        extensions: if kind.media().is_some() {
            extension::offered(kind == SectionKind::Video)
        } else {
            Vec::new()
        },
        ssrcs: Vec::new(),
        repair: Vec::new(),
        rids: Vec::new(),
    }
}

/// A client's answer to an offer of ours, in the same shape as an offer, and whether it leaves the
/// active DTLS side to us.
pub fn parse_answer(sdp: &str) -> Result<(Offer, bool), SdpError> {
    let answer = finish(read(sdp)?)?;
    match answer.setup.as_deref() {
        Some("active") => Ok((answer, false)),
        Some("passive") => Ok((answer, true)),
        _ => Err(SdpError::Session(
            "an answer is the active or the passive DTLS side",
        )),
    }
}
