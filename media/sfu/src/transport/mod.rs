//! One participant's transport: ICE-lite, the WebRTC stack (DTLS, SCTP) and the SRTP contexts. Knows
//! nothing of rooms and tracks.
//!
//! The stack believes to talk to one fixed address: path selection, STUN and ICE restarts are
//! [`ice::IceLite`]'s, so that a client may change addresses without the stack noticing.

pub mod dtls;
pub mod gcm;
pub mod ice;
pub mod srtp;
pub mod unprotect;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use str0m::config::Fingerprint;
use str0m::net::{DatagramRecv, Protocol, Receive};
use str0m::rtp::ExtensionMap;
use str0m::{Candidate, IceCreds, Input, Output, Rtc};

use crate::Transmit;
use crate::ahead;
use dtls::{SecretSlot, crypto};
use ice::{IceLite, Path};
use srtp::SrtpSender;
use unprotect::SrtpReceiver;

/// The stack's idea of the two ends (TEST-NET-1: never on a wire).
const STACK_LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1);
const STACK_REMOTE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 2);
/// The stack drops its pair after 15 s without a check.
const STACK_REFRESH: Duration = Duration::from_secs(2);
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
    srtp: Option<(SrtpSender, SrtpReceiver)>,
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

/// What the client says of its end.
pub struct TransportConfig<'a> {
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
        // Media passes it by: it knows no formats and no header extensions.
        let builder = Rtc::builder()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_dtls_cert(crypto.certificate.clone())
            .set_crypto_provider(crypto.provider.clone())
            .set_extension_map(ExtensionMap::empty())
            .clear_codecs();
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
        ice.set_remote(config.remote.clone());
        Ok(Transport {
            rtc: Box::new(rtc),
            ice,
            nomination,
            refreshed: None,
            secrets,
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

    /// Hand a datagram of DTLS to the stack. Drain afterwards.
    pub fn feed(&mut self, now: Instant, datagram: &[u8]) -> Result<(), String> {
        let Ok(contents) = DatagramRecv::try_from(datagram) else {
            return Ok(());
        };
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
                    if matches!(e, str0m::Event::Connected) {
                        self.take_secrets();
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

    pub fn receiver(&mut self) -> Option<&mut SrtpReceiver> {
        self.srtp.as_mut().map(|(_, receiver)| receiver)
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

    /// Say goodbye (DTLS close_notify); what is to be sent is in `out` afterwards.
    pub fn close(&mut self) {
        if self.rtc.close().is_ok() {
            let _ = self.drain(|_| {});
        }
    }
}
