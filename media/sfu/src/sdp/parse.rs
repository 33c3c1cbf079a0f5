//! Reads offers (RFC 8866, RFC 8829): tolerant of what it does not know, strict about sizes and
//! about what the transport is built from.

use crate::layers::MAX_SPATIAL;

use super::codec::{Codec, CodecName, H264};
use super::{
    Direction, MAX_EXTENSIONS, MAX_FORMATS, MAX_LINE_BYTES, MAX_LINES, MAX_SDP_BYTES, MAX_SECTIONS,
    MAX_SSRCS, Offer, OfferSection, SdpError, SectionKind,
};

/// A section while its lines come in.
#[derive(Default)]
struct Draft {
    media: String,
    protocol: String,
    formats: String,
    pts: Vec<u8>,
    port: u16,
    bundle_only: bool,
    mid: Option<String>,
    direction: Option<Direction>,
    cid: Option<String>,
    rtpmaps: Vec<(u8, String)>,
    fmtps: Vec<(u8, String)>,
    feedback: Vec<(u8, String)>,
    feedback_all: Vec<String>,
    extensions: Vec<(u8, String)>,
    ssrcs: Vec<u32>,
    repair: Vec<(u32, u32)>,
    rids: Vec<(String, u8)>,
    ufrag: Option<String>,
    password: Option<String>,
    fingerprint: Option<String>,
    setup: Option<String>,
}

/// A description before it is known what it is for.
pub(super) struct Read {
    session: Draft,
    drafts: Vec<Draft>,
    bundle: Vec<String>,
}

pub fn parse_offer(sdp: &str) -> Result<Offer, SdpError> {
    let offer = finish(read(sdp)?)?;
    if offer.setup.as_deref() == Some("passive") {
        return Err(SdpError::Session(
            "the client must be able to be the active DTLS side",
        ));
    }
    Ok(offer)
}

pub(super) fn read(sdp: &str) -> Result<Read, SdpError> {
    if sdp.len() > MAX_SDP_BYTES {
        return Err(SdpError::TooLarge);
    }
    let mut session = Draft::default();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut bundle = Vec::new();
    let mut is_first = true;
    for (number, raw) in sdp.split('\n').enumerate() {
        let number = number + 1;
        if number > MAX_LINES {
            return Err(SdpError::TooMany("lines"));
        }
        let line = raw.strip_suffix('\r').unwrap_or(raw);
        if line.is_empty() {
            continue;
        }
        if line.len() > MAX_LINE_BYTES {
            return Err(SdpError::Line(number, "too long"));
        }
        let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
            return Err(SdpError::Line(number, "not of the form x=…"));
        };
        if is_first {
            if line != "v=0" {
                return Err(SdpError::Line(number, "a description starts with v=0"));
            }
            is_first = false;
            continue;
        }
        match kind {
            "m" => {
                if drafts.len() >= MAX_SECTIONS {
                    return Err(SdpError::TooMany("sections"));
                }
                drafts.push(media_line(value).ok_or(SdpError::Line(number, "malformed m line"))?);
            }
            "a" if value.starts_with("group:BUNDLE") && drafts.is_empty() => {
                bundle = value
                    .split_ascii_whitespace()
                    .skip(1)
                    .map(str::to_owned)
                    .collect();
            }
            "a" => {
                let draft = drafts.last_mut().unwrap_or(&mut session);
                attribute(draft, value).map_err(|problem| problem.at(number))?;
            }
            _ => {}
        }
    }
    if is_first {
        return Err(SdpError::Session("empty description"));
    }
    Ok(Read {
        session,
        drafts,
        bundle,
    })
}

