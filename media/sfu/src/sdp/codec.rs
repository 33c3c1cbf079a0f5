//! Codecs of media sections: which of those offered are answered, and how two ends match.

use super::OfferSection;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodecName {
    Opus,
    Vp8,
    H264,
    Vp9,
    Av1,
}

impl CodecName {
    const ALL: [CodecName; 5] = [
        CodecName::Opus,
        CodecName::Vp8,
        CodecName::H264,
        CodecName::Vp9,
        CodecName::Av1,
    ];

    pub fn mime(self) -> &'static str {
        match self {
            CodecName::Opus => "audio/opus",
            CodecName::Vp8 => "video/VP8",
            CodecName::H264 => "video/H264",
            CodecName::Vp9 => "video/VP9",
            CodecName::Av1 => "video/AV1",
        }
    }

    /// A type as in `mime`, in any case; `None` for what is not forwarded.
    pub fn from_mime(mime: &str) -> Option<CodecName> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.mime().eq_ignore_ascii_case(mime))
    }

    /// Sent as layers that lean on each other in one stream, with dependency descriptors.
    pub fn is_scalable(self) -> bool {
        matches!(self, CodecName::Vp9 | CodecName::Av1)
    }

    pub fn clock_rate(self) -> u32 {
        if self == CodecName::Opus {
            48_000
        } else {
            90_000
        }
    }

    pub fn is_video(self) -> bool {
        self != CodecName::Opus
    }
}

/// What of an H.264 format decides whether it can be passed on (RFC 6184, 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct H264 {
    pub profile_idc: u8,
    pub constraints: u8,
    pub packetization_mode: u8,
}

impl H264 {
    pub fn parse(fmtp: &str) -> H264 {
        // Without parameters: Baseline, single NAL unit mode.
        let mut format = H264 {
            profile_idc: 0x42,
            constraints: 0,
            packetization_mode: 0,
        };
        for parameter in fmtp.split(';') {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            match name.trim() {
                "profile-level-id" => {
                    if let Ok(id) = u32::from_str_radix(value.trim(), 16) {
                        format.profile_idc = (id >> 16) as u8;
                        format.constraints = (id >> 8) as u8;
                    }
                }
                "packetization-mode" => {
                    format.packetization_mode = value.trim().parse().unwrap_or(0)
                }
                _ => {}
            }
        }
        format
    }

    /// Baseline or Constrained Baseline: what every H.264 client decodes. Main and High are not
    /// passed on, since a receiver that offered neither could not decode them.
    pub fn is_baseline(self) -> bool {
        self.profile_idc == 0x42
    }

    fn is_constrained(self) -> bool {
        self.constraints & 0x40 != 0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    pub pt: u8,
    /// Payload type of the repair stream.
    pub rtx: Option<u8>,
    pub name: CodecName,
    pub fmtp: String,
    /// `nack`, `nack pli`, … as offered.
    pub feedback: Vec<String>,
}

impl Codec {
    pub fn h264(&self) -> Option<H264> {
        (self.name == CodecName::H264).then(|| H264::parse(&self.fmtp))
    }

    /// Of VP9 (RFC 9628, 6) and AV1 (RTP specification, 7.2): only profile 0 is passed on, which every
    /// receiver decodes. True for other codecs.
    fn is_main_profile(&self) -> bool {
        let name = match self.name {
            CodecName::Vp9 => "profile-id",
            CodecName::Av1 => "profile",
            _ => return true,
        };
        let parameters = self.fmtp.split(';').filter_map(|p| p.split_once('='));
        let mut profiles = parameters.filter(|(n, _)| n.trim() == name);
        profiles.all(|(_, profile)| profile.trim() == "0")
    }

    pub fn offers(&self, feedback: &str) -> bool {
        self.feedback.iter().any(|f| f == feedback)
    }
}

/// Codecs answered to a publisher, which sends with the first: `wanted`, then the client's order.
///
/// - RED is left out: publishers then send plain Opus. A RED stream could not be passed to
///   subscribers without RED, and is useless under end-to-end encryption of whole frames.
/// - VP9 and AV1 in their main profile.
/// - H.264 in Baseline with packetization-mode 1 if there is one, since all receivers offer it.
pub fn encodings_for_publishing(section: &OfferSection, wanted: Option<CodecName>) -> Vec<&Codec> {
    let has_mode_1 = section.codecs.iter().any(|c| {
        c.h264()
            .is_some_and(|h| h.is_baseline() && h.packetization_mode == 1)
    });
    let mut codecs: Vec<_> = section
        .codecs
        .iter()
        .filter(|c| c.is_main_profile())
        .filter(|c| {
            c.h264()
                .is_none_or(|h| h.is_baseline() && (!has_mode_1 || h.packetization_mode == 1))
        })
        .collect();
    // Stable: only what is wanted moves to the front.
    codecs.sort_by_key(|c| wanted.is_some_and(|wanted| c.name != wanted));
    codecs
}

/// Codecs answered for what the client receives.
pub fn encodings_for_subscribing(section: &OfferSection) -> Vec<&Codec> {
    section
        .codecs
        .iter()
        .filter(|c| c.is_main_profile() && c.h264().is_none_or(H264::is_baseline))
        .collect()
}

/// The receiver's format for what a publisher sends.
pub fn match_codec<'a>(published: &Codec, receivable: &'a [Codec]) -> Option<&'a Codec> {
    let Some(sent) = published.h264() else {
        return receivable.iter().find(|c| c.name == published.name);
    };
    let same_mode = |c: &&Codec| {
        c.h264()
            .is_some_and(|h| h.is_baseline() && h.packetization_mode == sent.packetization_mode)
    };
    receivable
        .iter()
        .filter(same_mode)
        .find(|c| {
            c.h264()
                .is_some_and(|h| h.is_constrained() == sent.is_constrained())
        })
        .or_else(|| receivable.iter().find(same_mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(pt: u8, fmtp: &str) -> Codec {
        Codec {
            pt,
            rtx: None,
            name: CodecName::H264,
            fmtp: fmtp.into(),
            feedback: vec![],
        }
    }

    #[test]
    fn h264_matches_by_mode_and_profile() {
        let receivable = [
            h264(1, "profile-level-id=42001f;packetization-mode=0"),
            h264(2, "profile-level-id=42001f;packetization-mode=1"),
            h264(
                3,
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            ),
            h264(4, "profile-level-id=640032;packetization-mode=1"),
        ];
        let pick = |fmtp| match_codec(&h264(9, fmtp), &receivable).map(|c| c.pt);
        assert_eq!(
            pick("packetization-mode=1;profile-level-id=42e034"),
            Some(3)
        );
        assert_eq!(
            pick("packetization-mode=1;profile-level-id=42001f"),
            Some(2)
        );
        assert_eq!(
            pick("packetization-mode=0;profile-level-id=42e01f"),
            Some(1)
        );
        assert_eq!(pick("packetization-mode=2;profile-level-id=42e01f"), None);
        let vp8 = Codec {
            pt: 96,
            rtx: None,
            name: CodecName::Vp8,
            fmtp: String::new(),
            feedback: vec![],
        };
        assert_eq!(match_codec(&vp8, &receivable), None);
    }
}
