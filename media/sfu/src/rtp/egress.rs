//! One outgoing stream of one subscriber: sequence and timestamp rewriting, headers, resends,
//! sender reports. The only place that writes media packets, so that a pacer or another packet
//! format is a change of this file.
//!
//! Invariant: no extended sequence number is protected twice on an SSRC with different bytes, since
//! it makes the cipher's nonce. A window of sent numbers enforces it whatever comes in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::extension::{self, SectionExtensions, Values};
use super::resends::{Kept, Resends};
use super::rtcp;
use super::window::Window;
use crate::ahead;
use crate::buffers::{Buffers, Payload};
use crate::layers::Marks;
use crate::layers::dependency::Dependency;
use crate::layers::numbering::Numbering;
use crate::layers::svc::Choice;
use crate::layers::vp8::{Descriptor, Patch, Rewriter};
use crate::sdp::CodecName;
use crate::transport::srtp::SrtpSender;

/// One packet of a published track, to be sent on.
#[derive(Debug, Clone)]
pub struct MediaPacket {
    pub ssrc: u32,
    /// With the roll-over counter of the publisher's stream.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub values: Values,
    pub payload: Payload,
    pub marks: Marks,
    pub vp8: Option<Descriptor>,
    /// The dependency descriptor as it came, of packets that are kept to be read again.
    pub descriptor: Option<Arc<[u8]>>,
    /// As it was read, of scalable streams only.
    pub dependency: Option<Arc<Dependency>>,
}

/// Where the source's media clock stands: its RTP timestamp at an instant, from sender reports.
#[derive(Debug, Clone, Copy)]
pub struct SourceClock {
    pub timestamp: u32,
    pub at: Instant,
}

impl SourceClock {
    /// The source's timestamp at `now`, before or after `at`.
    fn at(&self, now: Instant, rate: u32) -> u32 {
        let ticks = |span: Duration| (span.as_secs_f64() * f64::from(rate)) as i64 as u32;
        match now.checked_duration_since(self.at) {
            Some(ahead) => self.timestamp.wrapping_add(ticks(ahead)),
            None => self.timestamp.wrapping_sub(ticks(self.at - now)),
        }
    }
}

/// Payload types at the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    pub codec: CodecName,
    pub pt: u8,
    pub rtx: Option<u8>,
}

/// A larger gap is no loss that anybody repairs: numbering goes on without it, so that the receiver's
/// roll-over counter stays right.
const MAX_GAP: u64 = 4000;
/// RFC 3550, 5.1: the last byte says how many there are.
const PADDING: u8 = 0x20;
/// Holes filled at one switch.
const MAX_FILLERS: u64 = 64;
const AUDIO_REPORTS: Duration = Duration::from_secs(5);
const VIDEO_REPORTS: Duration = Duration::from_secs(1);

/// What every packet that is written needs.
pub struct Line<'a> {
    pub now: Instant,
    pub srtp: &'a mut SrtpSender,
    pub buffers: &'a mut Buffers,
}

/// How the numbers of the source become ours; a new one after each pause or switch.
#[derive(Debug)]
struct Mapping {
    source: u32,
    numbers: Numbering,
}

/// In this order in memory, so that what every packet touches lies together in front.
#[repr(C)]
pub struct Egress {
    pub ssrc: u32,
    timestamp_offset: u32,
    /// The source's media clock, in our timestamps.
    clock: Option<SourceClock>,
    mapping: Option<Mapping>,
    last_timestamp: Option<(u32, Instant)>,
    next_report: Option<Instant>,
    header: Vec<u8>,
    /// Numbers to be filled.
    holes: Vec<u64>,
    packets: u32,
    octets: u32,
    /// Packets sent since `take_losses`.
    recent: u32,
    extensions: SectionExtensions,
    is_mid_known: bool,
    mid: Vec<u8>,
    window: Window,
    resends: Resends,
    pictures: Rewriter,
    scratch: Vec<u8>,
    /// The last one's, which may be over.
    source: Option<u32>,
    /// Added to the frame numbers of dependency descriptors, and the highest sent.
    frame_offset: u16,
    last_frame: Option<u16>,
    descriptor: Vec<u8>,
    rtx_sequence: u64,
    pub rtx_ssrc: u32,
    cname: Arc<str>,
}

