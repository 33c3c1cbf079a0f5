//! WebRTC clients for tests and measurements: str0m behind one loopback socket each, offering as a
//! browser with one peer connection does. They know nothing of the engine but its answers.

#![allow(dead_code)]

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

/// What a client wants in its next offer.
pub enum Section<'a> {
    Send(MediaKind, &'a str),
    Receive(MediaKind),
    Data,
}

pub struct Client {
    pub rtc: Rtc,
    pub local: SocketAddr,
    socket: UdpSocket,
    timeout: Instant,
    pending: Option<SdpPendingOffer>,
    pub sending: HashMap<String, Mid>,
    sequences: HashMap<Mid, u64>,
    pub channels: HashMap<String, ChannelId>,
    pub is_connected: bool,
    pub is_closed: bool,
    pub packets: u64,
    pub bytes: u64,
    pub delays: Vec<Duration>,
    pub keyframe_requests: u64,
    pub messages: Vec<Vec<u8>>,
}

/// Several clients, driven by whoever calls `turn`.
pub struct Clients {
    poll: Poll,
    events: Events,
    pub list: Vec<Client>,
    buffer: Vec<u8>,
}

impl Clients {
    pub fn new() -> Self {
        Clients {
            poll: Poll::new().unwrap(),
            events: Events::with_capacity(256),
            list: Vec::new(),
            buffer: vec![0; 1 << 16],
        }
    }

    /// Returns the client's index.
    pub fn add(&mut self, bind: &str) -> usize {
        let mut client = Client::new(bind.parse().unwrap());
        let token = Token(self.list.len());
        self.poll
            .registry()
            .register(&mut client.socket, token, Interest::READABLE)
            .unwrap();
        self.list.push(client);
        token.0
    }

    /// Take in what has come, run timers, and wait for at most `wait`.
    pub fn turn(&mut self, wait: Duration) {
        let now = Instant::now();
        let next = self.list.iter().map(|client| client.timeout).min();
        let until = next.map_or(wait, |next| next.saturating_duration_since(now).min(wait));
        self.poll.poll(&mut self.events, Some(until)).unwrap();
        for event in &self.events {
            let client = &mut self.list[event.token().0];
            client.read(&mut self.buffer);
        }
        let now = Instant::now();
        for client in &mut self.list {
            if client.timeout <= now {
                client.flush(now);
            }
        }
    }
}

impl Client {
    fn new(bind: SocketAddr) -> Self {
        let socket = UdpSocket::bind(bind).unwrap();
        let local = socket.local_addr().unwrap();
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true)
            .enable_vp8(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        Client {
            rtc,
            local,
            socket,
            timeout: Instant::now(),
            pending: None,
            sending: HashMap::new(),
            sequences: HashMap::new(),
            channels: HashMap::new(),
            is_connected: false,
            is_closed: false,
            packets: 0,
            bytes: 0,
            delays: Vec::new(),
            keyframe_requests: 0,
            messages: Vec::new(),
        }
    }

