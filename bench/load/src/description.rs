//! The few facts that a server's offer or answer must have.
//!
//! Must never panic on a description, whatever is in it.

use crate::sdp::{DATA_MID, Section};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    pub ufrag: String,
    pub password: String,
    pub fingerprint: String,
    /// The server said `a=setup:active`, so our side is the DTLS server.
    pub is_active: bool,
    /// The server only answers connectivity checks.
    pub is_lite: bool,
    /// `candidate:…` lines.
    pub candidates: Vec<String>,
    pub sections: Vec<RemoteSection>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    Data,
    Audio,
    Video,
    #[default]
    Other,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteSection {
    pub mid: String,
    pub kind: Kind,
    media: String,
    pub is_rejected: bool,
    /// The server sends in this section.
    pub is_sending: bool,
    pub ssrc: Option<u32>,
    pub rtx_ssrc: Option<u32>,
    /// The server wants REMB and no transport-wide feedback from us.
    pub wants_remb: bool,
    /// The server takes the layers that were offered.
    pub takes_simulcast: bool,
    /// Payload type and name.
    codecs: Vec<(u8, String)>,
    /// Payload type and what is fed back.
    pub feedback: Vec<(u8, String)>,
    pub extensions: Vec<(u8, String)>,
}

impl RemoteSection {
    pub fn has_codec(&self, pt: u8, name: &str) -> bool {
        let mut codecs = self.codecs.iter();
        codecs.any(|(of, codec)| *of == pt && codec.eq_ignore_ascii_case(name))
    }

    /// The m-line with which this section is refused.
    pub fn refusal(&self) -> String {
        let mut words: Vec<&str> = self.media.split(' ').collect();
        if let Some(port) = words.get_mut(1) {
            *port = "0";
        }
        words.join(" ")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDescription {
    #[error("the server's description has no {0}")]
    Missing(&'static str),
    #[error("the answer has {got} sections, the offer had {offered}")]
    SectionCount { got: usize, offered: usize },
    #[error("SSRC {0} is in the description twice")]
    Ssrc(u32),
    #[error("section {at} of the answer has mid {got:?}, the offer had {offered:?}")]
    Mid {
        at: usize,
        got: String,
        offered: String,
    },
    #[error("the answer does not take the layers of section {0:?}")]
    NoSimulcast(String),
}

/// Read an answer to an offer with these sections after the data channel's.
pub fn answer(sdp: &str, offered: &[Section]) -> Result<Description, BadDescription> {
    let answer = complete(read(sdp))?;
    check_sections(&answer, offered)?;
    Ok(answer)
}

/// Read an offer of the server's.
pub fn offer(sdp: &str) -> Result<Description, BadDescription> {
    complete(read(sdp))
}

fn read(sdp: &str) -> Description {
    let mut description = Description::default();
    let mut has_twcc = false;
    for line in sdp.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            description.sections.push(begin(media));
            has_twcc = false;
            continue;
        }
        let Some(attribute) = line.strip_prefix("a=") else {
            continue;
        };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name {
            "ice-ufrag" => keep_first(&mut description.ufrag, value),
            "ice-pwd" => keep_first(&mut description.password, value),
            "fingerprint" => keep_first(&mut description.fingerprint, value),
            "setup" => description.is_active = value == "active",
            "ice-lite" => description.is_lite = true,
            "candidate" if !description.candidates.iter().any(|have| have == attribute) => {
                description.candidates.push(attribute.to_owned());
            }
            _ => {}
        }
        let Some(section) = description.sections.last_mut() else {
            continue;
        };
        has_twcc |= name == "extmap" && value.contains("transport-wide-cc");
        take(section, name, value);
        section.wants_remb &= !has_twcc;
    }
    description
}

fn begin(media: &str) -> RemoteSection {
    let mut words = media.split(' ');
    let kind = match words.next() {
        Some("application") => Kind::Data,
        Some("audio") => Kind::Audio,
        Some("video") => Kind::Video,
        _ => Kind::Other,
    };
    RemoteSection {
        kind,
        media: media.to_owned(),
        is_rejected: words.next().unwrap_or("0") == "0",
        ..Default::default()
    }
}

fn take(section: &mut RemoteSection, name: &str, value: &str) {
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
        "simulcast" => section.takes_simulcast |= value.starts_with("recv"),
        "rtpmap" => section.codecs.extend(numbered(value).map(|(pt, codec)| {
            let name = codec.split('/').next().unwrap_or_default();
            (pt, name.to_owned())
        })),
        "rtcp-fb" => {
            section.wants_remb |= value.ends_with("goog-remb");
            let feedback = numbered(value).map(|(pt, what)| (pt, what.to_owned()));
            section.feedback.extend(feedback);
        }
        "extmap" => {
            let extension = numbered(value).map(|(id, uri)| (id, uri.to_owned()));
            section.extensions.extend(extension);
        }
        _ => {}
    }
}

