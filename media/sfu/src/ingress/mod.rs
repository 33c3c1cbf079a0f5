//! What one client sends as media: authenticated, mapped to its sections, repaired, and reported on.
//!
//! Of a packet that is not authentic nothing is kept. A stream (SSRC) keeps its replay window for the
//! life of the transport, so that none of its packets is ever taken twice; which encoding it carries
//! is found out by `route.rs` and may be forgotten with its section. Knows nothing of tracks: what
//! comes out is a packet, its section and its spatial layer.

mod lane;
mod nack;
mod route;

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::buffers::Buffers;
use crate::rtp::egress::MediaPacket;
use crate::rtp::extension::{Said, SessionExtensions, Values};
use crate::rtp::header::Header;
use crate::rtp::{rtcp, ssrc, transport_cc::Arrivals};
use crate::sdp::Codec;
use crate::slab::Slab;
use crate::transport::unprotect::{Replay, SrtpReceiver};
use lane::{Heard, Lane};
use route::Expected;

/// SSRCs over the life of a transport, of repairs too: about 1.5 MB.
pub const MAX_STREAMS: usize = 8192;
/// Between receiver reports, and before the first one.
const REPORTS: Duration = Duration::from_secs(1);
const FIRST_REPORT: Duration = Duration::from_millis(200);
/// Bytes of RTCP in one datagram.
const MAX_COMPOUND: usize = 1100;
/// Numbers in one NACK: at worst four bytes each.
const MAX_NACK: usize = 128;
/// RFC 4588, 4: the number of what is repaired, before its payload.
const ORIGINAL_NUMBER: usize = 2;

/// What a payload type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Unknown,
    Media {
        rate: u32,
        is_video: bool,
        /// Lost packets can be asked for.
        is_repaired: bool,
        /// Key frames are asked for by FIR: it knows no PLI.
        wants_fir: bool,
    },
    Repair {
        of: u8,
    },
}

/// What an SSRC carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Unknown,
    Media { lane: usize },
    Repair { lane: usize, main: u32 },
}

#[derive(Debug)]
struct Stream {
    replay: Replay,
    way: Way,
}

/// One packet of a published encoding, authentic and for the first time, and repaired if it was.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Its section.
    pub place: usize,
    pub layer: u8,
    pub ssrc: u32,
    pub pt: u8,
    /// With the roll-over counter.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub values: Values,
    pub payload: &'a [u8],
    /// The dependency descriptor.
    pub descriptor: Option<&'a [u8]>,
}

impl Arrival<'_> {
    /// For who keeps it or sends it on; without its descriptor, which is rarely needed again.
    pub fn to_packet(&self, buffers: &mut Buffers) -> MediaPacket {
        MediaPacket {
            ssrc: self.ssrc,
            sequence: self.sequence,
            timestamp: self.timestamp,
            marker: self.marker,
            values: self.values,
            payload: buffers.payload(self.payload),
            marks: Default::default(),
            vp8: None,
            descriptor: None,
            dependency: None,
        }
    }
}

/// Since the last look.
#[derive(Debug, Default)]
pub struct Counts {
    /// Packets of repair streams.
    pub repairs: u64,
    /// Packets asked for again.
    pub nacks: u64,
}

pub struct Ingress {
    /// Ours, in what the client is told.
    ssrc: u32,
    extensions: SessionExtensions,
    formats: [Format; 128],
    streams: FxHashMap<u32, Stream>,
    /// By the section's place.
    sections: Vec<Option<Expected>>,
    lanes: Slab<Lane>,
    arrivals: Arrivals,
    /// The stream that was heard last.
    heard: u32,
    /// Lanes to be asked for a key frame.
    key_frames: Vec<usize>,
    next_report: Option<Instant>,
    due: Option<Instant>,
    pub counts: Counts,
}