    pub fn offer(&mut self, sections: &[Section<'_>]) -> String {
        let mut changes = self.rtc.sdp_api();
        for section in sections {
            match section {
                Section::Send(kind, cid) => {
                    let stream = Some("stream".to_owned());
                    let track = Some((*cid).to_owned());
                    let mid = changes.add_media(*kind, Direction::SendOnly, stream, track, None);
                    self.sending.insert((*cid).to_owned(), mid);
                }
                Section::Receive(kind) => {
                    changes.add_media(*kind, Direction::RecvOnly, None, None, None);
                }
                Section::Data => {
                    changes.add_channel_with_config(ChannelConfig {
                        label: "_reliable".to_owned(),
                        ..Default::default()
                    });
                    changes.add_channel_with_config(ChannelConfig {
                        label: "_lossy".to_owned(),
                        ordered: false,
                        reliability: Reliability::MaxRetransmits { retransmits: 0 },
                        ..Default::default()
                    });
                }
            }
        }
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    pub fn answer(&mut self, sdp: &str) {
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        self.flush(Instant::now());
    }

    /// Queue one RTP packet of a published track; `flush` sends. The payload's last 16 bytes tell
    /// when and are read by `delays` of a client in the same process or on the same machine.
    pub fn write(&mut self, cid: &str, time: u32, marker: bool, payload: Vec<u8>) {
        let mid = self.sending[cid];
        let codec = match self.rtc.media(mid).unwrap().kind() {
            MediaKind::Audio => Codec::Opus,
            MediaKind::Video => Codec::Vp8,
        };
        let config = self.rtc.codec_config();
        let pt = config.find(|p| p.spec().codec == codec).unwrap().pt();
        let sequence = self.sequences.entry(mid).or_insert(100);
        *sequence += 1;
        let packet = RtpWrite::new(pt, (*sequence).into(), time, Instant::now(), payload)
            .marker(marker)
            .nackable(codec == Codec::Vp8);
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        stream.write_rtp(packet);
    }

    pub fn send(&mut self, label: &str, message: &[u8]) -> bool {
        let Some(id) = self.channels.get(label) else {
            return false;
        };
        let Some(mut channel) = self.rtc.channel(*id) else {
            return false;
        };
        let is_taken = channel.write(true, message).unwrap();
        self.flush(Instant::now());
        is_taken
    }

    pub fn flush(&mut self, now: Instant) {
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.is_closed = true;
        }
        self.drain(now);
    }

    fn read(&mut self, buffer: &mut [u8]) {
        loop {
            let (length, source) = match self.socket.recv_from(buffer) {
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // The engine is gone (ICMP); what was meant for it is lost, as on any network.
                Err(_) => continue,
            };
            let Ok(contents) = buffer[..length].try_into() else {
                continue;
            };
            let now = Instant::now();
            let receive = Receive {
                proto: Protocol::Udp,
                source,
                destination: self.local,
                contents,
            };
            if self.rtc.handle_input(Input::Receive(now, receive)).is_err() {
                self.is_closed = true;
            }
            self.drain(now);
        }
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    // A client that is closed asks for times that have gone by.
                    let earliest = now + Duration::from_millis(1);
                    self.timeout = if self.rtc.is_alive() {
                        at.max(earliest)
                    } else {
                        now + Duration::from_secs(3600)
                    };
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    let _ = self
                        .socket
                        .send_to(&transmit.contents, transmit.destination);
                }
                Ok(Output::Event(event)) => self.note(event),
                Err(_) => {
                    self.is_closed = true;
                    self.timeout = now + Duration::from_secs(3600);
                    return;
                }
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.is_connected = true,
            Event::Closed => self.is_closed = true,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.is_connected = false;
            }
            Event::ChannelOpen(id, label) => {
                self.channels.insert(label, id);
            }
            Event::ChannelData(data) => self.messages.push(data.data),
            Event::RtpPacket(packet) => {
                self.packets += 1;
                self.bytes += packet.payload.len() as u64;
                if let Some(delay) = delay_of(&packet.payload) {
                    self.delays.push(delay);
                }
            }
            Event::KeyframeRequest(_) => self.keyframe_requests += 1,
            _ => {}
        }
    }
}

const STAMP: &[u8; 8] = b"conclave";

/// A VP8 packet (RFC 7741): first of a frame or not, of a key frame or not, `size` bytes long, with
/// the time of its making at the end.
pub fn vp8(size: usize, is_start: bool, is_key: bool, picture: u16) -> Vec<u8> {
    let start = if is_start { 0x90 } else { 0x80 };
    let picture = picture & 0x7fff;
    let mut payload = vec![start, 0x80, 0x80 | (picture >> 8) as u8, picture as u8];
    if is_start {
        payload.push(if is_key { 0x10 } else { 0x11 });
        payload.extend([0, 0]);
        if is_key {
            payload.extend([0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
        }
    }
    payload.resize(size - 16, 0x5a);
    payload.extend(STAMP);
    payload.extend(monotonic().to_le_bytes());
    payload
}

fn delay_of(payload: &[u8]) -> Option<Duration> {
    let (rest, time) = payload.split_last_chunk::<8>()?;
    if !rest.ends_with(STAMP) {
        return None;
    }
    let sent = u64::from_le_bytes(*time);
    Some(Duration::from_nanos(monotonic().saturating_sub(sent)))
}

/// Nanoseconds of a clock that all processes of this machine share.
pub fn monotonic() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writes.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
