//! A peer connection of one participant: str0m in RTP mode behind our own offers and answers.
//!
//! Sans-IO: datagrams and `now` in, datagrams and events out. After whatever may have changed it,
//! `drain` must be called until its next call is due.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::channel::{ChannelConfig, Reliability};
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec, CodecConfig, FormatParams};
use str0m::media::{Frequency, KeyframeRequestKind, MediaKind, Mid, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

use crate::description::{self, BadDescription, Description, Kind, RemoteSection};
use crate::sdp::{self, Encoding, Section, Sending, Transport};
use crate::source::{Due, RIDS};

#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error(transparent)]
    Description(#[from] BadDescription),
    #[error("the server's fingerprint is malformed: {0}")]
    Fingerprint(String),
    #[error("a candidate is malformed")]
    Candidate,
    #[error("the connection failed: {0}")]
    Rtc(Box<RtcError>),
}

impl From<RtcError> for PeerError {
    fn from(error: RtcError) -> Self {
        PeerError::Rtc(Box::new(error))
    }
}

/// One certificate for all participants of a run: making one costs more than a handshake.
#[derive(Clone)]
pub struct Credentials {
    provider: Arc<CryptoProvider>,
    certificate: DtlsCert,
}

impl Credentials {
    pub fn generate() -> Result<Self, String> {
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = provider
            .dtls_provider
            .generate_certificate()
            .ok_or("the cryptography library cannot make a certificate")?;
        Ok(Credentials {
            provider,
            certificate,
        })
    }
}

pub enum PeerEvent {
    /// ICE and DTLS are up.
    Connected,
    /// The server closed DTLS, or ICE got no answer for long.
    Lost(&'static str),
    Packet(Box<RtpPacket>),
    /// Of one of a section's encodings.
    KeyframeRequested(Mid, Option<Rid>),
    Datagram(SocketAddr, Vec<u8>),
}

/// Which side of the negotiation we are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Offering,
    Answering,
}

struct Outgoing {
    pt: u8,
    is_video: bool,
    encodings: Vec<OutgoingEncoding>,
}

struct OutgoingEncoding {
    ssrc: Ssrc,
    next_sequence: u64,
}

pub struct Peer {
    rtc: Rtc,
    side: Side,
    local: SocketAddr,
    session: u64,
    descriptions: u32,
    sections: Vec<Section>,
    /// How many sections the offer in flight has.
    offered: usize,
    declared: HashSet<Mid>,
    is_started: bool,
    candidates: Vec<String>,
    incoming: HashMap<Mid, Ssrc>,
    outgoing: HashMap<Mid, Outgoing>,
    wants_remb: Option<Mid>,
}

impl Peer {
    pub fn new(
        credentials: &Credentials,
        side: Side,
        local: SocketAddr,
        session: u64,
        now: Instant,
    ) -> Result<Self, PeerError> {
        let mut builder = Rtc::builder()
            .set_rtp_mode(true)
            .set_crypto_provider(credentials.provider.clone())
            .set_dtls_cert(credentials.certificate.clone())
            .set_extension_map(extensions());
        *builder.codec_config() = codecs();
        let mut rtc = builder.build(now);
        let host = Candidate::host(local, "udp").map_err(|_| PeerError::Candidate)?;
        rtc.add_local_candidate(host);
        Ok(Peer {
            rtc,
            side,
            local,
            session,
            descriptions: 0,
            sections: Vec::new(),
            offered: 0,
            declared: HashSet::new(),
            is_started: false,
            candidates: Vec::new(),
            incoming: HashMap::new(),
            outgoing: HashMap::new(),
            wants_remb: None,
        })
    }

    /// The candidate line that the server is told.
    pub fn local_candidate(&self) -> String {
        Candidate::host(self.local, "udp")
            .map(|host| host.to_sdp_string())
            .unwrap_or_default()
    }

    pub fn add_receiving(&mut self, is_video: bool) {
        let mid = (self.sections.len() + 1).to_string();
        self.sections.push(Section {
            mid,
            is_video,
            sending: None,
        });
    }

    /// A section that sends a track of so many encodings.
    pub fn add_sending(&mut self, cid: &str, is_video: bool, encodings: usize) -> Mid {
        let mid = (self.sections.len() + 1).to_string();
        let encodings = (0..encodings).map(|at| Encoding {
            rid: (encodings > 1).then(|| RIDS[at % RIDS.len()]),
            ssrc: *self.rtc.direct_api().new_ssrc(),
            rtx_ssrc: is_video.then(|| *self.rtc.direct_api().new_ssrc()),
        });
        let sending = Sending {
            cid: cid.to_owned(),
            encodings: encodings.collect(),
        };
        let name = Mid::from(mid.as_str());
        self.sections.push(Section {
            mid,
            is_video,
            sending: Some(sending),
        });
        name
    }

    /// The next offer, with all sections so far.
    pub fn offer(&mut self) -> (u32, String) {
        self.offered = self.sections.len();
        let sdp = self.describe(|transport, it| sdp::offer(transport, &it.sections));
        (self.descriptions, sdp)
    }

    fn describe(&mut self, write: impl Fn(&Transport<'_>, &Self) -> String) -> String {
        self.descriptions += 1;
        let api = self.rtc.direct_api();
        let credentials = api.local_ice_credentials();
        let fingerprint = api.local_dtls_fingerprint().to_string();
        let transport = Transport {
            session: self.session,
            version: self.descriptions,
            ufrag: &credentials.ufrag,
            password: &credentials.pass,
            fingerprint: &fingerprint,
        };
        write(&transport, self)
    }

    /// Take in the answer to the last offer.
    pub fn accept(&mut self, answer: &str) -> Result<(), PeerError> {
        let answer = description::answer(answer, &self.sections[..self.offered])?;
        self.connect(&answer)?;
        for (at, answered) in answer.sections[1..].iter().enumerate() {
            let section = self.sections[at].clone();
            let mid = Mid::from(section.mid.as_str());
            let is_new = self.declare(mid, section.is_video);
            match &section.sending {
                Some(sending) if is_new && !answered.is_rejected => {
                    self.send_in(mid, section.is_video, sending);
                }
                Some(_) => {}
                None => self.receive_in(mid, section.is_video, answered),
            }
        }
        Ok(())
    }

    /// Take in an offer of the server's and answer it.
    pub fn answer(&mut self, offer: &str) -> Result<String, PeerError> {
        let offer = description::offer(offer)?;
        self.connect(&offer)?;
        for section in &offer.sections {
            let is_video = section.kind == Kind::Video;
            if section.is_rejected || !(is_video || section.kind == Kind::Audio) {
                continue;
            }
            let mid = Mid::from(section.mid.as_str());
            self.declare(mid, is_video);
            self.receive_in(mid, is_video, section);
        }
        Ok(self.describe(|transport, _| sdp::answer(transport, &offer)))
    }

    fn connect(&mut self, remote: &Description) -> Result<(), PeerError> {
        if !self.is_started {
            self.start(remote)?;
        }
        for candidate in &remote.candidates {
            self.add_candidate(candidate)?;
        }
        Ok(())
    }

    /// Whether the section is a new one.
    fn declare(&mut self, mid: Mid, is_video: bool) -> bool {
        let is_new = self.declared.insert(mid);
        if is_new {
            let kind = if is_video {
                MediaKind::Video
            } else {
                MediaKind::Audio
            };
            self.rtc.direct_api().declare_media(mid, kind);
        }
        is_new
    }

    fn send_in(&mut self, mid: Mid, is_video: bool, sending: &Sending) {
        let mut encodings = Vec::new();
        for Encoding {
            rid,
            ssrc,
            rtx_ssrc,
        } in &sending.encodings
        {
            let (rtx, rid) = (rtx_ssrc.map(Ssrc::from), rid.map(Rid::from));
            let mut api = self.rtc.direct_api();
            api.declare_stream_tx((*ssrc).into(), rtx, mid, rid);
            encodings.push(OutgoingEncoding {
                ssrc: (*ssrc).into(),
                next_sequence: u64::from(ssrc % 30_000) + 1,
            });
        }
        let outgoing = Outgoing {
            pt: if is_video { sdp::PT_VP8 } else { sdp::PT_OPUS },
            is_video,
            encodings,
        };
        self.outgoing.insert(mid, outgoing);
    }

    fn receive_in(&mut self, mid: Mid, is_video: bool, remote: &RemoteSection) {
        let Some(ssrc) = remote.ssrc.filter(|_| remote.is_sending).map(Ssrc::from) else {
            return;
        };
        if remote.wants_remb && is_video {
            self.wants_remb.get_or_insert(mid);
        }
        match self.incoming.insert(mid, ssrc) {
            Some(old) if old == ssrc => return,
            Some(old) => {
                self.rtc.direct_api().remove_stream_rx(old);
            }
            None => {}
        }
        let rtx = remote.rtx_ssrc.map(Ssrc::from);
        let mut api = self.rtc.direct_api();
        api.expect_stream_rx(ssrc, rtx, mid, None)
            .suppress_nack(!is_video);
    }

    fn start(&mut self, remote: &Description) -> Result<(), PeerError> {
        let is_offering = self.side == Side::Offering;
        let fingerprint = remote.fingerprint.parse().map_err(PeerError::Fingerprint)?;
        // An answer of ours takes the active side; a server that only answers checks never leads.
        let is_dtls_client = !is_offering || !remote.is_active;
        let mut api = self.rtc.direct_api();
        api.set_ice_controlling(is_offering || remote.is_lite);
        api.set_remote_fingerprint(fingerprint);
        api.set_remote_ice_credentials(str0m::IceCreds {
            ufrag: remote.ufrag.clone(),
            pass: remote.password.clone(),
        });
        api.start_dtls(is_dtls_client)?;
        api.start_sctp(is_dtls_client);
        api.enable_twcc_feedback();
        // On a connection that the server offers, it makes the channels.
        let channels = [
            ("_reliable", false),
            ("_lossy", true),
            ("_data_track", true),
        ];
        for (label, is_lossy) in channels.into_iter().filter(|_| is_offering) {
            api.create_data_channel(ChannelConfig {
                label: label.into(),
                ordered: !is_lossy,
                reliability: if is_lossy {
                    Reliability::MaxRetransmits { retransmits: 0 }
                } else {
                    Reliability::Reliable
                },
                ..Default::default()
            });
        }
        self.is_started = true;
        for candidate in std::mem::take(&mut self.candidates) {
            self.add_candidate(&candidate)?;
        }
        Ok(())
    }

    /// A candidate of the server; those that are not UDP are left alone.
    pub fn add_candidate(&mut self, line: &str) -> Result<(), PeerError> {
        if !self.is_started {
            self.candidates.push(line.to_owned());
            return Ok(());
        }
        let line = line.trim().trim_start_matches("a=");
        let is_udp = line
            .split(' ')
            .nth(2)
            .is_some_and(|proto| proto.eq_ignore_ascii_case("udp"));
        if is_udp {
            let candidate = Candidate::from_sdp_string(line).map_err(|_| PeerError::Candidate)?;
            self.rtc.add_remote_candidate(candidate);
        }
        Ok(())
    }

    /// The server's first description has come.
    pub fn is_started(&self) -> bool {
        self.is_started
    }

    pub fn can_send(&self, mid: Mid) -> bool {
        self.outgoing.contains_key(&mid)
    }

    /// Queue a packet of one of the section's encodings; it leaves at the next `advance`.
    pub fn write(&mut self, mid: Mid, encoding: usize, due: Due, now: Instant) {
        let Some(outgoing) = self.outgoing.get_mut(&mid) else {
            return;
        };
        let Some(encoding) = outgoing.encodings.get_mut(encoding) else {
            return;
        };
        let sequence = encoding.next_sequence;
        encoding.next_sequence += 1;
        let mut extensions = ExtensionValues::default();
        if !outgoing.is_video {
            extensions.audio_level = Some(-30);
            extensions.voice_activity = Some(true);
        }
        let packet = RtpWrite::new(
            outgoing.pt.into(),
            sequence.into(),
            due.time,
            now,
            due.payload,
        )
        .marker(due.marker)
        .ext_vals(extensions)
        .nackable(outgoing.is_video);
        if let Some(stream) = self.rtc.direct_api().stream_tx(&encoding.ssrc) {
            stream.write_rtp(packet);
        }
    }

    pub fn request_keyframe(&mut self, ssrc: Ssrc) {
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Tell a server that estimates by REMB that there is room; does nothing with any other.
    pub fn report_bandwidth(&mut self, bits_per_second: u64) {
        let Some(ssrc) = self
            .wants_remb
            .and_then(|mid| self.incoming.get(&mid).copied())
        else {
            return;
        };
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.request_remb(bits_per_second.into());
        }
    }

    /// Take in a datagram; what is not WebRTC is dropped.
    pub fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), PeerError> {
        if let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, datagram) {
            self.rtc.handle_input(Input::Receive(now, receive))?;
        }
        Ok(())
    }

    /// Run due timers and flush what was written.
    pub fn advance(&mut self, now: Instant) -> Result<(), PeerError> {
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    /// Say goodbye to the server (DTLS close_notify); `drain` sends it.
    pub fn close(&mut self) -> Result<(), PeerError> {
        Ok(self.rtc.close()?)
    }

    /// Hand out everything that is to be sent or known; answers when `advance` is due next.
    pub fn drain(&mut self, mut sink: impl FnMut(PeerEvent)) -> Result<Instant, PeerError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(transmit) => {
                    sink(PeerEvent::Datagram(
                        transmit.destination,
                        transmit.contents.to_vec(),
                    ));
                }
                Output::Event(Event::Connected) => sink(PeerEvent::Connected),
                Output::Event(Event::RtpPacket(packet)) => {
                    sink(PeerEvent::Packet(Box::new(packet)))
                }
                Output::Event(Event::KeyframeRequest(request)) => {
                    sink(PeerEvent::KeyframeRequested(request.mid, request.rid));
                }
                Output::Event(Event::Closed) => sink(PeerEvent::Lost("the server closed DTLS")),
                Output::Event(Event::IceConnectionStateChange(
                    str0m::IceConnectionState::Disconnected,
                )) => sink(PeerEvent::Lost("the server no longer answers STUN")),
                Output::Event(_) => {}
            }
        }
    }
}

