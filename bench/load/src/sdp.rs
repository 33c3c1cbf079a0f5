//! Offers and answers as a browser's peer connection writes them.
//!
//! Sections are only ever added, in the order of the offer, as JSEP (RFC 8829) asks; codecs are Opus
//! and VP8 with RTX.

use std::fmt::Write;

use crate::description::{Description, Kind, RemoteSection};

pub const PT_OPUS: u8 = 111;
pub const PT_VP8: u8 = 96;
pub const PT_VP8_RTX: u8 = 97;

pub const EXT_AUDIO_LEVEL: u8 = 1;
pub const EXT_ABS_SEND_TIME: u8 = 2;
pub const EXT_TWCC: u8 = 3;
pub const EXT_MID: u8 = 4;
pub const EXT_RID: u8 = 10;
pub const EXT_REPAIRED_RID: u8 = 11;
pub const EXT_ORIENTATION: u8 = 13;

const AUDIO_LEVEL: (u8, &str) = (
    EXT_AUDIO_LEVEL,
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
);
const ABS_SEND_TIME: (u8, &str) = (
    EXT_ABS_SEND_TIME,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
);
const TWCC: (u8, &str) = (
    EXT_TWCC,
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
);
const MID: (u8, &str) = (EXT_MID, "urn:ietf:params:rtp-hdrext:sdes:mid");
const RID: (u8, &str) = (EXT_RID, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
const REPAIRED_RID: (u8, &str) = (
    EXT_REPAIRED_RID,
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
);
const ORIENTATION: (u8, &str) = (EXT_ORIENTATION, "urn:3gpp:video-orientation");
/// The ids that mean something to the stack. An offer may use others as it likes.
const KNOWN: [(u8, &str); 7] = [
    AUDIO_LEVEL,
    ABS_SEND_TIME,
    TWCC,
    MID,
    RID,
    REPAIRED_RID,
    ORIENTATION,
];

/// One m-line of ours after the data channel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub mid: String,
    pub is_video: bool,
    /// `None`: receive only.
    pub sending: Option<Sending>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Second token of `a=msid`: by it the server finds the track that was announced.
    pub cid: String,
    /// One, or the layers of a simulcast track, the smallest first.
    pub encodings: Vec<Encoding>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// `None` unless it is one of several.
    pub rid: Option<&'static str>,
    pub ssrc: u32,
    pub rtx_ssrc: Option<u32>,
}

impl Sending {
    pub fn is_simulcast(&self) -> bool {
        self.encodings.len() > 1
    }
}

/// What all m-lines of an offer share.
pub struct Transport<'a> {
    pub session: u64,
    pub version: u32,
    pub ufrag: &'a str,
    pub password: &'a str,
    /// `sha-256 AA:BB:…`
    pub fingerprint: &'a str,
}

/// The mid of the data channel's m-line.
pub const DATA_MID: &str = "0";

pub fn offer(transport: &Transport<'_>, sections: &[Section]) -> String {
    let mids = sections
        .iter()
        .fold(String::from(DATA_MID), |mids, it| mids + " " + &it.mid);
    let mut sdp = String::with_capacity(1_024 + sections.len() * 1_024);
    begin(&mut sdp, transport, &mids);
    data_section(&mut sdp, transport, DATA_MID, "actpass");
    for section in sections {
        let codecs = if section.is_video {
            format!("m=video 9 UDP/TLS/RTP/SAVPF {PT_VP8} {PT_VP8_RTX}")
        } else {
            format!("m=audio 9 UDP/TLS/RTP/SAVPF {PT_OPUS}")
        };
        line(&mut sdp, format_args!("{codecs}"));
        common(&mut sdp, transport, &section.mid, "actpass");
        for (id, uri) in extensions(section.is_video) {
            line(&mut sdp, format_args!("a=extmap:{id} {uri}"));
        }
        match &section.sending {
            None => line(&mut sdp, format_args!("a=recvonly")),
            Some(sending) => {
                line(
                    &mut sdp,
                    format_args!("a=sendonly\r\na=msid:- {}", sending.cid),
                );
            }
        }
        line(&mut sdp, format_args!("a=rtcp-mux\r\na=rtcp-rsize"));
        line(&mut sdp, format_args!("{}", codec_lines(section.is_video)));
        match &section.sending {
            Some(sending) if sending.is_simulcast() => simulcast_lines(&mut sdp, sending),
            Some(sending) => ssrc_lines(&mut sdp, sending),
            None => {}
        }
    }
    sdp
}

