//! Offers as a browser's single peer connection writes them, and the few facts an answer must have.
//!
//! Must never panic on an answer, whatever is in it. Sections are only ever added, in the order of
//! the offer, as JSEP (RFC 8829) asks; codecs are Opus and VP8 with RTX.

use std::fmt::Write;

pub const PT_OPUS: u8 = 111;
pub const PT_VP8: u8 = 96;
pub const PT_VP8_RTX: u8 = 97;

pub const EXT_AUDIO_LEVEL: u8 = 1;
pub const EXT_ABS_SEND_TIME: u8 = 2;
pub const EXT_TWCC: u8 = 3;
pub const EXT_MID: u8 = 4;
pub const EXT_ORIENTATION: u8 = 13;

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
    pub ssrc: u32,
    pub rtx_ssrc: Option<u32>,
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
    let mut sdp = String::with_capacity(1_024 + sections.len() * 1_024);
    let line = |sdp: &mut String, text: std::fmt::Arguments<'_>| {
        // Writing into a String cannot fail.
        let _ = sdp.write_fmt(text);
        sdp.push_str("\r\n");
    };
    let mids = sections
        .iter()
        .fold(String::from(DATA_MID), |mids, it| mids + " " + &it.mid);
    line(&mut sdp, format_args!("v=0"));
    line(
        &mut sdp,
        format_args!(
            "o=- {} {} IN IP4 127.0.0.1",
            transport.session, transport.version
        ),
    );
    line(
        &mut sdp,
        format_args!("s=-\r\nt=0 0\r\na=group:BUNDLE {mids}"),
    );
    line(
        &mut sdp,
        format_args!("a=extmap-allow-mixed\r\na=msid-semantic: WMS"),
    );
    let common = |sdp: &mut String, mid: &str| {
        line(sdp, format_args!("c=IN IP4 0.0.0.0"));
        line(sdp, format_args!("a=ice-ufrag:{}", transport.ufrag));
        line(sdp, format_args!("a=ice-pwd:{}", transport.password));
        line(sdp, format_args!("a=ice-options:trickle"));
        line(sdp, format_args!("a=fingerprint:{}", transport.fingerprint));
        line(sdp, format_args!("a=setup:actpass\r\na=mid:{mid}"));
    };
    line(
        &mut sdp,
        format_args!("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"),
    );
    common(&mut sdp, DATA_MID);
    line(
        &mut sdp,
        format_args!("a=sctp-port:5000\r\na=max-message-size:262144"),
    );
    for section in sections {
        let codecs = if section.is_video {
            format!("m=video 9 UDP/TLS/RTP/SAVPF {PT_VP8} {PT_VP8_RTX}")
        } else {
            format!("m=audio 9 UDP/TLS/RTP/SAVPF {PT_OPUS}")
        };
        line(&mut sdp, format_args!("{codecs}"));
        common(&mut sdp, &section.mid);
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
        if let Some(sending) = &section.sending {
            ssrc_lines(&mut sdp, sending);
        }
    }
    sdp
}

