//! One participant's transport: ICE-lite, the WebRTC stack (DTLS, SCTP, incoming RTP) and the SRTP
//! contexts of what the shard sends. Knows nothing of rooms and tracks.
//!
//! The stack believes to talk to one fixed address: path selection, STUN and ICE restarts are
//! [`ice::IceLite`]'s, so that a client may change addresses without the stack noticing.

pub mod dtls;
pub mod ice;
pub mod srtp;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use str0m::config::Fingerprint;
use str0m::format::{Codec as StackCodec, FormatParams};
use str0m::media::{Frequency, KeyframeRequestKind, MediaKind, Mid, Pt, Rid};
use str0m::net::{DatagramRecv, Protocol, Receive};
use str0m::rtp::Ssrc;
use str0m::{Candidate, IceCreds, Input, Output, Rtc};

use crate::ahead;
use crate::rtp::extension::SessionExtensions;
use crate::rtp::transport_cc::Reporting;
use crate::sdp::{Codec, CodecName, OfferSection};
use crate::{Kind, Transmit};
use dtls::{SecretSlot, crypto};
use ice::{IceLite, Path};
use srtp::{SrtcpReceiver, SrtpSender};

/// The stack's idea of the two ends (TEST-NET-1: never on a wire).
const STACK_LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1);
const STACK_REMOTE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 2);
/// The stack drops its pair after 15 s without a check.
const STACK_REFRESH: Duration = Duration::from_secs(2);
/// How often the stack tells what it counted.
const STACK_STATS: Duration = Duration::from_secs(2);
/// Outputs of one drain. A participant that makes more is broken; it is dropped.
const MAX_OUTPUTS: usize = 10_000;
/// Datagrams waiting for one participant in one tick; beyond it new ones are dropped.
const MAX_OUT: usize = 8192;

pub struct Transport {
    /// Apart: it is larger by far than all else of a participant, and no packet that is forwarded to
    /// them touches it.
    rtc: Box<Rtc>,
    pub ice: IceLite,
    nomination: Vec<u8>,
    refreshed: Option<Instant>,
    secrets: SecretSlot,
    reporting: Reporting,
    srtp: Option<(SrtpSender, SrtcpReceiver)>,
    /// When the stack wants to be driven next.
    deadline: Instant,
    /// It was changed from outside of its inputs, so that its deadline may be too late.
    is_touched: bool,
    pub out: Vec<Transmit>,
    pub dropped_out: u64,
    /// We are the DTLS client.
    is_active: bool,
    /// The handshake is to be begun by us once there is an address to send to.
    is_waiting_for_path: bool,
    /// For tests in which the client is not a WebRTC stack.
    #[cfg(test)]
    pub client_sender: Option<SrtpSender>,
}

/// What the stack is built from; it cannot learn of other payload types or extensions later.
pub struct TransportConfig<'a> {
    pub codecs: &'a [Codec],
    pub extensions: &'a SessionExtensions,
    pub remote: IceCreds,
    pub fingerprint: &'a str,
    /// We are the DTLS client.
    pub is_active: bool,
}

