//! A client as livekit-client behaves: it offers, opens the data channels, publishes with the
//! track's id in msid, and knows received tracks by their section.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dual::Answering;
use super::received::{Received, Seen};
use super::sending::{Encoding, PATTERN, Sending};
use conclave_sfu::{Kind, ParticipantId, TrackId};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc};

pub struct Client {
    pub id: ParticipantId,
    pub address: SocketAddr,
    pub rtc: Rtc,
    /// The connection on which a client of two receives: it answers, and never offers.
    pub answers: Option<Answering>,
    pending: Option<SdpPendingOffer>,
    pub offers: u32,
    pub wants_offer: bool,
    receivers_wanted: (u32, u32),
    receivers: Vec<Mid>,
    restart: bool,
    stops: Vec<Mid>,
    directions: Vec<(Mid, Direction)>,
    is_first_offer: bool,
    pub sending: Vec<Sending>,
    pub received: HashMap<TrackId, Received>,
    pub mid_to_track: HashMap<String, TrackId>,
    pub sender_reports: HashMap<TrackId, u64>,
    pub connected_at: Option<Instant>,
    pub channels: HashMap<String, ChannelId>,
    pub open_channels: HashSet<ChannelId>,
    pub data: Vec<(String, Vec<u8>)>,
    pub last_answer: String,
    pub last_offer: String,
    started: Instant,
    deadline: Instant,
    out: Vec<(SocketAddr, Vec<u8>)>,
    pub key_frame_requests: u64,
    pub ignores_key_frame_requests: bool,
    pub wants_key: Vec<Mid>,
    /// What came, for who wants to see it.
    pub payloads: Option<Vec<(TrackId, Arc<[u8]>)>>,
}

