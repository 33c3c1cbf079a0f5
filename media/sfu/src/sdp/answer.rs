//! Writes descriptions: our transport, and which way each section flows. In answers the offered
//! payload types and extension ids are echoed; offers of ours (`offer.rs`) bring their own.

use std::fmt::Write;
use std::net::SocketAddr;

use super::codec::{Codec, CodecName};
use super::{OfferSection, SectionKind};

/// What all sections of an answer share.
pub struct SessionAnswer<'a> {
    pub session_id: u64,
    pub version: u64,
    pub ufrag: &'a str,
    pub password: &'a str,
    pub fingerprint: &'a str,
    /// `passive` in answers: the client begins the DTLS handshake.
    pub setup: &'a str,
    /// Most preferred first.
    pub candidates: &'a [SocketAddr],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionAnswer {
    /// Port 0 and outside the bundle.
    Rejected,
    Data,
    Inactive,
    /// The client sends.
    Receive {
        stereo: bool,
        dtx: bool,
    },
    /// We send, as `a=msid:<stream> <track>`.
    Send {
        stream: String,
        track: String,
        stereo: bool,
        /// Named, so that receivers are set up before the first packet: a stream that a client
        /// first learns of by its packet misses the transforms (decryption) of its receiver.
        ssrc: u32,
        repair: Option<u32>,
        cname: String,
    },
}

pub struct AnswerSection<'a> {
    pub offer: &'a OfferSection,
    pub answer: SectionAnswer,
    /// A subset of the offered ones, in the offer's order.
    pub codecs: Vec<&'a Codec>,
    pub extensions: Vec<(u8, &'a str)>,
}

/// Largest data channel message that we take.
const MAX_MESSAGE_SIZE: usize = crate::messages::MAX_MESSAGE;

/// A whole answer, in the order of the offer.
pub struct Answer<'a> {
    pub session: SessionAnswer<'a>,
    pub sections: Vec<AnswerSection<'a>>,
}

impl Answer<'_> {
    pub fn write(&self) -> String {
        let mut out = String::with_capacity(1024 * (1 + self.sections.len()));
        self.write_into(&mut out)
            .expect("writing into a string cannot fail");
        out
    }

    fn write_into(&self, out: &mut String) -> std::fmt::Result {
        let session = &self.session;
        write!(
            out,
            "v=0\r\no=- {} {} IN IP4 0.0.0.0\r\n",
            session.session_id, session.version
        )?;
        out.push_str("s=-\r\nt=0 0\r\na=ice-lite\r\n");
        out.push_str("a=group:BUNDLE");
        for section in self.accepted() {
            write!(out, " {}", section.offer.mid)?;
        }
        // Without this line Chromium sends no extension that may need the two-byte form.
        out.push_str("\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n");
        let first = self.accepted().map(|s| s.offer.mid.as_str()).next();
        for section in &self.sections {
            self.section(out, section, first == Some(section.offer.mid.as_str()))?;
        }
        Ok(())
    }

    fn accepted(&self) -> impl Iterator<Item = &AnswerSection<'_>> {
        self.sections
            .iter()
            .filter(|s| s.answer != SectionAnswer::Rejected)
    }

    fn section(
        &self,
        out: &mut String,
        section: &AnswerSection<'_>,
        is_first: bool,
    ) -> std::fmt::Result {
        let offer = section.offer;
        if section.answer == SectionAnswer::Rejected {
            return rejected(out, offer);
        }
        write!(out, "m={} 9 {}", offer.media, offer.protocol)?;
        if offer.kind == SectionKind::Data {
            write!(out, " {}", offer.formats)?;
        } else {
            for codec in &section.codecs {
                write!(out, " {}", codec.pt)?;
                if let Some(rtx) = codec.rtx {
                    write!(out, " {rtx}")?;
                }
            }
        }
        out.push_str("\r\nc=IN IP4 0.0.0.0\r\n");
        let session = &self.session;
        write!(out, "a=mid:{}\r\n", offer.mid)?;
        write!(
            out,
            "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n",
            session.ufrag, session.password
        )?;
        write!(
            out,
            "a=fingerprint:{}\r\na=setup:{}\r\n",
            session.fingerprint, session.setup
        )?;
        if is_first {
            for (index, address) in session.candidates.iter().enumerate() {
                // Host type preference 126, then our order (RFC 8445, 5.1.2).
                let priority =
                    (126u32 << 24) | (0xffff_u32.saturating_sub(index as u32) << 8) | 255;
                let (number, ip, port) = (index + 1, address.ip(), address.port());
                write!(
                    out,
                    "a=candidate:{number} 1 udp {priority} {ip} {port} typ host\r\n"
                )?;
            }
            out.push_str("a=end-of-candidates\r\n");
        }
        if offer.kind == SectionKind::Data {
            write!(
                out,
                "a=sctp-port:5000\r\na=max-message-size:{MAX_MESSAGE_SIZE}\r\n"
            )?;
            return Ok(());
        }
        match &section.answer {
            SectionAnswer::Receive { .. } => out.push_str("a=recvonly\r\n"),
            SectionAnswer::Send { stream, track, .. } => {
                write!(out, "a=sendonly\r\na=msid:{stream} {track}\r\n")?;
            }
            _ => out.push_str("a=inactive\r\n"),
        }
        out.push_str("a=rtcp-mux\r\na=rtcp-rsize\r\n");
        for (id, uri) in &section.extensions {
            write!(out, "a=extmap:{id} {uri}\r\n")?;
        }
        for codec in &section.codecs {
            self.codec(out, section, codec)?;
        }
        if let (SectionAnswer::Receive { .. }, false) = (&section.answer, offer.rids.is_empty()) {
            for (rid, _) in &offer.rids {
                write!(out, "a=rid:{rid} recv\r\n")?;
            }
            let rids: Vec<&str> = offer.rids.iter().map(|(rid, _)| rid.as_str()).collect();
            write!(out, "a=simulcast:recv {}\r\n", rids.join(";"))?;
        }
        if let SectionAnswer::Send {
            ssrc,
            repair,
            cname,
            ..
        } = &section.answer
        {
            if let Some(repair) = repair {
                write!(out, "a=ssrc-group:FID {ssrc} {repair}\r\n")?;
            }
            for ssrc in [Some(*ssrc), *repair].into_iter().flatten() {
                write!(out, "a=ssrc:{ssrc} cname:{cname}\r\n")?;
            }
        }
        Ok(())
    }

    fn codec(
        &self,
        out: &mut String,
        section: &AnswerSection<'_>,
        codec: &Codec,
    ) -> std::fmt::Result {
        let pt = codec.pt;
        write!(out, "a=rtpmap:{pt} {}\r\n", rtpmap(codec.name))?;
        for feedback in ["nack", "nack pli", "ccm fir", "transport-cc"] {
            let is_wanted = match feedback {
                "transport-cc" => true,
                _ => codec.name.is_video() && (feedback != "nack" || codec.rtx.is_some()),
            };
            if is_wanted && codec.offers(feedback) {
                write!(out, "a=rtcp-fb:{pt} {feedback}\r\n")?;
            }
        }
        let parameters = parameters(codec, &section.answer);
        if !parameters.is_empty() {
            write!(out, "a=fmtp:{pt} {parameters}\r\n")?;
        }
        if let Some(rtx) = codec.rtx {
            write!(out, "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={pt}\r\n")?;
        }
        Ok(())
    }
}