impl Transport {
    /// `ice`: our end, whose credentials the client may know already.
    pub fn new(
        now: Instant,
        mut ice: IceLite,
        config: &TransportConfig<'_>,
    ) -> Result<Self, String> {
        let crypto = crypto();
        let fingerprint: Fingerprint = config
            .fingerprint
            .parse()
            .map_err(|_| "unreadable DTLS fingerprint".to_owned())?;
        if !fingerprint.hash_func.eq_ignore_ascii_case("sha-256") {
            return Err("only SHA-256 fingerprints are supported".to_owned());
        }
        let mut builder = Rtc::builder()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_dtls_cert(crypto.certificate.clone())
            .set_crypto_provider(crypto.provider.clone())
            .set_extension_map(config.extensions.to_map())
            .set_stats_interval(Some(STACK_STATS));
        let formats = builder.codec_config();
        formats.clear();
        for codec in config.codecs {
            let (name, rate, channels) = match codec.name {
                CodecName::Opus => (StackCodec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2)),
                CodecName::Vp8 => (StackCodec::Vp8, Frequency::NINETY_KHZ, None),
                CodecName::H264 => (StackCodec::H264, Frequency::NINETY_KHZ, None),
                CodecName::Vp9 => (StackCodec::Vp9, Frequency::NINETY_KHZ, None),
                CodecName::Av1 => (StackCodec::Av1, Frequency::NINETY_KHZ, None),
            };
            let rtx = codec.rtx.map(Pt::from);
            formats.add_config(
                codec.pt.into(),
                rtx,
                name,
                rate,
                channels,
                FormatParams::parse_line(&codec.fmtp),
            );
        }
        let stack_ice = (IceCreds::new(), IceCreds::new());
        let mut rtc = builder.build(now);
        let secrets = dtls::take_last_slot().ok_or("the DTLS session was made elsewhere")?;
        let candidate = Candidate::host(STACK_LOCAL, Protocol::Udp).map_err(|e| e.to_string())?;
        rtc.add_local_candidate(candidate);
        let nomination =
            ice::nomination(&crypto.provider, &stack_ice.0, &stack_ice.1).ok_or("STUN")?;
        let mut api = rtc.direct_api();
        api.set_ice_controlling(false);
        api.set_local_ice_credentials(stack_ice.0);
        api.set_remote_ice_credentials(stack_ice.1);
        api.set_remote_fingerprint(fingerprint);
        if !config.is_active {
            api.start_dtls(false).map_err(|e| e.to_string())?;
        }
        api.start_sctp(config.is_active);
        api.enable_twcc_feedback();
        ice.set_remote(config.remote.clone());
        Ok(Transport {
            rtc: Box::new(rtc),
            ice,
            nomination,
            refreshed: None,
            secrets,
            reporting: Reporting::new(config.extensions.transport_numbers(), now),
            srtp: None,
            deadline: now,
            is_touched: true,
            out: Vec::new(),
            dropped_out: 0,
            is_active: config.is_active,
            is_waiting_for_path: config.is_active,
            #[cfg(test)]
            client_sender: None,
        })
    }

    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    pub fn stack(&mut self) -> &mut Rtc {
        self.is_touched = true;
        &mut self.rtc
    }

    pub fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// After an authentic check on `path`: answer it, and keep the stack's own pair alive.
    pub fn heard(&mut self, now: Instant, path: Path, reply: Vec<u8>) -> Result<(), String> {
        self.push(path, reply);
        if std::mem::take(&mut self.is_waiting_for_path) {
            self.is_touched = true;
            let mut api = self.rtc.direct_api();
            api.start_dtls(true).map_err(|e| e.to_string())?;
        }
        if self
            .refreshed
            .is_some_and(|at| now.saturating_duration_since(at) < STACK_REFRESH)
        {
            return Ok(());
        }
        self.refreshed = Some(now);
        let nomination = std::mem::take(&mut self.nomination);
        let outcome = self.feed(now, &nomination);
        self.nomination = nomination;
        outcome
    }

    /// Hand a datagram (DTLS, SRTP, SRTCP) to the stack. Drain afterwards, every time: the stack has
    /// room for one incoming packet only.
    pub fn feed(&mut self, now: Instant, datagram: &[u8]) -> Result<(), String> {
        let Ok(contents) = DatagramRecv::try_from(datagram) else {
            return Ok(());
        };
        self.reporting.advance(now);
        let receive = Receive {
            proto: Protocol::Udp,
            source: STACK_REMOTE,
            destination: STACK_LOCAL,
            contents,
        };
        self.rtc
            .handle_input(Input::Receive(now, receive))
            .map_err(|e| e.to_string())
    }

    /// There is something for `tick` to do. Input alone needs none: it was drained.
    pub fn is_due(&self, now: Instant) -> bool {
        self.is_touched || self.deadline <= now
    }

    /// Let the stack act on the time and on what was changed. Drain afterwards.
    pub fn tick(&mut self, now: Instant) -> Result<(), String> {
        self.is_touched = false;
        self.rtc
            .handle_input(Input::Timeout(now))
            .map_err(|e| e.to_string())
    }

    /// Take all that the stack has to say.
    pub fn drain(&mut self, mut event: impl FnMut(str0m::Event)) -> Result<(), String> {
        for _ in 0..MAX_OUTPUTS {
            match self.rtc.poll_output().map_err(|e| e.to_string())? {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    self.take_secrets();
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    // Its STUN replies go to nobody: the real ones were sent already.
                    let is_stun = transmit.contents.first().is_some_and(|b| *b < 4);
                    if !is_stun && let Some(path) = self.ice.selected() {
                        self.push(path, transmit.contents.into());
                    }
                }
                Output::Event(e) => {
                    match &e {
                        str0m::Event::Connected => self.take_secrets(),
                        str0m::Event::RtpPacket(packet) => {
                            if let Some(number) = packet.header.ext_vals.transport_cc {
                                self.reporting.confirm(number);
                            }
                        }
                        _ => {}
                    }
                    event(e);
                }
            }
        }
        Err("the stack does not come to rest".to_owned())
    }

    fn take_secrets(&mut self) {
        if self.srtp.is_some() {
            return;
        }
        let secrets = self.secrets.lock().ok().and_then(|mut slot| slot.take());
        #[cfg(test)]
        if let Some(secrets) = &secrets {
            let client = secrets.contexts(&crypto().provider, !self.is_active);
            self.client_sender = client.map(|(sender, _)| sender);
        }
        self.srtp = secrets.and_then(|s| s.contexts(&crypto().provider, self.is_active));
    }

    /// A packet is sent soon.
    pub fn fetch(&self) {
        if let Some((sender, _)) = &self.srtp {
            sender.fetch();
        }
        ahead::fetch(&self.out);
        self.ice.fetch();
    }

    /// As `fetch`, a little later.
    pub fn fetch_cipher(&self) {
        if let Some((sender, _)) = &self.srtp {
            sender.fetch_cipher();
        }
    }

    /// A datagram is queued soon.
    pub fn fetch_queue(&self) {
        ahead::fetch(&self.out[..]);
    }

    pub fn sender(&mut self) -> Option<&mut SrtpSender> {
        self.srtp.as_mut().map(|(sender, _)| sender)
    }

    pub fn open_rtcp(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        self.srtp.as_mut()?.1.open(datagram)
    }

    /// Queue a datagram for the selected path.
    pub fn send(&mut self, payload: Vec<u8>) {
        if let Some(path) = self.ice.selected() {
            self.push(path, payload);
        }
    }

    fn push(&mut self, path: Path, payload: Vec<u8>) {
        if self.out.len() >= MAX_OUT {
            self.dropped_out += 1;
            return;
        }
        self.out.push(Transmit {
            source: path.local,
            destination: path.remote,
            payload,
        });
    }

    /// Tell the stack of a section in which the client sends.
    pub fn expect_media(&mut self, kind: Kind, offered: &OfferSection) {
        let mid = Mid::from(offered.mid.as_str());
        self.is_touched = true;
        if self.rtc.media(mid).is_none() {
            let kind = match kind {
                Kind::Audio => MediaKind::Audio,
                Kind::Video => MediaKind::Video,
            };
            let mut api = self.rtc.direct_api();
            let media = api.declare_media(mid, kind);
            for (rid, _) in &offered.rids {
                media.expect_rid_rx(Rid::from(rid.as_str()));
            }
        }
        if !offered.rids.is_empty() {
            // Streams of simulcast are found by their extensions, whether SSRCs were offered or not.
            return;
        }
        let mut api = self.rtc.direct_api();
        // Only one main stream for each section without simulcast.
        let is_repair = |ssrc: &u32| offered.repair.iter().any(|(_, rtx)| rtx == ssrc);
        if let Some(&main) = offered.ssrcs.iter().find(|ssrc| !is_repair(ssrc)) {
            let repair = offered
                .repair
                .iter()
                .find(|(m, _)| *m == main)
                .map(|(_, rtx)| Ssrc::from(*rtx));
            let stream = api.expect_stream_rx(main.into(), repair, mid, None);
            stream.suppress_nack(kind == Kind::Audio);
        }
    }

    pub fn forget_media(&mut self, mid: &str) {
        self.is_touched = true;
        self.rtc.direct_api().remove_media(Mid::from(mid));
    }

    /// Section of an incoming stream, and its rid in simulcast.
    pub fn section_of(&mut self, ssrc: u32) -> Option<(Mid, Option<Rid>)> {
        self.rtc
            .direct_api()
            .stream_rx(&Ssrc::from(ssrc))
            .map(|s| (s.mid(), s.rid()))
    }

    /// Ask for a key frame; leaves with the next tick. False when the stream is not there.
    pub fn request_key_frame(&mut self, ssrc: u32) -> bool {
        self.is_touched = true;
        match self.rtc.direct_api().stream_rx(&Ssrc::from(ssrc)) {
            Some(stream) => {
                stream.request_keyframe(KeyframeRequestKind::Pli);
                true
            }
            None => false,
        }
    }

    /// A random SSRC that the client does not use.
    pub fn new_ssrc(&mut self, taken: impl Fn(u32) -> bool) -> u32 {
        loop {
            let ssrc = *self.rtc.direct_api().new_ssrc();
            if !taken(ssrc) {
                return ssrc;
            }
        }
    }

    /// Say goodbye (DTLS close_notify); what is to be sent is in `out` afterwards.
    pub fn close(&mut self) {
        if self.rtc.close().is_ok() {
            let _ = self.drain(|_| {});
        }
    }
}