impl Client {
    pub fn new(now: Instant, id: ParticipantId, address: SocketAddr) -> Self {
        let rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true)
            .enable_vp8(true)
            .enable_h264(true);
        let mut rtc = rtc.set_stats_interval(None).build(now);
        rtc.add_local_candidate(Candidate::host(address, Protocol::Udp).unwrap());
        Client {
            id,
            address,
            rtc,
            answers: None,
            pending: None,
            offers: 0,
            wants_offer: false,
            receivers_wanted: (3, 3),
            receivers: Vec::new(),
            restart: false,
            stops: Vec::new(),
            directions: Vec::new(),
            is_first_offer: true,
            sending: Vec::new(),
            received: HashMap::new(),
            mid_to_track: HashMap::new(),
            sender_reports: HashMap::new(),
            connected_at: None,
            channels: HashMap::new(),
            open_channels: HashSet::new(),
            data: Vec::new(),
            last_answer: String::new(),
            last_offer: String::new(),
            started: now,
            deadline: now,
            out: Vec::new(),
            key_frame_requests: 0,
            ignores_key_frame_requests: false,
            wants_key: Vec::new(),
            payloads: None,
        }
    }

    pub fn add_receivers(&mut self, audio: u32, video: u32) {
        self.receivers_wanted.0 += audio;
        self.receivers_wanted.1 += video;
        self.wants_offer = true;
    }

    pub fn no_receivers(&mut self) {
        self.receivers_wanted = (0, 0);
    }

    pub fn add_sender(&mut self, name: &str, kind: Kind) {
        self.sending.push(Sending {
            name: name.to_owned(),
            kind,
            mid: None,
            is_on: true,
            packets_per_frame: if kind == Kind::Video { 4 } else { 1 },
            key_frames: 0,
            level: -20,
            next: self.deadline,
            encodings: vec![Encoding::new(
                None,
                0,
                if kind == Kind::Video { 1100 } else { 80 },
            )],
            sent: 0,
        });
        self.wants_offer = true;
    }

    /// Three layers of video; the sizes of their packets are 300, 600 and 1100 bytes.
    pub fn add_simulcast(&mut self, name: &str) {
        self.add_sender(name, Kind::Video);
        if let Some(sending) = self.sending.last_mut() {
            let layers = [("q", 300), ("h", 600), ("f", 1100)];
            let layers = layers.iter().enumerate();
            sending.encodings = layers
                .map(|(at, (rid, size))| Encoding::new(Some(rid), at as u32, *size))
                .collect();
        }
    }

    pub fn layer(&mut self, name: &str, rid: &str) -> &mut Encoding {
        let sending = self.sending.iter_mut().find(|s| s.name == name).unwrap();
        let mut encodings = sending.encodings.iter_mut();
        encodings.find(|e| e.rid == Some(rid)).unwrap()
    }

    /// As `unpublishTrack` does: the section goes inactive.
    pub fn stop_sending(&mut self, name: &str) {
        if let Some(at) = self.sending.iter().position(|s| s.name == name) {
            let sending = self.sending.remove(at);
            self.directions
                .extend(sending.mid.map(|mid| (mid, Direction::Inactive)));
            self.wants_offer = true;
        }
    }

    /// As `transceiver.stop()` does: port 0.
    pub fn stop_section(&mut self, mid: Mid) {
        self.sending.retain(|s| s.mid != Some(mid));
        self.stops.push(mid);
        self.wants_offer = true;
    }

    pub fn restart_ice(&mut self) {
        self.restart = true;
        self.wants_offer = true;
    }

    /// Move to another address, as a phone that leaves the house.
    pub fn change_address(&mut self, address: SocketAddr) {
        let old = Candidate::host(self.address, Protocol::Udp).unwrap();
        self.rtc.direct_api().invalidate_candidate(&old);
        self.address = address;
        self.rtc
            .add_local_candidate(Candidate::host(address, Protocol::Udp).unwrap());
    }

    /// `None` while an answer is outstanding; the offer is made again after it.
    pub fn make_offer(&mut self) -> Option<(u32, String)> {
        loop {
            let wanted = (self.is_first_offer, self.receivers_wanted, self.restart);
            let lists = (
                self.receivers.clone(),
                self.stops.clone(),
                self.directions.clone(),
            );
            let mids: Vec<_> = self.sending.iter().map(|sending| sending.mid).collect();
            let (id, offer) = self.try_offer()?;
            let mut names: Vec<_> = offer.lines().filter(|l| l.starts_with("a=mid:")).collect();
            names.sort_unstable();
            if names.windows(2).all(|pair| pair[0] != pair[1]) {
                return Some((id, offer));
            }
            // This stack draws the names of new sections by lot, and two may be the same.
            (self.is_first_offer, self.receivers_wanted, self.restart) = wanted;
            (self.receivers, self.stops, self.directions) = lists;
            for (sending, mid) in self.sending.iter_mut().zip(mids) {
                sending.mid = mid;
            }
            self.pending = None;
        }
    }

    fn try_offer(&mut self) -> Option<(u32, String)> {
        if self.pending.is_some() {
            self.wants_offer = true;
            return None;
        }
        self.wants_offer = false;
        let mut api = self.rtc.sdp_api();
        if std::mem::take(&mut self.is_first_offer) {
            let lossy = Reliability::MaxRetransmits { retransmits: 0 };
            for (label, ordered, reliability) in [
                ("_lossy", false, lossy),
                ("_reliable", true, Reliability::Reliable),
                ("_data_track", false, lossy),
            ] {
                let config = ChannelConfig {
                    label: label.into(),
                    ordered,
                    reliability,
                    ..Default::default()
                };
                self.channels
                    .insert(label.into(), api.add_channel_with_config(config));
            }
        }
        let (audio, video) = std::mem::take(&mut self.receivers_wanted);
        for _ in 0..audio {
            self.receivers.push(api.add_media(
                MediaKind::Audio,
                Direction::RecvOnly,
                None,
                None,
                None,
            ));
        }
        for _ in 0..video {
            self.receivers.push(api.add_media(
                MediaKind::Video,
                Direction::RecvOnly,
                None,
                None,
                None,
            ));
        }
        for sending in self.sending.iter_mut().filter(|s| s.mid.is_none()) {
            let kind = if sending.kind == Kind::Audio {
                MediaKind::Audio
            } else {
                MediaKind::Video
            };
            let cid = Some(sending.name.clone());
            let rids = sending.encodings.iter().filter_map(|e| e.rid);
            let send: Vec<_> = rids.map(SimulcastLayer::new).collect();
            let simulcast = (!send.is_empty()).then(|| Simulcast { send, recv: vec![] });
            let stream = Some("stream".into());
            sending.mid = Some(api.add_media(kind, Direction::SendOnly, stream, cid, simulcast));
        }
        for mid in self.stops.drain(..) {
            api.stop_media(mid);
        }
        for (mid, direction) in self.directions.drain(..) {
            api.set_direction(mid, direction);
        }
        if std::mem::take(&mut self.restart) {
            api.ice_restart(true);
        }
        // A browser's transceivers stay willing to receive; this stack takes `inactive` to heart.
        for mid in &self.receivers {
            api.set_direction(*mid, Direction::RecvOnly);
        }
        for mid in self.sending.iter().filter_map(|s| s.mid) {
            api.set_direction(mid, Direction::SendOnly);
        }
        let (offer, pending) = match api.apply() {
            Some(change) => change,
            None => {
                // Nothing changed, yet an offer is wanted: this stack makes one for a change only.
                let mut api = self.rtc.sdp_api();
                self.receivers.push(api.add_media(
                    MediaKind::Audio,
                    Direction::RecvOnly,
                    None,
                    None,
                    None,
                ));
                api.apply()?
            }
        };
        self.pending = Some(pending);
        self.offers += 1;
        self.last_offer = offer.to_sdp_string();
        Some((self.offers, self.last_offer.clone()))
    }

    pub fn accept_answer(
        &mut self,
        now: Instant,
        offer_id: u32,
        sdp: &str,
        mid_to_track: &[(String, TrackId)],
    ) {
        assert_eq!(offer_id, self.offers);
        self.last_answer = sdp.to_owned();
        self.mid_to_track = mid_to_track.iter().cloned().collect();
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap_or_else(|e| panic!("{e}: {sdp}"));
        let pending = self.pending.take().expect("an offer is outstanding");
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .unwrap_or_else(|e| panic!("{e}: {sdp}"));
        for sending in &mut self.sending {
            sending.next = sending.next.max(now);
        }
        self.deadline = now;
    }

    pub fn send_data(&mut self, label: &str, message: &[u8]) -> bool {
        let Some(mut channel) = self
            .channels
            .get(label)
            .and_then(|id| self.rtc.channel(*id))
        else {
            return false;
        };
        let sent = channel.write(true, message).unwrap_or(false);
        self.deadline = self.started;
        sent
    }

    pub fn next_timeout(&self) -> Instant {
        let media = self
            .sending
            .iter()
            .filter(|s| self.can_send(s))
            .map(|s| s.next)
            .min();
        media.map_or(self.deadline, |m| m.min(self.deadline))
    }

    fn can_send(&self, sending: &Sending) -> bool {
        sending.is_on
            && self.connected_at.is_some()
            && sending.mid.is_some_and(|mid| {
                self.rtc
                    .media(mid)
                    .is_some_and(|m| m.direction().is_sending())
            })
    }

    pub fn receive(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, self.address, datagram) else {
            return;
        };
        if self.rtc.handle_input(Input::Receive(now, receive)).is_ok() {
            self.drain(now);
        }
    }

    pub fn advance(&mut self, now: Instant) {
        let mut wrote = false;
        for at in 0..self.sending.len() {
            while self.can_send(&self.sending[at]) && self.sending[at].next <= now {
                self.send_frame(now, at);
                wrote = true;
            }
        }
        for mid in std::mem::take(&mut self.wants_key) {
            if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
                stream.request_keyframe(str0m::media::KeyframeRequestKind::Pli);
                wrote = true;
            }
        }
        if wrote || self.deadline <= now {
            let _ = self.rtc.handle_input(Input::Timeout(now));
            self.drain(now);
        }
    }

    fn pt(&self, codec: Codec) -> Option<Pt> {
        self.rtc
            .codec_config()
            .params()
            .iter()
            .find(|p| p.spec().codec == codec)
            .map(|p| p.pt())
    }

    fn send_frame(&mut self, now: Instant, at: usize) {
        let codec = if self.sending[at].kind == Kind::Audio {
            Codec::Opus
        } else {
            Codec::Vp8
        };
        let Some(pt) = self.pt(codec) else { return };
        let sending = &mut self.sending[at];
        let Some(mid) = sending.mid else { return };
        let is_video = sending.kind == Kind::Video;
        let mut api = self.rtc.direct_api();
        for encoding in &mut sending.encodings {
            if !encoding.is_on {
                encoding.wants_key = true;
                encoding.timestamp = encoding.timestamp.wrapping_add(3000);
                continue;
            }
            let is_key = std::mem::take(&mut encoding.wants_key);
            encoding.frame += 1;
            sending.key_frames += u32::from(is_key);
            encoding.key_frames += u32::from(is_key);
            let (temporal, is_sync) = match is_key {
                true => (0, false),
                false => PATTERN[encoding.frame as usize % 4],
            };
            encoding.tl0 = encoding.tl0.wrapping_add(u8::from(temporal == 0));
            let rid = encoding.rid.map(Rid::from);
            let Some(stream) = api.stream_tx_by_mid(mid, rid) else {
                return;
            };
            let count = sending.packets_per_frame * if is_key && is_video { 3 } else { 1 };
            for part in 0..count {
                let mut payload = if is_video {
                    let start = if part == 0 { 0x90 } else { 0x80 };
                    let [high, low] = ((encoding.frame & 0x7fff) as u16 | 0x8000).to_be_bytes();
                    let layer = temporal << 6 | u8::from(is_sync) << 5 | 3;
                    let header = u8::from(!(is_key && part == 0));
                    vec![start, 0xf0, high, low, encoding.tl0, layer, header]
                } else {
                    Vec::new()
                };
                payload.extend_from_slice(&encoding.frame.to_be_bytes());
                payload.resize(encoding.size, 7);
                let mut values = ExtensionValues {
                    rid,
                    ..Default::default()
                };
                if !is_video {
                    values.audio_level = Some(sending.level);
                    values.voice_activity = Some(true);
                }
                encoding.sequence += 1;
                sending.sent += 1;
                let sequence = SeqNo::from(encoding.sequence);
                let write = RtpWrite::new(pt, sequence, encoding.timestamp, now, payload)
                    .marker(part + 1 == count)
                    .ext_vals(values)
                    .nackable(is_video);
                stream.write_rtp(write);
            }
            let ticks = if is_video { 3000 } else { 960 };
            encoding.timestamp = encoding.timestamp.wrapping_add(ticks);
        }
        sending.next += Duration::from_micros(if is_video { 33_333 } else { 20_000 });
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at.max(now + Duration::from_millis(1));
                    return;
                }
                Ok(Output::Transmit(t)) => self.out.push((t.destination, t.contents.to_vec())),
                Ok(Output::Event(event)) => self.on_event(now, event),
                Err(e) => panic!("client {}: {e}", self.id),
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => {
                self.connected_at = Some(now);
                for sending in &mut self.sending {
                    sending.next = sending.next.max(now);
                }
            }
            Event::KeyframeRequest(request) => {
                self.key_frame_requests += 1;
                for sending in self
                    .sending
                    .iter_mut()
                    .filter(|s| s.mid == Some(request.mid))
                {
                    let rid = request.rid;
                    let asked = sending.encodings.iter_mut();
                    asked
                        .filter(|e| !e.is_deaf && !self.ignores_key_frame_requests)
                        .filter(|e| rid.is_none() || e.rid.map(Rid::from) == rid)
                        .for_each(|e| e.wants_key = true);
                }
            }
            Event::SenderFeedback(report) => {
                if let Some(track) = self.mid_to_track.get(&*report.mid) {
                    *self.sender_reports.entry(track.clone()).or_default() += 1;
                }
            }
            Event::ChannelOpen(id, label) => {
                self.open_channels.insert(id);
                self.channels.entry(label).or_insert(id);
            }
            Event::ChannelData(data) => {
                let label = self
                    .channels
                    .iter()
                    .find(|(_, id)| **id == data.id)
                    .map(|(l, _)| l.clone());
                self.data.push((label.unwrap_or_default(), data.data));
            }
            Event::RtpPacket(packet) => {
                let ssrc = packet.header.ssrc;
                let mid = self.rtc.direct_api().stream_rx(&ssrc).map(|s| s.mid());
                let Some(track) = mid.and_then(|m| self.mid_to_track.get(&*m)) else {
                    return;
                };
                if let Some(payloads) = &mut self.payloads {
                    payloads.push((track.clone(), packet.payload.clone()));
                }
                let received = self.received.entry(track.clone()).or_default();
                received.packets += 1;
                received.ssrcs.insert(*ssrc);
                if packet.payload.is_empty() {
                    received.padding += 1;
                    received.sequences.insert(*packet.seq_no);
                    return;
                }
                let is_video = packet.payload.len() > 150;
                let is_start = packet.payload[0] & 0x10 != 0;
                let is_key = is_video && is_start && packet.payload[6] & 1 == 0;
                if is_video {
                    let p = &packet.payload;
                    let seen = Seen {
                        at: now,
                        timestamp: packet.header.timestamp,
                        picture: u16::from_be_bytes([p[2] & 0x7f, p[3]]),
                        tl0: p[4],
                        temporal: p[5] >> 6,
                        is_start,
                        is_key,
                        is_end: packet.header.marker,
                        size: p.len(),
                    };
                    received.seen.insert(*packet.seq_no, seen);
                }
                received.key_frames += u64::from(is_key);
                received.first_is_key.get_or_insert(is_key);
                received.first_at.get_or_insert(now);
                let at = if is_video { 7 } else { 0 };
                if packet.payload.len() >= at + 4 {
                    let frame = u32::from_be_bytes(packet.payload[at..at + 4].try_into().unwrap());
                    received.frames.insert(frame);
                }
                received.sequences.insert(*packet.seq_no);
                received.highest = received.highest.max(*packet.seq_no);
                received.last_timestamp = packet.header.timestamp;
                received.last_at = Some(now);
                received.levels += u64::from(packet.header.ext_vals.audio_level.is_some());
            }
            _ => {}
        }
    }

    pub fn mid_of(&self, track: &TrackId) -> Mid {
        self.mid_to_track
            .iter()
            .find(|(_, t)| *t == track)
            .map(|(mid, _)| Mid::from(mid.as_str()))
            .unwrap()
    }

    /// Have the stack looked at in the next step.
    pub fn poke(&mut self) {
        self.deadline = self.started;
    }

    /// As a browser does after some renegotiations; a new stream starts with a key frame.
    pub fn change_ssrc(&mut self, name: &str) {
        let Some(sending) = self.sending.iter_mut().find(|s| s.name == name) else {
            return;
        };
        let Some(mid) = sending.mid else { return };
        sending.encodings[0].wants_key = true;
        let mut api = self.rtc.direct_api();
        let (ssrc, rtx) = (api.new_ssrc(), api.new_ssrc());
        api.reset_stream_tx(mid, None, ssrc, Some(rtx));
    }

    pub fn take_out(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }
}