impl Ingress {
    pub fn new(now: Instant) -> Self {
        Ingress {
            ssrc: ssrc::random(|_| false),
            extensions: SessionExtensions::default(),
            formats: [Format::Unknown; 128],
            streams: FxHashMap::default(),
            sections: Vec::new(),
            lanes: Slab::default(),
            arrivals: Arrivals::new(now),
            heard: 0,
            key_frames: Vec::new(),
            next_report: None,
            due: None,
            counts: Counts::default(),
        }
    }

    /// What payload types and header extensions mean from now on: more than before, nothing else.
    pub fn negotiated(&mut self, codecs: &[Codec], extensions: &SessionExtensions) {
        self.extensions = *extensions;
        for codec in codecs {
            let is_video = codec.name.is_video();
            let media = Format::Media {
                rate: codec.name.clock_rate(),
                is_video,
                is_repaired: is_video && codec.rtx.is_some(),
                wants_fir: codec.offers("ccm fir") && !codec.offers("nack pli"),
            };
            let repair = codec.rtx.map(|rtx| (rtx, Format::Repair { of: codec.pt }));
            for (pt, format) in [(codec.pt, media)].into_iter().chain(repair) {
                self.formats[usize::from(pt & 0x7f)] = format;
            }
        }
    }

    /// When `control` is to be called next.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    fn wake(&mut self, at: Option<Instant>) {
        self.due = [self.due, at].into_iter().flatten().min();
    }

    /// An SSRC with which the client sends.
    pub fn knows(&self, ssrc: u32) -> bool {
        self.streams.contains_key(&ssrc)
    }

    /// Streams and encodings that are remembered.
    #[cfg(test)]
    pub fn held(&self) -> (usize, usize) {
        (self.streams.len(), self.lanes.len())
    }

    /// Take one RTP packet; `plain` is memory for its payload. `Ok(None)`: authentic, and nothing to
    /// be passed on. An error is the reason for which it was dropped.
    pub fn receive<'a>(
        &mut self,
        now: Instant,
        srtp: &mut SrtpReceiver,
        datagram: &'a [u8],
        plain: &'a mut Vec<u8>,
    ) -> Result<Option<Arrival<'a>>, &'static str> {
        let header = Header::parse(datagram).ok_or("malformed_rtp")?;
        let is_full = self.streams.len() >= MAX_STREAMS;
        let index = match self.streams.get(&header.ssrc) {
            Some(stream) => {
                let index = stream.replay.index(header.sequence);
                let index = index.ok_or("srtp_rejected")?;
                if !stream.replay.is_new(index) {
                    return Err("srtp_repeated");
                }
                index
            }
            None if is_full => return Err("too_many_streams"),
            None => u64::from(header.sequence),
        };
        let payload = srtp
            .open_rtp(datagram, header.len, header.ssrc, index, plain)
            .ok_or("srtp_rejected")?;
        let stream = self.streams.entry(header.ssrc).or_insert_with(|| Stream {
            replay: Replay::new(index),
            way: Way::Unknown,
        });
        stream.replay.mark(index);
        let known = stream.way;

        let said = self.extensions.read(&header);
        if let Some(number) = said.number {
            self.heard = header.ssrc;
            self.arrivals.record(now, number);
            self.wake(self.arrivals.due());
        }
        let payload = match header.has_padding {
            true => without_padding(payload).ok_or("malformed_rtp")?,
            false => payload,
        };
        let format = self.formats[usize::from(header.pt)];
        if format == Format::Unknown {
            return Ok(None);
        }
        let way = match known {
            Way::Unknown => self.find(now, &header, index, &said, format),
            known => known,
        };
        Ok(match (way, format) {
            (Way::Media { lane }, Format::Media { .. }) => {
                let is_new = known == Way::Unknown;
                self.hear(now, lane, &header, index, is_new)
                    .then_some((lane, header.pt, index, payload))
            }
            (Way::Repair { lane, .. }, Format::Repair { of }) => {
                self.counts.repairs += 1;
                self.repair(now, lane, &header, payload)
                    .map(|(sequence, payload)| (lane, of, sequence, payload))
            }
            _ => None,
        }
        .and_then(|(lane, pt, sequence, payload)| {
            let lane = self.lanes.get(lane)?;
            Some(Arrival {
                place: lane.place,
                layer: lane.layer,
                ssrc: lane.ssrc,
                pt,
                sequence,
                timestamp: header.timestamp,
                marker: header.marker,
                values: said.values,
                payload,
                descriptor: said.descriptor,
            })
        }))
    }

    /// Map a stream that is not mapped yet.
    fn find(
        &mut self,
        now: Instant,
        header: &Header<'_>,
        index: u64,
        said: &Said<'_>,
        format: Format,
    ) -> Way {
        let Some(found) = self.route(header, said, format) else {
            return Way::Unknown;
        };
        let way = match (self.lane_of(found.place, found.layer), format) {
            (Some(lane), Format::Repair { .. }) => {
                let main = self.lanes.get(lane).map_or(0, |lane| lane.ssrc);
                Way::Repair { lane, main }
            }
            (Some(lane), _) => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.is_guessed &= found.is_guessed;
                }
                Way::Media { lane }
            }
            // Nothing has come that could be repaired.
            (None, Format::Repair { .. }) => return Way::Unknown,
            (None, _) => {
                let mut lane = Lane::new(now, found.place, found.layer, header.ssrc, index);
                lane.is_guessed = found.is_guessed;
                Way::Media {
                    lane: self.lanes.insert(lane),
                }
            }
        };
        if let Some(stream) = self.streams.get_mut(&header.ssrc) {
            stream.way = way;
        }
        way
    }

    /// A packet of media. True: for the first time.
    fn hear(
        &mut self,
        now: Instant,
        at: usize,
        header: &Header<'_>,
        index: u64,
        is_new: bool,
    ) -> bool {
        let Format::Media {
            rate, is_repaired, ..
        } = self.formats[usize::from(header.pt)]
        else {
            return false;
        };
        let Some(lane) = self.lanes.get_mut(at) else {
            return false;
        };
        if lane.ssrc != header.ssrc {
            if !lane.gives_way(now, is_new) {
                return false;
            }
            let is_guessed = lane.is_guessed;
            *lane = Lane::new(now, lane.place, lane.layer, header.ssrc, index);
            lane.is_guessed = is_guessed;
        }
        lane.pt = header.pt;
        let is_first = lane.hear(&Heard {
            now,
            sequence: index,
            timestamp: header.timestamp,
            rate,
            is_repaired,
        });
        let due = lane.losses.due();
        self.next_report.get_or_insert(now + FIRST_REPORT);
        self.wake(self.next_report);
        self.wake(due);
        is_first
    }

    /// A packet of a repair stream: the number and the payload of what it repairs.
    fn repair<'a>(
        &mut self,
        now: Instant,
        at: usize,
        header: &Header<'_>,
        payload: &'a [u8],
    ) -> Option<(u64, &'a [u8])> {
        // Nothing but padding is to find out what the network carries.
        let (number, payload) = payload.split_first_chunk::<ORIGINAL_NUMBER>()?;
        let lane = self.lanes.get_mut(at)?;
        let stream = self.streams.get_mut(&header.ssrc)?;
        if let Way::Repair { main, .. } = &mut stream.way
            && *main != lane.ssrc
        {
            if !lane.is_settled(now) {
                return None;
            }
            *main = lane.ssrc;
        }
        let sequence = lane.repair(now, u16::from_be_bytes(*number));
        let due = lane.losses.due();
        self.wake(due);
        Some((sequence?, payload))
    }

    /// A key frame begins with this packet of an encoding.
    pub fn key_frame(&mut self, place: usize, layer: u8, sequence: u64) {
        if let Some(at) = self.lane_of(place, layer)
            && let Some(lane) = self.lanes.get_mut(at)
        {
            lane.losses.forget_before(sequence);
        }
    }

    /// Ask for a key frame; goes out with the next `control`. False: the stream is not there.
    pub fn request_key_frame(&mut self, now: Instant, ssrc: u32) -> bool {
        match self.streams.get(&ssrc).map(|stream| stream.way) {
            Some(Way::Media { lane }) => {
                if !self.key_frames.contains(&lane) {
                    self.key_frames.push(lane);
                }
                self.wake(Some(now));
                true
            }
            _ => false,
        }
    }

    /// A sender report came. Section and layer of its stream.
    pub fn sender_report(&mut self, now: Instant, ssrc: u32, ntp: u64) -> Option<(usize, u8)> {
        let Some(stream) = self.streams.get(&ssrc) else {
            return self.declared(ssrc);
        };
        let Way::Media { lane } = stream.way else {
            return None;
        };
        let lane = self.lanes.get_mut(lane)?;
        if lane.ssrc != ssrc {
            return None;
        }
        lane.hear_report(now, ntp);
        Some((lane.place, lane.layer))
    }

    /// The client says that nothing more comes of a stream. Some say so and go on.
    pub fn goodbye(&mut self, ssrc: u32) {
        if let Some(Way::Media { lane }) = self.streams.get(&ssrc).map(|stream| stream.way)
            && let Some(lane) = self.lanes.get_mut(lane)
            && lane.ssrc == ssrc
        {
            lane.rest();
        }
    }

    /// What the client is to be told now, as compound RTCP packets: requests of key frames and of lost
    /// packets, what came and when, and once a second how well.
    pub fn control(&mut self, now: Instant, mut send: impl FnMut(&[u8])) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let mut compound = Vec::new();
        let mut part = Vec::new();
        let mut add = |part: &mut Vec<u8>, compound: &mut Vec<u8>| {
            if !compound.is_empty() && compound.len() + part.len() > MAX_COMPOUND {
                send(compound);
                compound.clear();
            }
            compound.append(part);
        };
        if self.next_report.is_some_and(|due| due <= now) {
            let blocks: Vec<_> = self.lanes.iter_mut().filter_map(|l| l.block(now)).collect();
            // Started again by the next packet.
            self.next_report = (!blocks.is_empty()).then_some(now + REPORTS);
            for blocks in blocks.chunks(rtcp::MAX_BLOCKS) {
                rtcp::receiver_report(self.ssrc, blocks, &mut part);
                add(&mut part, &mut compound);
            }
        }
        for at in std::mem::take(&mut self.key_frames) {
            let Some(lane) = self.lanes.get_mut(at) else {
                continue;
            };
            match self.formats[usize::from(lane.pt)] {
                Format::Media {
                    wants_fir: true, ..
                } => {
                    rtcp::full_intra(self.ssrc, lane.ssrc, lane.intra_requests, &mut part);
                    lane.intra_requests = lane.intra_requests.wrapping_add(1);
                }
                _ => rtcp::picture_loss(self.ssrc, lane.ssrc, &mut part),
            }
            add(&mut part, &mut compound);
        }
        let mut wanted = Vec::new();
        for lane in self.lanes.iter_mut() {
            lane.losses.take(now, &mut wanted);
            self.counts.nacks += wanted.len() as u64;
            for numbers in wanted.chunks(MAX_NACK) {
                rtcp::nack(self.ssrc, lane.ssrc, numbers, &mut part);
                add(&mut part, &mut compound);
            }
            wanted.clear();
        }
        if self.arrivals.due().is_some_and(|due| due <= now) {
            self.arrivals.report(now, self.ssrc, self.heard, |report| {
                part.extend_from_slice(report);
                add(&mut part, &mut compound);
            });
        }
        if !compound.is_empty() {
            send(&compound);
        }
        let losses = self.lanes.iter_mut().filter_map(|lane| lane.losses.due());
        let due = losses.chain(self.next_report).chain(self.arrivals.due());
        self.due = due.min();
    }
}

/// RFC 3550, 5.1: the last byte says how many there are, itself among them.
fn without_padding(payload: &[u8]) -> Option<&[u8]> {
    let padding = usize::from(*payload.last()?);
    let len = payload.len().checked_sub(padding)?;
    (padding > 0).then_some(&payload[..len])
}

#[cfg(test)]
mod tests;
