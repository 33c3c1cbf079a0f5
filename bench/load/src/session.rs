//! One stay of a participant in a room: its signalling, its peer connection and what it publishes.

use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};
use serde::Deserialize;
use str0m::media::Mid;

use crate::client::Tally;
use crate::meter::Window;
use crate::peer::{Peer, PeerError, far_away};
use crate::proto::{
    AddTrackRequest, CLIENT_INITIATED, ClientInfo, ConnectionSettings, JoinRequest, JoinResponse,
    LeaveRequest, Ping, Request, Response, SessionDescription, TrackSource, TrackType,
    TrickleRequest, VideoLayer,
};
use crate::scenario::{Shared, Spec};
use crate::signal::{Signal, SignalError};
use crate::source::{Shape, Source};
use crate::udp::{MediaSocket, now_us};

/// `ClientInfo.SDK` JS and a version whose behaviour this program follows.
const SDK_JS: i32 = 1;
const SDK_VERSION: &str = "2.23.0";
const SIGNAL_PROTOCOL: i32 = 17;
/// Sections a server may ask for at once; a browser has no more use for them.
const SECTIONS_AT_ONCE: u32 = 200;
/// What is reported as free to a server that estimates by REMB.
const BANDWIDTH: u64 = 50_000_000;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("the media socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("the server closed the WebSocket")]
    Closed,
    #[error("the server ended the session (reason {reason}, action {action})")]
    Left { reason: i32, action: i32 },
    #[error("{0}")]
    Lost(&'static str),
    #[error("the server asked for {0} media sections at once")]
    TooManySections(u32),
    #[error("the server sent an offer, which has no place on a single peer connection")]
    UnexpectedOffer,
    #[error("not joined in time: {0}")]
    Stuck(&'static str),
}

struct Published {
    source: Source,
    cid: String,
    /// `None` until the server has confirmed the track.
    mid: Option<Mid>,
}

pub struct Session {
    signal: Signal,
    pub peer: Peer,
    pub socket: MediaSocket,
    pub peer_due: Instant,
    pub started: Instant,
    pub is_connected: bool,
    pub has_media: bool,
    pub has_picture: bool,
    pub leave_at: Option<Instant>,
    has_joined: bool,
    has_answer: bool,
    published: Vec<Published>,
    offer_in_flight: Option<u32>,
    wants_offer: bool,
    ping_interval: Duration,
    next_ping: Instant,
    rtt: i64,
}

#[derive(Deserialize)]
struct CandidateInit {
    candidate: String,
}

impl Session {
    pub fn open(
        spec: &Spec,
        number: u32,
        token: &str,
        (media_token, signal_token): (Token, Token),
        now: Instant,
        shared: &Shared,
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let socket = MediaSocket::open(shared.endpoint.address, registry, media_token)?;
        let seed = shared.seed ^ u64::from(number) << 40;
        let mut peer = Peer::new(&shared.credentials, socket.local(), now_us(), now)?;
        let (audio, video) = if spec.subscribes {
            shared.first_sections
        } else {
            (0, 0)
        };
        (0..audio).for_each(|_| peer.add_receiving(false));
        (0..video).for_each(|_| peer.add_receiving(true));
        let (id, sdp) = peer.offer();
        let join = JoinRequest {
            client_info: Some(ClientInfo {
                sdk: SDK_JS,
                version: SDK_VERSION.into(),
                protocol: SIGNAL_PROTOCOL,
                os: "linux".into(),
                browser: "chrome".into(),
            }),
            connection_settings: Some(ConnectionSettings {
                auto_subscribe: spec.subscribes,
                adaptive_stream: false,
            }),
            publisher_offer: Some(description(id, sdp)),
        };
        let signal = Signal::connect(
            &shared.endpoint,
            token,
            &join,
            shared.gzip,
            registry,
            signal_token,
        )?;
        let published = spec.tracks.iter().map(|&(track, shape)| Published {
            // A track that comes again is another track.
            source: Source::new(shape, track + (number - 1) * 1_000_000, seed, now),
            cid: format!("{}-{track}-{number}", spec.identity),
            mid: None,
        });
        Ok(Session {
            signal,
            peer,
            socket,
            peer_due: far_away(now),
            started: now,
            is_connected: false,
            has_media: false,
            has_picture: false,
            leave_at: None,
            has_joined: false,
            has_answer: false,
            published: published.collect(),
            offer_in_flight: Some(id),
            wants_offer: false,
            ping_interval: Duration::from_secs(5),
            next_ping: far_away(now),
            rtt: 0,
        })
    }

    /// Which step is missing.
    pub fn stuck(&self) -> Failure {
        Failure::Stuck(match (self.has_joined, self.has_answer) {
            (false, _) => "no join message came",
            (true, false) => "no answer came",
            (true, true) => "ICE or DTLS did not connect",
        })
    }

    /// Connected, and every track of its own is negotiated.
    pub fn is_publishing(&self) -> bool {
        self.is_connected
            && self
                .published
                .iter()
                .all(|it| it.mid.is_some_and(|mid| self.peer.can_send(mid)))
    }

    pub fn next_due(&self) -> Instant {
        let own = self.peer_due.min(self.next_ping);
        let due = self.leave_at.map_or(own, |at| own.min(at));
        if !self.is_connected {
            return due.min(self.started + Duration::from_secs(15) + Duration::from_millis(1));
        }
        self.sending()
            .map(|it| it.source.next_due())
            .fold(due, Instant::min)
    }

    fn sending(&self) -> impl Iterator<Item = &Published> {
        let can_send = |it: &&Published| it.mid.is_some_and(|mid| self.peer.can_send(mid));
        self.published.iter().filter(can_send)
    }

    pub fn tick(
        &mut self,
        now: Instant,
        window: Option<&Window>,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        if self.next_ping <= now {
            self.next_ping = now + self.ping_interval;
            let timestamp = (now_us() / 1_000) as i64;
            self.signal.send(Request::Ping(Ping {
                timestamp,
                rtt: self.rtt,
            }))?;
            self.peer.report_bandwidth(BANDWIDTH);
        }
        if self.is_connected {
            for published in &mut self.published {
                let Some(mid) = published.mid.filter(|&mid| self.peer.can_send(mid)) else {
                    continue;
                };
                while let Some(due) = published.source.next(now, now_us()) {
                    let sent = tally.sent.entry(published.source.track()).or_default();
                    sent.total += 1;
                    sent.in_window += u64::from(window.is_some_and(|it| it.contains(due.sent_us)));
                    sent.keyframes = published.source.keyframes;
                    self.peer.write(mid, due, now);
                }
            }
        }
        Ok(self.peer.advance(now)?)
    }

    pub fn request_keyframe(&mut self, mid: Mid) {
        let asked = self.published.iter_mut().filter(|it| it.mid == Some(mid));
        asked.for_each(|it| it.source.request_keyframe());
    }

    pub fn on_signal(&mut self, now: Instant, tally: &mut Tally) -> Result<(), Failure> {
        let progress = self.signal.advance()?;
        if progress.has_opened {
            tally
                .websocket
                .record(now.duration_since(self.started).as_micros() as u64);
        }
        for response in progress.responses {
            self.on_response(response, now, tally)?;
        }
        if progress.is_closed {
            return Err(Failure::Closed);
        }
        Ok(self.peer.advance(now)?)
    }

    fn on_response(
        &mut self,
        response: Response,
        now: Instant,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        match response {
            Response::Join(join) => self.on_join(&join, now, tally)?,
            Response::Answer(answer) => {
                // An answer to an offer that is no longer the last one is of no use.
                if self.offer_in_flight == Some(answer.id) || answer.id == 0 {
                    self.has_answer = true;
                    self.offer_in_flight = None;
                    self.peer.accept(&answer.sdp)?;
                    self.offer_if_wanted()?;
                }
            }
            Response::Offer(_) => return Err(Failure::UnexpectedOffer),
            Response::Trickle(trickle) => {
                let init = serde_json::from_str::<CandidateInit>(&trickle.candidate_init);
                let line = init.map_err(|_| PeerError::Candidate)?.candidate;
                if !line.is_empty() {
                    self.peer.add_candidate(&line)?;
                }
            }
            Response::TrackPublished(confirmed) => {
                let is_it = |it: &&mut Published| it.cid == confirmed.cid && it.mid.is_none();
                if let Some(it) = self.published.iter_mut().find(is_it) {
                    it.mid = Some(self.peer.add_sending(&it.cid, it.source.is_video()));
                    self.wants_offer = true;
                    self.offer_if_wanted()?;
                }
            }
            Response::SectionsRequired(required) => {
                let sum = required.num_audios.saturating_add(required.num_videos);
                if sum > SECTIONS_AT_ONCE {
                    return Err(Failure::TooManySections(sum));
                }
                (0..required.num_audios).for_each(|_| self.peer.add_receiving(false));
                (0..required.num_videos).for_each(|_| self.peer.add_receiving(true));
                self.wants_offer = true;
                self.offer_if_wanted()?;
            }
            Response::Leave(LeaveRequest { reason, action }) => {
                return Err(Failure::Left { reason, action });
            }
            Response::StreamState(update) => {
                let paused = update
                    .stream_states
                    .iter()
                    .filter(|it| it.state == 1)
                    .count();
                tally.paused_streams += paused as u64;
            }
            Response::Subscription(refused) => {
                tally.refused_subscriptions += u64::from(refused.err != 0);
            }
            Response::Pong(pong) => {
                self.rtt = ((now_us() / 1_000) as i64 - pong.last_ping_timestamp).max(0);
                tally.signal_rtt.record(self.rtt as u64 * 1_000);
            }
            Response::Update(_) | Response::Request(_) => {}
        }
        Ok(())
    }

    fn on_join(
        &mut self,
        join: &JoinResponse,
        now: Instant,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        self.has_joined = true;
        tally
            .joined
            .record(now.duration_since(self.started).as_micros() as u64);
        if let Some(server) = &join.server_info {
            tally.server_version.clone_from(&server.version);
        }
        if join.ping_interval > 0 {
            self.ping_interval = Duration::from_secs(join.ping_interval as u64);
        }
        self.next_ping = now + self.ping_interval;
        let candidate = serde_json::json!({
            "candidate": self.peer.local_candidate(),
            "sdpMid": crate::sdp::DATA_MID,
            "sdpMLineIndex": 0,
        });
        let trickle = TrickleRequest {
            candidate_init: candidate.to_string(),
            target: 0,
            r#final: false,
        };
        self.signal.send(Request::Trickle(trickle))?;
        let requests: Vec<_> = self.published.iter().map(announce).collect();
        for request in requests {
            self.signal.send(Request::AddTrack(request))?;
        }
        Ok(())
    }

    fn offer_if_wanted(&mut self) -> Result<(), Failure> {
        if self.wants_offer && self.offer_in_flight.is_none() {
            let (id, sdp) = self.peer.offer();
            self.wants_offer = false;
            self.offer_in_flight = Some(id);
            self.signal.send(Request::Offer(description(id, sdp)))?;
        }
        Ok(())
    }

    /// Leave in order: the leave message, DTLS close_notify, the WebSocket's closing handshake.
    /// Errors no longer matter.
    pub fn say_goodbye(&mut self) {
        let leave = LeaveRequest {
            reason: CLIENT_INITIATED,
            action: 0,
        };
        let _ = self.signal.send(Request::Leave(leave));
        let mut datagrams = Vec::new();
        if self.peer.close().is_ok() {
            let _ = self.peer.drain(|event| {
                if let crate::peer::PeerEvent::Datagram(to, bytes) = event {
                    datagrams.push((to, bytes));
                }
            });
        }
        for (to, bytes) in datagrams {
            let _ = self.socket.send(to, &bytes);
        }
        self.signal.close();
    }

    pub fn is_signal_closed(&mut self) -> bool {
        self.signal
            .advance()
            .map_or(true, |progress| progress.is_closed)
    }
}

fn description(id: u32, sdp: String) -> SessionDescription {
    SessionDescription {
        r#type: "offer".into(),
        sdp,
        id,
        ..Default::default()
    }
}

fn announce(published: &Published) -> AddTrackRequest {
    let common = AddTrackRequest {
        cid: published.cid.clone(),
        name: published.cid.clone(),
        disable_red: true,
        ..Default::default()
    };
    match published.source.shape() {
        Shape::Audio { .. } => AddTrackRequest {
            r#type: TrackType::Audio.into(),
            source: TrackSource::Microphone.into(),
            ..common
        },
        Shape::Video {
            bits_per_second,
            width,
            height,
            ..
        } => {
            let (width, height) = (u32::from(width), u32::from(height));
            AddTrackRequest {
                r#type: TrackType::Video.into(),
                source: TrackSource::Camera.into(),
                width,
                height,
                layers: vec![VideoLayer {
                    quality: 2,
                    width,
                    height,
                    bitrate: bits_per_second,
                }],
                ..common
            }
        }
    }
}