/// `96 something`; an extension's id may have a direction behind it, `4/sendonly`.
fn numbered(value: &str) -> Option<(u8, &str)> {
    let (number, rest) = value.split_once(' ')?;
    let number = number.split('/').next()?.parse().ok()?;
    Some((number, rest))
}

fn keep_first(slot: &mut String, value: &str) {
    if slot.is_empty() {
        value.clone_into(slot);
    }
}

fn complete(description: Description) -> Result<Description, BadDescription> {
    let facts = [
        (&description.ufrag, "ICE user fragment"),
        (&description.password, "ICE password"),
        (&description.fingerprint, "fingerprint"),
    ];
    if let Some((_, name)) = facts.iter().find(|(value, _)| value.is_empty()) {
        return Err(BadDescription::Missing(name));
    }
    let mut ssrcs: Vec<u32> = description
        .sections
        .iter()
        .flat_map(|it| [it.ssrc, it.rtx_ssrc])
        .flatten()
        .collect();
    ssrcs.sort_unstable();
    match ssrcs.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(BadDescription::Ssrc(pair[0])),
        None => Ok(description),
    }
}

fn check_sections(answer: &Description, offered: &[Section]) -> Result<(), BadDescription> {
    if answer.sections.len() != offered.len() + 1 {
        let (got, offered) = (answer.sections.len(), offered.len() + 1);
        return Err(BadDescription::SectionCount { got, offered });
    }
    let mids = std::iter::once(DATA_MID).chain(offered.iter().map(|section| section.mid.as_str()));
    for (at, (mid, section)) in mids.zip(&answer.sections).enumerate() {
        // A rejected section may leave its mid out.
        if section.mid != mid && !(section.is_rejected && section.mid.is_empty()) {
            let (got, offered) = (section.mid.clone(), mid.to_owned());
            return Err(BadDescription::Mid { at, got, offered });
        }
    }
    for (section, answered) in offered.iter().zip(&answer.sections[1..]) {
        let is_simulcast = section.sending.as_ref().is_some_and(|it| it.is_simulcast());
        if is_simulcast && !answered.is_rejected && !answered.takes_simulcast {
            return Err(BadDescription::NoSimulcast(section.mid.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::tests::sections;

    const ANSWER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        a=fingerprint:sha-256 AA:BB\r\na=group:BUNDLE 0 1 2\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=setup:passive\r\n\
        a=ice-ufrag:uf\r\na=ice-pwd:pw\r\na=candidate:1 1 udp 2130706431 127.0.0.1 7882 typ host\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=sendonly\r\na=ssrc:77 cname:x\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:2\r\na=recvonly\r\n";

    #[test]
    fn an_answer_is_read() {
        let answer = answer(ANSWER, &sections(false)).unwrap();
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
            answer(&no_ufrag, &sections(false)),
            Err(BadDescription::Missing("ICE user fragment"))
        );
        let twice = ANSWER.replace("a=mid:2\r\n", "a=mid:2\r\na=ssrc:77 cname:y\r\n");
        assert_eq!(
            answer(&twice, &sections(false)),
            Err(BadDescription::Ssrc(77))
        );
        let wrong_mid = ANSWER.replace("a=mid:2", "a=mid:9");
        assert!(matches!(
            answer(&wrong_mid, &sections(false)),
            Err(BadDescription::Mid { at: 2, .. })
        ));
        assert!(matches!(
            answer(ANSWER, &sections(false)[..1]),
            Err(BadDescription::SectionCount { got: 3, offered: 2 })
        ));
    }

    #[test]
    fn layers_must_be_taken() {
        assert_eq!(
            answer(ANSWER, &sections(true)),
            Err(BadDescription::NoSimulcast("2".into()))
        );
        let taken = format!("{ANSWER}a=rid:q recv\r\na=simulcast:recv q;h;f\r\n");
        assert!(answer(&taken, &sections(true)).is_ok());
    }

    #[test]
    fn any_prefix_and_any_garbled_answer_is_survived() {
        for end in 0..ANSWER.len() {
            let _ = answer(&ANSWER[..end], &sections(false));
        }
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut bytes = ANSWER.as_bytes().to_vec();
            for _ in 0..8 {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..128);
            }
            let _ = answer(&String::from_utf8(bytes).unwrap(), &sections(false));
        }
    }
}
