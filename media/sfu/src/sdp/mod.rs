//! Session descriptions: what a client offers, and what we answer.
//!
//! Pure functions over text with no notion of rooms or transports; they never panic and every
//! count is bounded, since the text comes from anybody who holds a token.

mod answer;
mod codec;
mod offer;
mod parse;

pub use answer::{Answer, AnswerSection, SectionAnswer, SessionAnswer};
pub use codec::{
    Codec, CodecName, encodings_for_publishing, encodings_for_subscribing, match_codec,
};
pub use offer::{offered_codecs, offered_section, parse_answer};
pub use parse::parse_offer;

use crate::Kind;

/// Media sections of one participant, ever (recycled ones count once).
pub const MAX_SECTIONS: usize = 200;
/// A Chromium video section is about 6 kB; 200 of them and some room.
pub const MAX_SDP_BYTES: usize = 2 * 1024 * 1024;
pub const MAX_LINES: usize = 65_536;
pub const MAX_LINE_BYTES: usize = 4096;
pub const MAX_FORMATS: usize = 96;
pub const MAX_EXTENSIONS: usize = 32;
pub const MAX_SSRCS: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    #[error("description too large")]
    TooLarge,
    #[error("too many {0}")]
    TooMany(&'static str),
    #[error("line {0}: {1}")]
    Line(usize, &'static str),
    #[error("section {0}: {1}")]
    Section(usize, &'static str),
    #[error("{0}")]
    Session(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    Audio,
    Video,
    /// The data channel association.
    Data,
    /// Anything else is answered with port 0.
    Other,
}

impl SectionKind {
    pub fn media(self) -> Option<Kind> {
        match self {
            SectionKind::Audio => Some(Kind::Audio),
            SectionKind::Video => Some(Kind::Video),
            _ => None,
        }
    }
}

/// As the client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Offer {
    pub ufrag: String,
    pub password: String,
    /// `sha-256 AB:CD:…`
    pub fingerprint: String,
    pub setup: Option<String>,
    pub bundle: Vec<String>,
    pub sections: Vec<OfferSection>,
}

#[derive(Debug, Clone)]
pub struct OfferSection {
    pub kind: SectionKind,
    /// `audio`, `video`, `application`, …: echoed.
    pub media: String,
    /// `UDP/TLS/RTP/SAVPF`, …: echoed.
    pub protocol: String,
    /// As written after the protocol: echoed in a rejected section.
    pub formats: String,
    pub mid: String,
    /// Port 0 outside the bundle: the section is stopped.
    pub is_rejected: bool,
    pub direction: Direction,
    /// Second token of `a=msid`, the track's id at the client.
    pub cid: Option<String>,
    /// In order of the offer's preference; RTX and the like are folded in.
    pub codecs: Vec<Codec>,
    /// Id and URI.
    pub extensions: Vec<(u8, String)>,
    pub ssrcs: Vec<u32>,
    /// `a=ssrc-group:FID`: main and repair.
    pub repair: Vec<(u32, u32)>,
    /// Of a simulcast sender: its encodings in the order of the offer, and the spatial layer of each.
    pub rids: Vec<(String, u8)>,
}
