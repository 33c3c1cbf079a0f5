//! A client as livekit-client behaves: it offers, opens the data channels, publishes with the
//! track's id in msid, and knows received tracks by their section.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use conclave_sfu::{Kind, ParticipantId, TrackId};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// A track that is sent.
pub struct Sending {
    pub name: String,
    pub kind: Kind,
    pub mid: Option<Mid>,
    pub is_on: bool,
    pub packets_per_frame: usize,
    pub key_frames: u32,
    pub level: i8,
    next: Instant,
    sequence: u64,
    timestamp: u32,
    frame: u32,
    wants_key: bool,
    pub sent: u64,
}

/// What came of one track.
#[derive(Default, Debug)]
pub struct Received {
    pub packets: u64,
    pub key_frames: u64,
    pub first_is_key: Option<bool>,
    /// Frame counters seen, from the payload.
    pub frames: HashSet<u32>,
    pub sequences: HashSet<u64>,
    pub highest: u64,
    pub last_timestamp: u32,
    pub last_at: Option<Instant>,
    pub first_at: Option<Instant>,
    pub ssrcs: HashSet<u32>,
    pub levels: u64,
}

impl Received {
    /// Sequence numbers between the first and the last that never came.
    pub fn missing(&self) -> u64 {
        let first = self.sequences.iter().min().copied().unwrap_or(0);
        if self.sequences.is_empty() {
            0
        } else {
            self.highest + 1 - first - self.sequences.len() as u64
        }
    }
}

/// How offers of the server are dealt with.
#[derive(Default)]
pub struct Answering {
    /// They are kept in `offers` and nothing else.
    pub is_silent: bool,
    /// The client is the DTLS server.
    pub is_passive: bool,
    pub offers: Vec<(u32, String)>,
    pub last_answer: String,
}

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
    pub wants_key: Vec<Mid>,
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
            wants_key: Vec::new(),
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
            sequence: 1000,
            timestamp: 12_345,
            frame: 0,
            wants_key: true,
            sent: 0,
        });
        self.wants_offer = true;
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
            sending.mid =
                Some(api.add_media(kind, Direction::SendOnly, Some("stream".into()), cid, None));
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

    /// Take an offer of the server; the answer.
    pub fn accept_offer(
        &mut self,
        now: Instant,
        sdp: &str,
        mid_to_track: &[(String, TrackId)],
    ) -> String {
        let setup = match self.answers.as_ref().map(|a| a.is_passive) {
            Some(true) => "active",
            _ => "passive",
        };
        // This stack answers a choice with `passive`, and browsers with `active`.
        let sdp = sdp.replace("a=setup:actpass", &format!("a=setup:{setup}"));
        let offer = SdpOffer::from_sdp_string(&sdp).unwrap_or_else(|e| panic!("{e}: {sdp}"));
        let answer = self
            .rtc
            .sdp_api()
            .accept_offer(offer)
            .unwrap_or_else(|e| panic!("{e}: {sdp}"));
        self.mid_to_track = mid_to_track.iter().cloned().collect();
        self.deadline = now;
        answer.to_sdp_string()
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
        let is_key = std::mem::take(&mut sending.wants_key);
        sending.frame += 1;
        sending.key_frames += u32::from(is_key);
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(mid, None) else {
            return;
        };
        let count = sending.packets_per_frame
            * if is_key && sending.kind == Kind::Video {
                3
            } else {
                1
            };
        for part in 0..count {
            let mut payload = match sending.kind {
                Kind::Audio => Vec::new(),
                Kind::Video => {
                    let start = if part == 0 { 0x90 } else { 0x80 };
                    let picture = (sending.frame & 0x7fff) as u16 | 0x8000;
                    let header = u8::from(!(is_key && part == 0));
                    let [high, low] = picture.to_be_bytes();
                    vec![start, 0x80, high, low, header]
                }
            };
            payload.extend_from_slice(&sending.frame.to_be_bytes());
            payload.resize(
                if sending.kind == Kind::Video {
                    1100
                } else {
                    80
                },
                7,
            );
            let mut values = ExtensionValues::default();
            if sending.kind == Kind::Audio {
                values.audio_level = Some(sending.level);
                values.voice_activity = Some(true);
            }
            sending.sequence += 1;
            sending.sent += 1;
            let write = RtpWrite::new(
                pt,
                SeqNo::from(sending.sequence),
                sending.timestamp,
                now,
                payload,
            )
            .marker(part + 1 == count)
            .ext_vals(values)
            .nackable(sending.kind == Kind::Video);
            stream.write_rtp(write);
        }
        let (interval, ticks) = if sending.kind == Kind::Audio {
            (20_000, 960)
        } else {
            (33_333, 3000)
        };
        sending.next += Duration::from_micros(interval);
        sending.timestamp = sending.timestamp.wrapping_add(ticks);
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
                    sending.wants_key = true;
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
                let received = self.received.entry(track.clone()).or_default();
                received.packets += 1;
                received.ssrcs.insert(*ssrc);
                let is_video = packet.payload.len() > 500;
                let is_key =
                    is_video && packet.payload[0] & 0x10 != 0 && packet.payload[4] & 1 == 0;
                received.key_frames += u64::from(is_key);
                received.first_is_key.get_or_insert(is_key);
                received.first_at.get_or_insert(now);
                let at = if is_video { 5 } else { 0 };
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
        sending.wants_key = true;
        let mut api = self.rtc.direct_api();
        let (ssrc, rtx) = (api.new_ssrc(), api.new_ssrc());
        api.reset_stream_tx(mid, None, ssrc, Some(rtx));
    }

    pub fn take_out(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }
}