/// The answer to an offer of the server's, which takes all that is audio or video as we know it.
pub fn answer(transport: &Transport<'_>, offer: &Description) -> String {
    let mids = offer.sections.iter().filter(|it| is_taken(it));
    let mids: Vec<&str> = mids.map(|it| it.mid.as_str()).collect();
    let mut sdp = String::with_capacity(1_024 + offer.sections.len() * 1_024);
    begin(&mut sdp, transport, &mids.join(" "));
    for section in &offer.sections {
        match section.kind {
            Kind::Data if is_taken(section) => {
                data_section(&mut sdp, transport, &section.mid, "active");
            }
            Kind::Audio | Kind::Video if is_taken(section) => {
                taken_section(&mut sdp, transport, section);
            }
            _ => {
                line(&mut sdp, format_args!("m={}", section.refusal()));
                line(&mut sdp, format_args!("c=IN IP4 0.0.0.0\r\na=inactive"));
                line(&mut sdp, format_args!("a=mid:{}", section.mid));
            }
        }
    }
    sdp
}

fn is_taken(section: &RemoteSection) -> bool {
    let has_codec = match section.kind {
        Kind::Data => true,
        Kind::Audio => section.has_codec(PT_OPUS, "opus"),
        Kind::Video => section.has_codec(PT_VP8, "VP8"),
        Kind::Other => false,
    };
    has_codec && !section.is_rejected
}

fn taken_section(sdp: &mut String, transport: &Transport<'_>, section: &RemoteSection) {
    let is_video = section.kind == Kind::Video;
    let has_rtx = is_video && section.has_codec(PT_VP8_RTX, "rtx");
    let media = match (is_video, has_rtx) {
        (true, true) => format!("video 9 UDP/TLS/RTP/SAVPF {PT_VP8} {PT_VP8_RTX}"),
        (true, false) => format!("video 9 UDP/TLS/RTP/SAVPF {PT_VP8}"),
        (false, _) => format!("audio 9 UDP/TLS/RTP/SAVPF {PT_OPUS}"),
    };
    line(sdp, format_args!("m={media}"));
    common(sdp, transport, &section.mid, "active");
    for (id, uri) in section.extensions.iter().filter(is_understood) {
        line(sdp, format_args!("a=extmap:{id} {uri}"));
    }
    let direction = if section.is_sending {
        "recvonly"
    } else {
        "inactive"
    };
    line(
        sdp,
        format_args!("a={direction}\r\na=rtcp-mux\r\na=rtcp-rsize"),
    );
    if is_video {
        line(sdp, format_args!("a=rtpmap:{PT_VP8} VP8/90000"));
    } else {
        let fmtp = "minptime=10;useinbandfec=1";
        line(sdp, format_args!("a=rtpmap:{PT_OPUS} opus/48000/2"));
        line(sdp, format_args!("a=fmtp:{PT_OPUS} {fmtp}"));
    }
    let pt = if is_video { PT_VP8 } else { PT_OPUS };
    for (_, feedback) in section.feedback.iter().filter(|(of, _)| *of == pt) {
        line(sdp, format_args!("a=rtcp-fb:{pt} {feedback}"));
    }
    if has_rtx {
        line(sdp, format_args!("a=rtpmap:{PT_VP8_RTX} rtx/90000"));
        line(sdp, format_args!("a=fmtp:{PT_VP8_RTX} apt={PT_VP8}"));
    }
}