/// Port 0 and just enough to be read.
fn rejected(out: &mut String, offer: &OfferSection) -> std::fmt::Result {
    write!(out, "m={} 0 {}", offer.media, offer.protocol)?;
    match offer.codecs.first() {
        Some(codec) => write!(out, " {}", codec.pt)?,
        None if offer.formats.is_empty() => out.push_str(" 0"),
        None => write!(out, " {}", offer.formats)?,
    }
    out.push_str("\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n");
    if let Some(codec) = offer.codecs.first() {
        write!(out, "a=rtpmap:{} {}\r\n", codec.pt, rtpmap(codec.name))?;
    }
    if !offer.mid.starts_with("_rejected") {
        write!(out, "a=mid:{}\r\n", offer.mid)?;
    }
    Ok(())
}

fn rtpmap(name: CodecName) -> &'static str {
    match name {
        CodecName::Opus => "opus/48000/2",
        CodecName::Vp8 => "VP8/90000",
        CodecName::H264 => "H264/90000",
        CodecName::Vp9 => "VP9/90000",
        CodecName::Av1 => "AV1/90000",
    }
}

fn parameters(codec: &Codec, answer: &SectionAnswer) -> String {
    match codec.name {
        CodecName::H264 | CodecName::Vp9 | CodecName::Av1 => return codec.fmtp.clone(),
        CodecName::Vp8 => return String::new(),
        CodecName::Opus => {}
    }
    // Both ends speak these of themselves (RFC 7587, 7), so the offer's cannot just be echoed.
    let minptime = codec
        .fmtp
        .split(';')
        .find_map(|p| p.trim().strip_prefix("minptime=")?.parse::<u8>().ok())
        .unwrap_or(10);
    let mut parameters = format!("minptime={minptime};useinbandfec=1");
    match answer {
        SectionAnswer::Receive { stereo, dtx } => {
            if *dtx {
                parameters.push_str(";usedtx=1");
            }
            if *stereo {
                parameters.push_str(";stereo=1;sprop-stereo=1");
            }
        }
        SectionAnswer::Send { stereo: true, .. } => parameters.push_str(";stereo=1;sprop-stereo=1"),
        _ => {}
    }
    parameters
}