fn extensions(is_video: bool) -> Vec<(u8, &'static str)> {
    let mut list = vec![
        (
            EXT_ABS_SEND_TIME,
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        ),
        (
            EXT_TWCC,
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        ),
        (EXT_MID, "urn:ietf:params:rtp-hdrext:sdes:mid"),
    ];
    if is_video {
        list.push((EXT_ORIENTATION, "urn:3gpp:video-orientation"));
    } else {
        list.push((
            EXT_AUDIO_LEVEL,
            "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        ));
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

fn ssrc_lines(sdp: &mut String, sending: &Sending) {
    let Sending {
        cid,
        ssrc,
        rtx_ssrc,
    } = sending;
    if let Some(rtx) = rtx_ssrc {
        let _ = write!(sdp, "a=ssrc-group:FID {ssrc} {rtx}\r\n");
    }
    for ssrc in std::iter::once(ssrc).chain(rtx_ssrc) {
        let _ = write!(
            sdp,
            "a=ssrc:{ssrc} cname:load\r\na=ssrc:{ssrc} msid:- {cid}\r\n"
        );
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub ufrag: String,
    pub password: String,
    pub fingerprint: String,
    /// The server said `a=setup:active`, so our side is the DTLS server.
    pub is_active: bool,
    /// `candidate:…` lines.
    pub candidates: Vec<String>,
    pub sections: Vec<AnswerSection>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerSection {
    pub mid: String,
    pub is_rejected: bool,
    /// The server sends in this section.
    pub is_sending: bool,
    pub ssrc: Option<u32>,
    pub rtx_ssrc: Option<u32>,
    /// The server wants REMB and no transport-wide feedback from us.
    pub wants_remb: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    #[error("the answer has no {0}")]
    Missing(&'static str),
    #[error("the answer has {got} sections, the offer had {offered}")]
    SectionCount { got: usize, offered: usize },
    #[error("SSRC {0} is in the answer twice")]
    Ssrc(u32),
    #[error("section {at} of the answer has mid {got:?}, the offer had {offered:?}")]
    Mid {
        at: usize,
        got: String,
        offered: String,
    },
}

/// Read an answer to an offer with these sections.
pub fn answer(sdp: &str, offered: &[Section]) -> Result<Answer, BadAnswer> {
    let mut answer = Answer::default();
    let mut has_twcc = false;
    for line in sdp.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            let port = media.split(' ').nth(1).unwrap_or("0");
            answer.sections.push(AnswerSection {
                is_rejected: port == "0",
                ..Default::default()
            });
            has_twcc = false;
            continue;
        }
        let Some(attribute) = line.strip_prefix("a=") else {
            continue;
        };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name {
            "ice-ufrag" => keep_first(&mut answer.ufrag, value),
            "ice-pwd" => keep_first(&mut answer.password, value),
            "fingerprint" => keep_first(&mut answer.fingerprint, value),
            "setup" => answer.is_active = value == "active",
            "candidate" if !answer.candidates.iter().any(|have| have == attribute) => {
                answer.candidates.push(attribute.to_owned());
            }
            _ => {}
        }
        let Some(section) = answer.sections.last_mut() else {
            continue;
        };
        match name {
            "mid" => value.clone_into(&mut section.mid),
            "sendonly" | "sendrecv" => section.is_sending = true,
            "ssrc" if section.ssrc.is_none() => {
                section.ssrc = value.split(' ').next().and_then(|ssrc| ssrc.parse().ok());
            }
            "ssrc-group" => {
                let mut words = value.split(' ');
                if words.next() == Some("FID") {
                    section.ssrc = words.next().and_then(|ssrc| ssrc.parse().ok());
                    section.rtx_ssrc = words.next().and_then(|ssrc| ssrc.parse().ok());
                }
            }
            "extmap" if value.contains("transport-wide-cc") => has_twcc = true,
            "rtcp-fb" if value.ends_with("goog-remb") => section.wants_remb = true,
            _ => {}
        }
        section.wants_remb &= !has_twcc;
    }
    check(answer, offered)
}

fn keep_first(slot: &mut String, value: &str) {
    if slot.is_empty() {
        value.clone_into(slot);
    }
}

fn check(answer: Answer, offered: &[Section]) -> Result<Answer, BadAnswer> {
    let facts = [
        (&answer.ufrag, "ICE user fragment"),
        (&answer.password, "ICE password"),
        (&answer.fingerprint, "fingerprint"),
    ];
    if let Some((_, name)) = facts.iter().find(|(value, _)| value.is_empty()) {
        return Err(BadAnswer::Missing(name));
    }
    if answer.sections.len() != offered.len() + 1 {
        let (got, offered) = (answer.sections.len(), offered.len() + 1);
        return Err(BadAnswer::SectionCount { got, offered });
    }
    let mids = std::iter::once(DATA_MID).chain(offered.iter().map(|section| section.mid.as_str()));
    for (at, (mid, section)) in mids.zip(&answer.sections).enumerate() {
        // A rejected section may leave its mid out.
        if section.mid != mid && !(section.is_rejected && section.mid.is_empty()) {
            let (got, offered) = (section.mid.clone(), mid.to_owned());
            return Err(BadAnswer::Mid { at, got, offered });
        }
    }
    let mut ssrcs: Vec<u32> = answer
        .sections
        .iter()
        .flat_map(|it| [it.ssrc, it.rtx_ssrc])
        .flatten()
        .collect();
    ssrcs.sort_unstable();
    match ssrcs.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(BadAnswer::Ssrc(pair[0])),
        None => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections() -> Vec<Section> {
        let sending = Sending {
            cid: "cam".into(),
            ssrc: 11,
            rtx_ssrc: Some(12),
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

    const ANSWER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        a=fingerprint:sha-256 AA:BB\r\na=group:BUNDLE 0 1 2\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=setup:passive\r\n\
        a=ice-ufrag:uf\r\na=ice-pwd:pw\r\na=candidate:1 1 udp 2130706431 127.0.0.1 7882 typ host\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=sendonly\r\na=ssrc:77 cname:x\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:2\r\na=recvonly\r\n";

    #[test]
    fn the_offer_has_every_section_once_and_in_order() {
        let transport = Transport {
            session: 5,
            version: 2,
            ufrag: "uf",
            password: "pw",
            fingerprint: "sha-256 AA",
        };
        let sdp = offer(&transport, &sections());
        assert!(sdp.contains("a=group:BUNDLE 0 1 2\r\n"));
        assert_eq!(sdp.matches("\r\nm=").count(), 3);
        assert_eq!(sdp.matches("a=recvonly").count(), 1);
        assert!(sdp.contains("a=sendonly\r\na=msid:- cam\r\n"));
        assert!(sdp.contains("a=ssrc-group:FID 11 12\r\n"));
        assert!(
            sdp.lines()
                .all(|line| line.as_bytes().get(1) == Some(&b'='))
        );
    }

    #[test]
    fn an_answer_is_read() {
        let answer = answer(ANSWER, &sections()).unwrap();
        assert_eq!(
            (answer.ufrag.as_str(), answer.password.as_str()),
            ("uf", "pw")
        );
        assert_eq!(answer.fingerprint, "sha-256 AA:BB");
        assert!(!answer.is_active);
        assert_eq!(answer.candidates.len(), 1);
        assert!(answer.sections[1].is_sending);
        assert_eq!(answer.sections[1].ssrc, Some(77));
        assert!(!answer.sections[2].is_sending);
    }

    #[test]
    fn a_bad_answer_is_named() {
        let no_ufrag = ANSWER.replace("a=ice-ufrag:uf\r\n", "");
        assert_eq!(
            answer(&no_ufrag, &sections()),
            Err(BadAnswer::Missing("ICE user fragment"))
        );
        let twice = ANSWER.replace("a=mid:2\r\n", "a=mid:2\r\na=ssrc:77 cname:y\r\n");
        assert_eq!(answer(&twice, &sections()), Err(BadAnswer::Ssrc(77)));
        let wrong_mid = ANSWER.replace("a=mid:2", "a=mid:9");
        assert!(matches!(
            answer(&wrong_mid, &sections()),
            Err(BadAnswer::Mid { at: 2, .. })
        ));
        assert!(matches!(
            answer(ANSWER, &sections()[..1]),
            Err(BadAnswer::SectionCount { got: 3, offered: 2 })
        ));
    }

    #[test]
    fn any_prefix_and_any_garbled_answer_is_survived() {
        for end in 0..ANSWER.len() {
            let _ = answer(&ANSWER[..end], &sections());
        }
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut bytes = ANSWER.as_bytes().to_vec();
            for _ in 0..8 {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..128);
            }
            let _ = answer(&String::from_utf8(bytes).unwrap(), &sections());
        }
    }
}