/// The stack's ids are fixed when it is made, before the first offer: an extension under an id that
/// means another to the stack is not taken, one under an id without a meaning is skipped by it.
fn is_understood((id, uri): &&(u8, String)) -> bool {
    KNOWN.iter().all(|(known, name)| known != id || name == uri)
}

fn line(sdp: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = sdp.write_fmt(text);
    sdp.push_str("\r\n");
}

fn begin(sdp: &mut String, transport: &Transport<'_>, mids: &str) {
    let Transport {
        session, version, ..
    } = transport;
    line(sdp, format_args!("v=0"));
    line(
        sdp,
        format_args!("o=- {session} {version} IN IP4 127.0.0.1"),
    );
    line(sdp, format_args!("s=-\r\nt=0 0\r\na=group:BUNDLE {mids}"));
    line(
        sdp,
        format_args!("a=extmap-allow-mixed\r\na=msid-semantic: WMS"),
    );
}

fn common(sdp: &mut String, transport: &Transport<'_>, mid: &str, setup: &str) {
    line(sdp, format_args!("c=IN IP4 0.0.0.0"));
    line(sdp, format_args!("a=ice-ufrag:{}", transport.ufrag));
    line(sdp, format_args!("a=ice-pwd:{}", transport.password));
    line(sdp, format_args!("a=ice-options:trickle"));
    line(sdp, format_args!("a=fingerprint:{}", transport.fingerprint));
    line(sdp, format_args!("a=setup:{setup}\r\na=mid:{mid}"));
}

fn data_section(sdp: &mut String, transport: &Transport<'_>, mid: &str, setup: &str) {
    line(
        sdp,
        format_args!("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"),
    );
    common(sdp, transport, mid, setup);
    line(
        sdp,
        format_args!("a=sctp-port:5000\r\na=max-message-size:262144"),
    );
}

fn extensions(is_video: bool) -> Vec<(u8, &'static str)> {
    let mut list = vec![ABS_SEND_TIME, TWCC, MID];
    if is_video {
        list.extend([ORIENTATION, RID, REPAIRED_RID]);
    } else {
        list.push(AUDIO_LEVEL);
    }
    list
}

fn codec_lines(is_video: bool) -> String {
    if is_video {
        let feedback = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]
            .map(|feedback| format!("a=rtcp-fb:{PT_VP8} {feedback}"))
            .join("\r\n");
        format!(
            "a=rtpmap:{PT_VP8} VP8/90000\r\n{feedback}\r\n\
             a=rtpmap:{PT_VP8_RTX} rtx/90000\r\na=fmtp:{PT_VP8_RTX} apt={PT_VP8}"
        )
    } else {
        format!(
            "a=rtpmap:{PT_OPUS} opus/48000/2\r\na=rtcp-fb:{PT_OPUS} transport-cc\r\n\
             a=fmtp:{PT_OPUS} minptime=10;useinbandfec=1"
        )
    }
}

/// Browsers name no SSRC of layers: the server learns them by the rid in their packets.
fn simulcast_lines(sdp: &mut String, sending: &Sending) {
    let rids: Vec<&str> = sending.encodings.iter().filter_map(|it| it.rid).collect();
    for rid in &rids {
        line(sdp, format_args!("a=rid:{rid} send"));
    }
    line(sdp, format_args!("a=simulcast:send {}", rids.join(";")));
}