impl Egress {
    pub fn new(
        ssrc: u32,
        rtx_ssrc: u32,
        mid: &str,
        extensions: SectionExtensions,
        cname: Arc<str>,
        now: Instant,
    ) -> Self {
        Egress {
            ssrc,
            rtx_ssrc,
            mid: mid.as_bytes().to_vec(),
            extensions,
            cname,
            mapping: None,
            source: None,
            clock: None,
            pictures: Rewriter::default(),
            // Small, so that the receiver guesses the right roll-over counter (RFC 3711, 3.3.1).
            window: Window::new(u64::from(ssrc & 0x3fff) + (1 << 14)),
            holes: Vec::new(),
            timestamp_offset: 0,
            last_timestamp: None,
            rtx_sequence: u64::from(rtx_ssrc & 0x3fff),
            frame_offset: 0,
            last_frame: None,
            resends: Resends::new(now),
            packets: 0,
            octets: 0,
            recent: 0,
            next_report: Some(now),
            is_mid_known: false,
            header: Vec::with_capacity(64),
            descriptor: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// A packet is written soon.
    pub fn fetch(&self) {
        let next = self.window.highest() + 1;
        ahead::fetch(&self.header[..]);
        self.window.fetch(next);
        self.resends.fetch(next);
        if !self.is_mid_known {
            ahead::fetch(&self.mid[..]);
        }
    }

    /// As `fetch`, a little earlier: what only video needs.
    pub fn fetch_video(&self) {
        ahead::fetch(&self.resends);
        ahead::fetch(&self.pictures);
        ahead::fetch(&self.scratch);
    }

    /// The stream was interrupted: the next packet continues our numbering without a gap.
    pub fn interrupt(&mut self) {
        self.mapping = None;
    }

    pub fn set_extensions(&mut self, extensions: SectionExtensions) {
        self.extensions = extensions;
    }

    /// The receiver reported on this SSRC, so it knows which section it belongs to.
    pub fn acknowledge(&mut self) {
        self.is_mid_known = true;
    }

    /// Share of packets that had to be sent again since the last call.
    pub fn take_losses(&mut self) -> Option<f32> {
        let (sent, repaired) = (
            std::mem::take(&mut self.recent),
            self.resends.take_repaired(),
        );
        (sent > 0).then(|| repaired as f32 / sent as f32)
    }

    /// Rewrite and protect one packet. `None` when it is a duplicate or from before an interruption.
    pub fn write(
        &mut self,
        line: &mut Line<'_>,
        packet: &MediaPacket,
        format: Format,
        clock: Option<SourceClock>,
        choice: Option<&Choice>,
    ) -> Option<Vec<u8>> {
        let now = line.now;
        let sequence = self.map(now, packet, format.codec.clock_rate(), clock)?;
        let patch = match &packet.vp8 {
            None => Patch::default(),
            Some(descriptor) => match self.pictures.pass(&packet.payload, descriptor) {
                Some(patch) => patch,
                None => return self.fill(line, sequence, format),
            },
        };
        let is_late = sequence < self.window.highest();
        if !self.window.mark(sequence) {
            return None;
        }
        let timestamp = packet.timestamp.wrapping_add(self.timestamp_offset);
        if self
            .last_timestamp
            .is_none_or(|(last, _)| timestamp.wrapping_sub(last) < 1 << 31)
        {
            self.last_timestamp = Some((timestamp, now));
        }
        let marker = packet.marker || choice.is_some_and(|choice| choice.ends_picture);
        let has_descriptor = self.write_descriptor(packet, choice);
        let mid = (!self.is_mid_known).then_some(&self.mid[..]);
        let number = sequence as u16;
        header(
            &mut self.header,
            marker,
            format.pt,
            number,
            timestamp,
            self.ssrc,
        );
        let descriptor = has_descriptor.then_some(&self.descriptor[..]);
        let out = &mut self.header;
        extension::write(out, &self.extensions, &packet.values, mid, descriptor);
        let payload = patched(&mut self.scratch, &patch, &packet.payload);
        let datagram =
            line.srtp
                .protect_rtp(&self.header, payload, self.ssrc, sequence, line.buffers)?;
        self.packets = self.packets.wrapping_add(1);
        self.recent += 1;
        self.octets = self.octets.wrapping_add(packet.payload.len() as u32);
        if let Some(rtx_pt) = format.rtx {
            let kept = Kept {
                sequence,
                timestamp,
                marker,
                rtx_pt,
                values: packet.values,
                descriptor: descriptor.map(Arc::from),
                patch,
                payload: packet.payload.clone(),
                sent_at: now,
                is_late,
            };
            self.resends.keep(kept, line.buffers);
        }
        Some(datagram)
    }

    /// The dependency descriptor as this receiver is to see it. False: there is none.
    fn write_descriptor(&mut self, packet: &MediaPacket, choice: Option<&Choice>) -> bool {
        let Some(dependency) = &packet.dependency else {
            return false;
        };
        if !self.extensions.has_descriptor() {
            return false;
        }
        let number = dependency.frame_number.wrapping_add(self.frame_offset);
        if self
            .last_frame
            .is_none_or(|last| number.wrapping_sub(last) < 1 << 15)
        {
            self.last_frame = Some(number);
        }
        let active = choice.and_then(|choice| choice.active);
        dependency.write(&mut self.descriptor, number, active);
        true
    }

    /// A packet of the present source that the receiver is not to get. Numbers close up behind it; for
    /// one that came late an empty packet is returned, so that its number is not waited for.
    pub fn leave_out(
        &mut self,
        line: &mut Line<'_>,
        packet: &MediaPacket,
        format: Format,
    ) -> Option<Vec<u8>> {
        let highest = self.window.highest();
        let mapping = self.mapping.as_mut().filter(|m| m.source == packet.ssrc)?;
        if is_jump(&mapping.numbers, packet.sequence, highest) {
            // What comes next begins anew.
            return None;
        }
        if let Some(descriptor) = &packet.vp8 {
            self.pictures.leave_out(descriptor);
        }
        let kept = mapping.numbers.leave_out(packet.sequence)?;
        self.fill(line, kept, format)
    }

    pub fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Empty packets in place of what will not come any more.
    pub fn take_fillers(&mut self, line: &mut Line<'_>, format: Format) -> Vec<Vec<u8>> {
        let holes = std::mem::take(&mut self.holes);
        let fillers = holes.into_iter();
        fillers
            .filter_map(|sequence| self.fill(line, sequence, format))
            .collect()
    }

    /// A packet of nothing but padding (RFC 3550, 5.1).
    fn fill(&mut self, line: &mut Line<'_>, sequence: u64, format: Format) -> Option<Vec<u8>> {
        let (timestamp, _) = self.last_timestamp?;
        if !self.window.mark(sequence) {
            return None;
        }
        let number = sequence as u16;
        header(
            &mut self.header,
            false,
            format.pt,
            number,
            timestamp,
            self.ssrc,
        );
        self.header[0] |= PADDING;
        self.packets = self.packets.wrapping_add(1);
        let datagram =
            line.srtp
                .protect_rtp(&self.header, &[1], self.ssrc, sequence, line.buffers)?;
        if let Some(rtx_pt) = format.rtx {
            let kept = Kept {
                sequence,
                timestamp,
                marker: false,
                rtx_pt,
                values: Values::default(),
                descriptor: None,
                patch: Patch::default(),
                payload: Payload::default(),
                sent_at: line.now,
                is_late: true,
            };
            self.resends.keep(kept, line.buffers);
        }
        Some(datagram)
    }

    fn map(
        &mut self,
        now: Instant,
        packet: &MediaPacket,
        rate: u32,
        clock: Option<SourceClock>,
    ) -> Option<u64> {
        let highest = self.window.highest();
        let is_continued = self.mapping.as_ref().is_some_and(|m| {
            m.source == packet.ssrc && !is_jump(&m.numbers, packet.sequence, highest)
        });
        if !is_continued {
            // What is missing of a source that is over will not come any more.
            self.holes = self.window.holes(MAX_FILLERS);
            self.join_timestamps(now, packet, rate, clock);
            self.pictures.interrupt();
            if let Some((dependency, last)) = packet.dependency.as_ref().zip(self.last_frame) {
                self.frame_offset = last.wrapping_add(1).wrapping_sub(dependency.frame_number);
            }
            self.source = Some(packet.ssrc);
            self.mapping = Some(Mapping {
                source: packet.ssrc,
                numbers: Numbering::new(packet.sequence, highest + 1),
            });
        }
        self.clock = clock.map(|clock| SourceClock {
            timestamp: clock.timestamp.wrapping_add(self.timestamp_offset),
            ..clock
        });
        self.mapping.as_mut()?.numbers.pass(packet.sequence)
    }

    /// After a pause the source's own clock goes on. Another source's clock is joined to it: by the
    /// sender reports of both, else by the time that passed.
    fn join_timestamps(
        &mut self,
        now: Instant,
        packet: &MediaPacket,
        rate: u32,
        clock: Option<SourceClock>,
    ) {
        let Some((last, at)) = self.last_timestamp else {
            return;
        };
        let elapsed = (now.saturating_duration_since(at).as_secs_f64() * f64::from(rate)) as u32;
        let wanted = last.wrapping_add(elapsed.max(1));
        if self.source != Some(packet.ssrc) {
            let by_clocks = self
                .clock
                .zip(clock)
                .map(|(ours, theirs)| ours.at(now, rate).wrapping_sub(theirs.at(now, rate)));
            self.timestamp_offset =
                by_clocks.unwrap_or_else(|| wanted.wrapping_sub(packet.timestamp));
            self.next_report = Some(now);
        }
        let expected = packet.timestamp.wrapping_add(self.timestamp_offset);
        let is_behind = expected.wrapping_sub(last) as i32 <= 0;
        let off_by = expected.wrapping_sub(wanted) as i32;
        if is_behind || off_by.unsigned_abs() > rate {
            self.timestamp_offset = wanted.wrapping_sub(packet.timestamp);
            self.next_report = Some(now);
        }
    }

    /// Resends for a NACK, ready to go (RFC 4588).
    pub fn resend(
        &mut self,
        line: &mut Line<'_>,
        first: u16,
        following: u16,
        out: &mut Vec<Vec<u8>>,
    ) {
        self.resends.refill(line.now);
        let wanted = std::iter::once(0).chain(
            (0..16)
                .filter(|bit| following >> bit & 1 == 1)
                .map(|bit| bit + 1),
        );
        for distance in wanted {
            let sequence = self.window.extend(first.wrapping_add(distance));
            let Some(kept) = sequence.and_then(|s| self.resends.take(line.now, s)) else {
                continue;
            };
            self.rtx_sequence += 1;
            let rtx = self.rtx_sequence;
            let (marker, pt, number) = (kept.marker, kept.rtx_pt, rtx as u16);
            header(
                &mut self.header,
                marker,
                pt,
                number,
                kept.timestamp,
                self.rtx_ssrc,
            );
            let (mid, descriptor) = (Some(&self.mid[..]), kept.descriptor.as_deref());
            let header = &mut self.header;
            extension::write(header, &self.extensions, &kept.values, mid, descriptor);
            self.scratch.clear();
            self.scratch
                .extend_from_slice(&(kept.sequence as u16).to_be_bytes());
            self.scratch.extend_from_slice(kept.patch.bytes());
            self.scratch
                .extend_from_slice(&kept.payload[kept.patch.bytes().len()..]);
            let (header, payload) = (&self.header, &self.scratch);
            out.extend(
                line.srtp
                    .protect_rtp(header, payload, self.rtx_ssrc, rtx, line.buffers),
            );
        }
    }

    /// A sender report when one is due and the source's clock is known: a guess would be worse for
    /// lip sync than none.
    pub fn report(
        &mut self,
        now: Instant,
        ntp: u64,
        srtp: &mut SrtpSender,
        clock: Option<SourceClock>,
        codec: CodecName,
    ) -> Option<Vec<u8>> {
        if self.next_report.is_none_or(|due| due > now) || self.packets == 0 {
            return None;
        }
        let rtp = clock?
            .at(now, codec.clock_rate())
            .wrapping_add(self.timestamp_offset);
        self.next_report = Some(
            now + if codec.is_video() {
                VIDEO_REPORTS
            } else {
                AUDIO_REPORTS
            },
        );
        srtp.protect_rtcp(&rtcp::sender_report(
            self.ssrc,
            ntp,
            rtp,
            self.packets,
            self.octets,
            &self.cname,
        ))
    }
}

/// A larger gap is no loss that anybody repairs.
fn is_jump(numbers: &Numbering, sequence: u64, highest: u64) -> bool {
    numbers.ahead(sequence) > (highest + MAX_GAP) as i64
}

/// The payload with its first bytes replaced; a copy only when they differ.
fn patched<'a>(scratch: &'a mut Vec<u8>, patch: &Patch, payload: &'a [u8]) -> &'a [u8] {
    if payload.starts_with(patch.bytes()) {
        return payload;
    }
    scratch.clear();
    scratch.extend_from_slice(patch.bytes());
    scratch.extend_from_slice(&payload[patch.bytes().len()..]);
    scratch
}

fn header(out: &mut Vec<u8>, marker: bool, pt: u8, sequence: u16, timestamp: u32, ssrc: u32) {
    out.clear();
    out.extend_from_slice(&[0x80, (pt & 0x7f) | if marker { 0x80 } else { 0 }]);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&timestamp.to_be_bytes());
    out.extend_from_slice(&ssrc.to_be_bytes());
}

#[cfg(test)]
mod tests;