enum Problem {
    Malformed(&'static str),
    TooMany(&'static str),
}

impl Problem {
    fn at(self, line: usize) -> SdpError {
        match self {
            Problem::Malformed(what) => SdpError::Line(line, what),
            Problem::TooMany(what) => SdpError::TooMany(what),
        }
    }
}

/// `audio 9 UDP/TLS/RTP/SAVPF 111 63 …`
fn media_line(value: &str) -> Option<Draft> {
    let mut parts = value.splitn(4, ' ');
    let media = parts.next().filter(|m| !m.is_empty())?;
    let port = parts.next()?.split('/').next()?.parse().ok()?;
    let protocol = parts.next().filter(|p| !p.is_empty())?;
    let formats = parts.next().unwrap_or_default();
    let is_token = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if !is_token(media)
        || !is_token(protocol)
        || !formats.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    {
        return None;
    }
    let mut pts = Vec::new();
    if protocol.contains("RTP/") {
        for pt in formats.split_ascii_whitespace().take(MAX_FORMATS) {
            pts.push(pt.parse().ok().filter(|pt: &u8| *pt < 128)?);
        }
    }
    Some(Draft {
        media: media.to_owned(),
        protocol: protocol.to_owned(),
        formats: formats.to_owned(),
        pts,
        port,
        ..Draft::default()
    })
}

fn attribute(draft: &mut Draft, attribute: &str) -> Result<(), Problem> {
    let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
    match name {
        "sendrecv" => draft.direction = Some(Direction::SendRecv),
        "sendonly" => draft.direction = Some(Direction::SendOnly),
        "recvonly" => draft.direction = Some(Direction::RecvOnly),
        "inactive" => draft.direction = Some(Direction::Inactive),
        "bundle-only" => draft.bundle_only = true,
        "mid" => {
            let is_sane = (1..=16).contains(&value.len())
                && value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !is_sane {
                return Err(Problem::Malformed(
                    "a mid is 1 to 16 letters, digits or underscores",
                ));
            }
            draft.mid = Some(value.to_owned());
        }
        "msid" => {
            if let Some(cid) = value
                .split_ascii_whitespace()
                .nth(1)
                .filter(|c| c.len() <= 256)
            {
                draft.cid = Some(cid.to_owned());
            }
        }
        "ice-ufrag" => draft.ufrag = Some(ice_token(value, 4, 256)?),
        "ice-pwd" => draft.password = Some(ice_token(value, 22, 256)?),
        "fingerprint" => {
            // Several may be given (RFC 8122, 5); we verify SHA-256.
            let is_sha256 = value
                .get(..8)
                .is_some_and(|hash| hash.eq_ignore_ascii_case("sha-256 "));
            if is_sha256 || draft.fingerprint.is_none() {
                draft.fingerprint = Some(value.to_owned());
            }
        }
        "setup" => draft.setup = Some(value.to_owned()),
        "rtpmap" => {
            if let Some((pt, map)) = numbered(value) {
                bounded_push(
                    &mut draft.rtpmaps,
                    (pt, map.to_owned()),
                    MAX_FORMATS,
                    "payload types",
                )?;
            }
        }
        "fmtp" => {
            if let Some((pt, parameters)) = numbered(value) {
                bounded_push(
                    &mut draft.fmtps,
                    (pt, parameters.to_owned()),
                    MAX_FORMATS,
                    "format parameters",
                )?;
            }
        }
        "rtcp-fb" => {
            if let Some(feedback) = value.strip_prefix("* ") {
                bounded_push(
                    &mut draft.feedback_all,
                    feedback.trim().to_owned(),
                    16,
                    "feedback types",
                )?;
            } else if let Some((pt, feedback)) = numbered(value) {
                bounded_push(
                    &mut draft.feedback,
                    (pt, feedback.trim().to_owned()),
                    8 * MAX_FORMATS,
                    "feedback types",
                )?;
            }
        }
        "extmap" => {
            let mut parts = value.split_ascii_whitespace();
            let id = parts
                .next()
                .and_then(|id| id.split('/').next()?.parse::<u16>().ok());
            if let (Some(id), Some(uri)) = (id, parts.next()) {
                // Only ids of the one-byte form are ever answered.
                if (1..=14).contains(&id) {
                    bounded_push(
                        &mut draft.extensions,
                        (id as u8, uri.to_owned()),
                        MAX_EXTENSIONS,
                        "extensions",
                    )?;
                }
            }
        }
        "ssrc" => {
            if let Some(ssrc) = value.split(' ').next().and_then(|s| s.parse().ok())
                && ssrc != 0
                && !draft.ssrcs.contains(&ssrc)
            {
                bounded_push(&mut draft.ssrcs, ssrc, MAX_SSRCS, "SSRCs")?;
            }
        }
        "ssrc-group" => {
            let mut parts = value.split_ascii_whitespace();
            if parts.next() == Some("FID")
                && let (Some(Ok(main)), Some(Ok(repair))) = (
                    parts.next().map(str::parse::<u32>),
                    parts.next().map(str::parse::<u32>),
                )
                && main != 0
                && repair != 0
                && main != repair
            {
                bounded_push(&mut draft.repair, (main, repair), MAX_SSRCS, "SSRCs")?;
            }
        }
        // `send q;h;f` (RFC 8853), alternatives after commas, `~` = paused for now.
        "simulcast" => {
            let mut parts = value.split_ascii_whitespace();
            if parts.next() == Some("send") {
                let is_sane = |rid: &&str| {
                    (1..=8).contains(&rid.len()) && rid.bytes().all(|b| b.is_ascii_alphanumeric())
                };
                let layers = parts
                    .next()
                    .unwrap_or_default()
                    .split(';')
                    .filter_map(|l| l.split(',').next());
                let mut rids: Vec<&str> = Vec::new();
                for rid in layers.map(|l| l.trim_start_matches('~')).filter(is_sane) {
                    if rids.len() < usize::from(MAX_SPATIAL) + 1 && !rids.contains(&rid) {
                        rids.push(rid);
                    }
                }
                draft.rids = spatial_layers(&rids);
            }
        }
        _ => {}
    }
    Ok(())
}

/// By LiveKit's names, which come in either order; others are taken to begin with the smallest.
fn spatial_layers(rids: &[&str]) -> Vec<(String, u8)> {
    const NAMED: [[&str; 3]; 2] = [["q", "h", "f"], ["0", "1", "2"]];
    let named = NAMED
        .iter()
        .find(|names| rids.iter().all(|rid| names.contains(rid)));
    let layer = |at: usize, rid: &str| match named {
        Some(names) => names.iter().position(|name| *name == rid).unwrap_or(at),
        None => at,
    };
    rids.iter()
        .enumerate()
        .map(|(at, rid)| ((*rid).to_owned(), layer(at, rid) as u8))
        .collect()
}

fn bounded_push<T>(
    list: &mut Vec<T>,
    item: T,
    limit: usize,
    what: &'static str,
) -> Result<(), Problem> {
    if list.len() >= limit {
        return Err(Problem::TooMany(what));
    }
    list.push(item);
    Ok(())
}

fn ice_token(value: &str, min: usize, max: usize) -> Result<String, Problem> {
    let is_sane = (min..=max).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'));
    if is_sane {
        Ok(value.to_owned())
    } else {
        Err(Problem::Malformed("malformed ICE credentials"))
    }
}

/// `111 rest` with a payload type in front.
fn numbered(value: &str) -> Option<(u8, &str)> {
    let (pt, rest) = value.split_once(' ')?;
    Some((pt.parse().ok().filter(|pt| *pt < 128)?, rest.trim()))
}

pub(super) fn finish(read: Read) -> Result<Offer, SdpError> {
    let Read {
        session,
        drafts,
        bundle,
    } = read;
    let mut offer = Offer {
        bundle,
        ..Offer::default()
    };
    let transport = drafts.iter().find(|d| !is_rejected(d));
    let of = |pick: fn(&Draft) -> &Option<String>| {
        transport
            .and_then(|d| pick(d).clone())
            .or_else(|| pick(&session).clone())
    };
    offer.ufrag = of(|d| &d.ufrag).ok_or(SdpError::Session("no ICE user fragment"))?;
    offer.password = of(|d| &d.password).ok_or(SdpError::Session("no ICE password"))?;
    offer.fingerprint = of(|d| &d.fingerprint).ok_or(SdpError::Session("no DTLS fingerprint"))?;
    offer.setup = of(|d| &d.setup);

    for (index, draft) in drafts.into_iter().enumerate() {
        let section = section(index, draft, session.direction)?;
        if offer.sections.iter().any(|s| s.mid == section.mid) {
            return Err(SdpError::Section(index, "mid occurs twice"));
        }
        if !section.is_rejected && !offer.bundle.contains(&section.mid) {
            return Err(SdpError::Section(index, "every section must be bundled"));
        }
        offer.sections.push(section);
    }
    if offer.sections.is_empty() {
        return Err(SdpError::Session("no media sections"));
    }
    Ok(offer)
}

fn is_rejected(draft: &Draft) -> bool {
    draft.port == 0 && !draft.bundle_only
}

fn section(
    index: usize,
    draft: Draft,
    inherited: Option<Direction>,
) -> Result<OfferSection, SdpError> {
    let is_rejected = is_rejected(&draft);
    let mid = match draft.mid.clone() {
        Some(mid) => mid,
        // A stopped section may have lost its mid; it is only echoed.
        None if is_rejected => format!("_rejected{index}"),
        None => return Err(SdpError::Section(index, "no mid")),
    };
    let kind = match draft.media.as_str() {
        "audio" => SectionKind::Audio,
        "video" => SectionKind::Video,
        "application" if draft.protocol.contains("DTLS/SCTP") => SectionKind::Data,
        _ => SectionKind::Other,
    };
    Ok(OfferSection {
        kind,
        mid,
        is_rejected,
        direction: draft.direction.or(inherited).unwrap_or_default(),
        codecs: if kind.media().is_some() {
            codecs(&draft)
        } else {
            Vec::new()
        },
        media: draft.media,
        protocol: draft.protocol,
        formats: draft.formats,
        cid: draft.cid,
        extensions: draft.extensions,
        ssrcs: draft.ssrcs,
        repair: draft.repair,
        rids: draft.rids,
    })
}

/// The codecs we can forward, in the order of the m line.
fn codecs(draft: &Draft) -> Vec<Codec> {
    let fmtp = |pt: u8| {
        draft
            .fmtps
            .iter()
            .find(|(p, _)| *p == pt)
            .map_or("", |(_, f)| f.as_str())
    };
    let map = |pt: u8| {
        draft
            .rtpmaps
            .iter()
            .find(|(p, _)| *p == pt)
            .map_or("", |(_, m)| m.as_str())
    };
    let repair_of = |pt: u8| {
        draft.pts.iter().copied().find(|rtx| {
            map(*rtx).to_ascii_lowercase().starts_with("rtx/")
                && fmtp(*rtx)
                    .split(';')
                    .any(|p| p.trim().strip_prefix("apt=").and_then(|v| v.parse().ok()) == Some(pt))
        })
    };
    let mut codecs: Vec<Codec> = Vec::new();
    for &pt in &draft.pts {
        let name = match map(pt).to_ascii_lowercase().as_str() {
            "opus/48000/2" => CodecName::Opus,
            "vp8/90000" => CodecName::Vp8,
            "h264/90000" => CodecName::H264,
            "vp9/90000" => CodecName::Vp9,
            "av1/90000" => CodecName::Av1,
            _ => continue,
        };
        if name.is_video() != (draft.media == "video") || codecs.iter().any(|c| c.pt == pt) {
            continue;
        }
        let feedback = draft
            .feedback
            .iter()
            .filter(|(p, _)| *p == pt)
            .map(|(_, f)| f);
        codecs.push(Codec {
            pt,
            rtx: if name.is_video() { repair_of(pt) } else { None },
            name,
            fmtp: fmtp(pt).to_owned(),
            feedback: feedback.chain(&draft.feedback_all).cloned().collect(),
        });
    }
    codecs.retain(|c| c.name != CodecName::H264 || H264::parse(&c.fmtp).packetization_mode <= 1);
    codecs
}
