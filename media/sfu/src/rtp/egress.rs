//! One outgoing stream of one subscriber: sequence and timestamp rewriting, headers, resends,
//! sender reports. The only place that writes media packets, so that a pacer or another packet
//! format is a change of this file.
//!
//! Invariant: no extended sequence number is protected twice on an SSRC with different bytes, since
//! it makes the cipher's nonce. A window of sent numbers enforces it whatever comes in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::extension::{self, SectionExtensions, Values};
use super::rtcp;
use crate::buffers::Buffers;
use crate::layers::Marks;
use crate::layers::numbering::Numbering;
use crate::layers::vp8::{Descriptor, Patch, Rewriter};
use crate::sdp::CodecName;
use crate::transport::srtp::SrtpSender;

/// One packet of a published track, as it came out of the publisher's stack.
#[derive(Debug, Clone)]
pub struct MediaPacket {
    pub ssrc: u32,
    pub pt: u8,
    /// Extended by the publisher's receive stream.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub values: Values,
    pub payload: Arc<[u8]>,
    pub marks: Marks,
    pub vp8: Option<Descriptor>,
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

/// Resends kept for a video stream: 2 s of 2.5 Mbit/s. About 100 bytes each; payloads are shared.
const CACHE: usize = 512;
const CACHE_AGE: Duration = Duration::from_secs(3);
/// The same packet is not sent again sooner; its resend may still be on the way.
const RESEND_INTERVAL: Duration = Duration::from_millis(15);
/// Resends a second and in one burst. Above 5 % of any stream this side of 200 Mbit/s.
const RESEND_RATE: f64 = 1000.0;
/// Window of sent sequence numbers.
const WINDOW: u64 = 2048;
/// A larger gap is no loss that anybody repairs: numbering goes on without it, so that the receiver's
/// roll-over counter stays right.
const MAX_GAP: u64 = 4000;
/// RFC 3550, 5.1: the last byte says how many there are.
const PADDING: u8 = 0x20;
/// Holes filled at one switch.
const MAX_FILLERS: u64 = 64;
const AUDIO_REPORTS: Duration = Duration::from_secs(5);
const VIDEO_REPORTS: Duration = Duration::from_secs(1);

struct Cached {
    sequence: u64,
    timestamp: u32,
    marker: bool,
    rtx_pt: u8,
    values: Values,
    patch: Patch,
    payload: Arc<[u8]>,
    sent_at: Instant,
    resent_at: Option<Instant>,
}

/// How the numbers of the source become ours; a new one after each pause or switch.
#[derive(Debug)]
struct Mapping {
    source: u32,
    numbers: Numbering,
}

pub struct Egress {
    pub ssrc: u32,
    pub rtx_ssrc: u32,
    mid: Vec<u8>,
    extensions: SectionExtensions,
    cname: Arc<str>,
    mapping: Option<Mapping>,
    /// The last one's, which may be over.
    source: Option<u32>,
    /// The source's media clock, in our timestamps.
    clock: Option<SourceClock>,
    pictures: Rewriter,
    /// First and highest sequence number sent.
    first: Option<u64>,
    highest: u64,
    sent: [u64; (WINDOW / 64) as usize],
    /// Numbers to be filled.
    holes: Vec<u64>,
    timestamp_offset: u32,
    last_timestamp: Option<(u32, Instant)>,
    rtx_sequence: u64,
    cache: Vec<Option<Cached>>,
    resend_tokens: f64,
    resend_refilled: Instant,
    packets: u32,
    octets: u32,
    /// Packets sent and packets repaired since `take_losses`.
    window: u32,
    repaired: u32,
    next_report: Option<Instant>,
    is_mid_known: bool,
    header: Vec<u8>,
    scratch: Vec<u8>,
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
            first: None,
            // Small, so that the receiver guesses the right roll-over counter (RFC 3711, 3.3.1).
            highest: u64::from(ssrc & 0x3fff) + (1 << 14),
            sent: [0; (WINDOW / 64) as usize],
            holes: Vec::new(),
            timestamp_offset: 0,
            last_timestamp: None,
            rtx_sequence: u64::from(rtx_ssrc & 0x3fff),
            cache: Vec::new(),
            resend_tokens: RESEND_RATE,
            resend_refilled: now,
            packets: 0,
            octets: 0,
            window: 0,
            repaired: 0,
            next_report: Some(now),
            is_mid_known: false,
            header: Vec::with_capacity(64),
            scratch: Vec::new(),
        }
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
            std::mem::take(&mut self.window),
            std::mem::take(&mut self.repaired),
        );
        (sent > 0).then(|| repaired as f32 / sent as f32)
    }

    /// Rewrite and protect one packet. `None` when it is a duplicate or from before an interruption.
    pub fn write(
        &mut self,
        now: Instant,
        srtp: &mut SrtpSender,
        buffers: &mut Buffers,
        packet: &MediaPacket,
        format: Format,
        clock: Option<SourceClock>,
    ) -> Option<Vec<u8>> {
        let sequence = self.map(now, packet, format.codec.clock_rate(), clock)?;
        let patch = match &packet.vp8 {
            None => Patch::default(),
            Some(descriptor) => match self.pictures.pass(&packet.payload, descriptor) {
                Some(patch) => patch,
                None => return self.fill(now, srtp, buffers, sequence, format),
            },
        };
        if !self.mark_sent(sequence) {
            return None;
        }
        let timestamp = packet.timestamp.wrapping_add(self.timestamp_offset);
        if self
            .last_timestamp
            .is_none_or(|(last, _)| timestamp.wrapping_sub(last) < 1 << 31)
        {
            self.last_timestamp = Some((timestamp, now));
        }
        let mid = (!self.is_mid_known).then_some(&self.mid[..]);
        header(
            &mut self.header,
            packet.marker,
            format.pt,
            sequence as u16,
            timestamp,
            self.ssrc,
        );
        extension::write(&mut self.header, &self.extensions, &packet.values, mid);
        let payload = patched(&mut self.scratch, &patch, &packet.payload);
        let datagram = srtp.protect_rtp(&self.header, payload, self.ssrc, sequence, buffers)?;
        self.packets = self.packets.wrapping_add(1);
        self.window += 1;
        self.octets = self.octets.wrapping_add(packet.payload.len() as u32);
        if let Some(rtx_pt) = format.rtx {
            self.keep(Cached {
                sequence,
                timestamp,
                marker: packet.marker,
                rtx_pt,
                values: packet.values,
                patch,
                payload: packet.payload.clone(),
                sent_at: now,
                resent_at: None,
            });
        }
        Some(datagram)
    }

    /// A packet of the present source that the receiver is not to get. Numbers close up behind it; for
    /// one that came late an empty packet is returned, so that its number is not waited for.
    pub fn leave_out(
        &mut self,
        now: Instant,
        srtp: &mut SrtpSender,
        buffers: &mut Buffers,
        packet: &MediaPacket,
        format: Format,
    ) -> Option<Vec<u8>> {
        let mapping = self.mapping.as_mut().filter(|m| m.source == packet.ssrc)?;
        if is_jump(&mapping.numbers, packet.sequence, self.highest) {
            // What comes next begins anew.
            return None;
        }
        if let Some(descriptor) = &packet.vp8 {
            self.pictures.leave_out(descriptor);
        }
        let kept = mapping.numbers.leave_out(packet.sequence)?;
        self.fill(now, srtp, buffers, kept, format)
    }

    /// What is missing of a source that is over will not come any more: `take_fillers` says so.
    fn abandon_holes(&mut self) {
        let Some(first) = self.first else { return };
        let oldest = first.max(self.highest.saturating_sub(MAX_FILLERS));
        self.holes = (oldest..self.highest)
            .filter(|sequence| !self.was_sent(*sequence))
            .collect();
    }

    pub fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Empty packets in place of what will not come any more.
    pub fn take_fillers(
        &mut self,
        now: Instant,
        srtp: &mut SrtpSender,
        buffers: &mut Buffers,
        format: Format,
    ) -> Vec<Vec<u8>> {
        let holes = std::mem::take(&mut self.holes);
        let fillers = holes.into_iter();
        fillers
            .filter_map(|sequence| self.fill(now, srtp, buffers, sequence, format))
            .collect()
    }

    /// A packet of nothing but padding (RFC 3550, 5.1).
    fn fill(
        &mut self,
        now: Instant,
        srtp: &mut SrtpSender,
        buffers: &mut Buffers,
        sequence: u64,
        format: Format,
    ) -> Option<Vec<u8>> {
        let (timestamp, _) = self.last_timestamp?;
        if !self.mark_sent(sequence) {
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
        let datagram = srtp.protect_rtp(&self.header, &[1], self.ssrc, sequence, buffers)?;
        if let Some(rtx_pt) = format.rtx {
            self.keep(Cached {
                sequence,
                timestamp,
                marker: false,
                rtx_pt,
                values: Values::default(),
                patch: Patch::default(),
                payload: Arc::from([]),
                sent_at: now,
                resent_at: None,
            });
        }
        Some(datagram)
    }

    fn keep(&mut self, sent: Cached) {
        if self.cache.is_empty() {
            self.cache.resize_with(CACHE, || None);
        }
        let place = sent.sequence as usize % CACHE;
        self.cache[place] = Some(sent);
    }

    fn map(
        &mut self,
        now: Instant,
        packet: &MediaPacket,
        rate: u32,
        clock: Option<SourceClock>,
    ) -> Option<u64> {
        let is_continued = self.mapping.as_ref().is_some_and(|m| {
            m.source == packet.ssrc && !is_jump(&m.numbers, packet.sequence, self.highest)
        });
        if !is_continued {
            self.abandon_holes();
            self.join_timestamps(now, packet, rate, clock);
            self.pictures.interrupt();
            self.source = Some(packet.ssrc);
            self.mapping = Some(Mapping {
                source: packet.ssrc,
                numbers: Numbering::new(packet.sequence, self.highest + 1),
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

    fn was_sent(&self, sequence: u64) -> bool {
        let (word, bit) = slot(sequence);
        self.sent[word] & bit != 0
    }

    fn mark_sent(&mut self, sequence: u64) -> bool {
        self.first.get_or_insert(sequence);
        if sequence > self.highest {
            for skipped in self.highest + 1..=sequence.min(self.highest + WINDOW) {
                let (word, bit) = slot(skipped);
                self.sent[word] &= !bit;
            }
            if sequence - self.highest > WINDOW {
                self.sent = [0; (WINDOW / 64) as usize];
            }
            self.highest = sequence;
        } else if self.highest - sequence >= WINDOW {
            return false;
        }
        let (word, bit) = slot(sequence);
        let is_new = self.sent[word] & bit == 0;
        self.sent[word] |= bit;
        is_new
    }

    /// Resends for a NACK, ready to go (RFC 4588).
    pub fn resend(
        &mut self,
        now: Instant,
        srtp: &mut SrtpSender,
        buffers: &mut Buffers,
        first: u16,
        following: u16,
        out: &mut Vec<Vec<u8>>,
    ) {
        let elapsed = now
            .saturating_duration_since(self.resend_refilled)
            .as_secs_f64();
        self.resend_refilled = now;
        self.resend_tokens = (self.resend_tokens + elapsed * RESEND_RATE).min(RESEND_RATE);
        let wanted = std::iter::once(0).chain(
            (0..16)
                .filter(|bit| following >> bit & 1 == 1)
                .map(|bit| bit + 1),
        );
        for distance in wanted {
            if self.resend_tokens < 1.0 {
                return;
            }
            let Some(sequence) = self.extend(first.wrapping_add(distance)) else {
                continue;
            };
            let Some(Some(cached)) = self.cache.get_mut(sequence as usize % CACHE) else {
                continue;
            };
            let is_due = cached
                .resent_at
                .is_none_or(|at| now.saturating_duration_since(at) >= RESEND_INTERVAL);
            if cached.sequence != sequence
                || now.saturating_duration_since(cached.sent_at) > CACHE_AGE
                || !is_due
            {
                continue;
            }
            if cached.resent_at.replace(now).is_none() {
                self.repaired += 1;
            }
            self.rtx_sequence += 1;
            let rtx = self.rtx_sequence;
            header(
                &mut self.header,
                cached.marker,
                cached.rtx_pt,
                rtx as u16,
                cached.timestamp,
                self.rtx_ssrc,
            );
            extension::write(
                &mut self.header,
                &self.extensions,
                &cached.values,
                Some(&self.mid),
            );
            self.scratch.clear();
            self.scratch
                .extend_from_slice(&(sequence as u16).to_be_bytes());
            self.scratch.extend_from_slice(cached.patch.bytes());
            self.scratch
                .extend_from_slice(&cached.payload[cached.patch.bytes().len()..]);
            if let Some(datagram) =
                srtp.protect_rtp(&self.header, &self.scratch, self.rtx_ssrc, rtx, buffers)
            {
                self.resend_tokens -= 1.0;
                out.push(datagram);
            }
        }
    }

    /// The extended number nearest below the highest sent.
    fn extend(&self, sequence: u16) -> Option<u64> {
        let behind = (self.highest as u16).wrapping_sub(sequence);
        (behind < 1 << 15)
            .then(|| self.highest.checked_sub(u64::from(behind)))
            .flatten()
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

/// Place of a number in the window.
fn slot(sequence: u64) -> (usize, u64) {
    ((sequence % WINDOW / 64) as usize, 1u64 << (sequence % 64))
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
mod tests {
    use super::*;
    use crate::transport::dtls::crypto;
    use crate::transport::srtp::SrtpSecrets;
    use str0m::crypto::dtls::SrtpProfile;

    const VP8: Format = Format {
        codec: CodecName::Vp8,
        pt: 96,
        rtx: Some(97),
    };

    fn srtp() -> SrtpSender {
        SrtpSecrets::new(&[7; 56], SrtpProfile::AEAD_AES_128_GCM)
            .server_contexts(&crypto().provider)
            .unwrap()
            .0
    }

    fn packet(ssrc: u32, sequence: u64, timestamp: u32) -> MediaPacket {
        MediaPacket {
            ssrc,
            pt: 96,
            sequence,
            timestamp,
            marker: false,
            values: Values::default(),
            payload: Arc::from([1u8, 2, 3].as_slice()),
            marks: Marks::default(),
            vp8: None,
        }
    }

    fn numbers(datagram: &[u8]) -> (u16, u32) {
        let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
        ((word(0) & 0xffff) as u16, word(4))
    }

    #[test]
    fn numbering_survives_gaps_pauses_and_other_sources() {
        let now = Instant::now();
        let (mut srtp, mut buffers) = (srtp(), Buffers::default());
        let mut egress = Egress::new(
            1000,
            2000,
            "1",
            SectionExtensions::default(),
            "PA_a".into(),
            now,
        );
        let mut write = |egress: &mut Egress, at: Instant, p: MediaPacket| {
            let datagram = egress.write(at, &mut srtp, &mut buffers, &p, VP8, None);
            datagram.map(|d| numbers(&d))
        };
        let (first, _) = write(&mut egress, now, packet(5, 100, 9000)).unwrap();
        assert_eq!(
            write(&mut egress, now, packet(5, 102, 9000)).unwrap().0,
            first + 2,
            "a gap stays a gap"
        );
        assert_eq!(
            write(&mut egress, now, packet(5, 101, 9000)).unwrap().0,
            first + 1,
            "and can be filled"
        );
        assert_eq!(
            write(&mut egress, now, packet(5, 101, 9000)),
            None,
            "but once"
        );
        assert_eq!(
            write(&mut egress, now, packet(5, 99, 9000)),
            None,
            "from before the start"
        );
        egress.interrupt();
        let later = now + Duration::from_secs(1);
        assert_eq!(
            write(&mut egress, later, packet(5, 500, 99_000)),
            Some((first + 3, 99_000))
        );
        assert_eq!(write(&mut egress, later, packet(5, 499, 99_000)), None);
        let switched = write(
            &mut egress,
            later + Duration::from_millis(100),
            packet(6, 9, 777),
        )
        .unwrap();
        assert_eq!(switched, (first + 4, 99_000 + 9000));
    }

    #[test]
    fn numbering_passes_the_wrap() {
        let now = Instant::now();
        let (mut srtp, mut buffers) = (srtp(), Buffers::default());
        let mut egress = Egress::new(1, 2, "1", SectionExtensions::default(), "PA_a".into(), now);
        let start = egress.highest;
        for n in 0..70_000u64 {
            let datagram = egress
                .write(
                    now,
                    &mut srtp,
                    &mut buffers,
                    &packet(5, 65_000 + n, 0),
                    VP8,
                    None,
                )
                .unwrap();
            assert_eq!(numbers(&datagram).0, (start + 1 + n) as u16);
        }
    }

    #[test]
    fn resends_come_from_the_cache_once_per_interval() {
        let now = Instant::now();
        let (mut srtp, mut buffers) = (srtp(), Buffers::default());
        let mut egress = Egress::new(1, 2, "1", SectionExtensions::default(), "PA_a".into(), now);
        let start = egress.highest as u16 + 1;
        for n in 0..20 {
            egress.write(now, &mut srtp, &mut buffers, &packet(5, n, 0), VP8, None);
        }
        let mut out = Vec::new();
        let mut resend = |at: Instant, first: u16, following: u16| {
            egress.resend(at, &mut srtp, &mut buffers, first, following, &mut out);
            out.len()
        };
        assert_eq!(resend(now, start, 0b101), 3);
        assert_eq!(resend(now, start, 0), 3, "asked again too soon");
        assert_eq!(resend(now + RESEND_INTERVAL, start, 0), 4);
        let never_sent = [
            (start.wrapping_sub(50), 0xffff),
            (start.wrapping_add(100), 0xffff),
        ];
        for (first, following) in never_sent {
            assert_eq!(resend(now, first, following), 4, "never sent");
        }
        assert_eq!(u32::from_be_bytes(out[0][8..12].try_into().unwrap()), 2);
    }

    #[test]
    fn reports_wait_for_the_source_clock() {
        let now = Instant::now();
        let (mut srtp, mut buffers) = (srtp(), Buffers::default());
        let mut egress = Egress::new(1, 2, "1", SectionExtensions::default(), "PA_a".into(), now);
        egress.write(now, &mut srtp, &mut buffers, &packet(5, 1, 1000), VP8, None);
        assert!(
            egress
                .report(now, 1, &mut srtp, None, CodecName::Vp8)
                .is_none()
        );
        let clock = SourceClock {
            timestamp: 1000,
            at: now,
        };
        assert!(
            egress
                .report(now, 1, &mut srtp, Some(clock), CodecName::Vp8)
                .is_some()
        );
        assert!(
            egress
                .report(now, 1, &mut srtp, Some(clock), CodecName::Vp8)
                .is_none()
        );
        assert_eq!(clock.at(now + Duration::from_secs(1), 90_000), 91_000);
    }
}