/// When nothing is due for a participant.
pub fn far_away(now: Instant) -> Instant {
    now + Duration::from_secs(3_600)
}

fn codecs() -> CodecConfig {
    let mut codecs = CodecConfig::empty();
    let opus = FormatParams::parse_line("minptime=10;useinbandfec=1");
    codecs.add_config(
        sdp::PT_OPUS.into(),
        None,
        Codec::Opus,
        Frequency::FORTY_EIGHT_KHZ,
        Some(2),
        opus,
    );
    codecs.add_config(
        sdp::PT_VP8.into(),
        Some(sdp::PT_VP8_RTX.into()),
        Codec::Vp8,
        Frequency::NINETY_KHZ,
        None,
        FormatParams::default(),
    );
    codecs
}

fn extensions() -> ExtensionMap {
    let mut extensions = ExtensionMap::empty();
    extensions.set(sdp::EXT_AUDIO_LEVEL, Extension::AudioLevel);
    extensions.set(sdp::EXT_ABS_SEND_TIME, Extension::AbsoluteSendTime);
    extensions.set(sdp::EXT_TWCC, Extension::TransportSequenceNumber);
    extensions.set(sdp::EXT_MID, Extension::RtpMid);
    extensions.set(sdp::EXT_ORIENTATION, Extension::VideoOrientation);
    extensions.set(sdp::EXT_RID, Extension::RtpStreamId);
    extensions.set(sdp::EXT_REPAIRED_RID, Extension::RepairedRtpStreamId);
    extensions
}