fn ssrc_lines(sdp: &mut String, sending: &Sending) {
    let cid = &sending.cid;
    for Encoding { ssrc, rtx_ssrc, .. } in &sending.encodings {
        if let Some(rtx) = rtx_ssrc {
            line(sdp, format_args!("a=ssrc-group:FID {ssrc} {rtx}"));
        }
        for ssrc in std::iter::once(ssrc).chain(rtx_ssrc) {
            line(sdp, format_args!("a=ssrc:{ssrc} cname:load"));
            line(sdp, format_args!("a=ssrc:{ssrc} msid:- {cid}"));
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::description;

    pub fn sections(is_simulcast: bool) -> Vec<Section> {
        let encoding = |rid, ssrc| Encoding {
            rid,
            ssrc,
            rtx_ssrc: Some(ssrc + 1),
        };
        let encodings = if is_simulcast {
            ["q", "h", "f"]
                .into_iter()
                .zip([11, 21, 31])
                .map(|(rid, ssrc)| encoding(Some(rid), ssrc))
                .collect()
        } else {
            vec![encoding(None, 11)]
        };
        let sending = Sending {
            cid: "cam".into(),
            encodings,
        };
        vec![
            Section {
                mid: "1".into(),
                is_video: false,
                sending: None,
            },
            Section {
                mid: "2".into(),
                is_video: true,
                sending: Some(sending),
            },
        ]
    }

    const TRANSPORT: Transport<'static> = Transport {
        session: 5,
        version: 2,
        ufrag: "uf",
        password: "pw",
        fingerprint: "sha-256 AA",
    };

    fn is_sdp(sdp: &str) -> bool {
        sdp.ends_with("\r\n")
            && sdp
                .lines()
                .all(|line| line.as_bytes().get(1) == Some(&b'='))
    }

    #[test]
    fn the_offer_has_every_section_once_and_in_order() {
        let sdp = offer(&TRANSPORT, &sections(false));
        assert!(sdp.contains("a=group:BUNDLE 0 1 2\r\n"));
        assert_eq!(sdp.matches("\r\nm=").count(), 3);
        assert_eq!(sdp.matches("a=recvonly").count(), 1);
        assert!(sdp.contains("a=sendonly\r\na=msid:- cam\r\n"));
        assert!(sdp.contains("a=ssrc-group:FID 11 12\r\n"));
        assert!(!sdp.contains("a=rid") && is_sdp(&sdp));
    }

    #[test]
    fn a_simulcast_section_has_rids_and_no_ssrc() {
        let sdp = offer(&TRANSPORT, &sections(true));
        for line in [
            "a=rid:q send",
            "a=rid:h send",
            "a=rid:f send",
            "a=simulcast:send q;h;f",
            "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
        ] {
            assert!(sdp.contains(&format!("{line}\r\n")), "{line}");
        }
        assert!(!sdp.contains("a=ssrc") && is_sdp(&sdp));
    }

    const OFFER: &str = "v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 AA:BB\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=setup:actpass\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\na=mid:v\r\na=sendonly\r\n\
        a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\n\
        a=rtpmap:98 VP9/90000\r\na=rtcp-fb:98 nack\r\na=extmap:3 urn:other\r\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:7 urn:new\r\na=ssrc:9 cname:x\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:9\r\na=sendonly\r\na=rtpmap:98 VP9/90000\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=inactive\r\na=rtpmap:111 opus/48000/2\r\n";

    #[test]
    fn an_answer_takes_what_is_understood_in_the_order_of_the_offer() {
        let sdp = answer(&TRANSPORT, &description::offer(OFFER).unwrap());
        assert!(is_sdp(&sdp));
        assert!(sdp.contains("a=group:BUNDLE 0 v a\r\n"));
        let read = description::offer(&sdp).unwrap();
        let mids: Vec<&str> = read.sections.iter().map(|it| it.mid.as_str()).collect();
        assert_eq!(mids, ["0", "v", "9", "a"]);
        assert!(read.sections[2].is_rejected && !read.sections[1].is_rejected);
        assert_eq!(read.sections[1].feedback, [(PT_VP8, "nack pli".into())]);
        let ids: Vec<u8> = read.sections[1].extensions.iter().map(|it| it.0).collect();
        assert_eq!(ids, [EXT_MID, 7]);
        assert_eq!(sdp.matches("a=setup:active").count(), 3);
        assert_eq!(sdp.matches("a=recvonly").count(), 1);
    }
}
