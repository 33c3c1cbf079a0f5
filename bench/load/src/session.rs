//! One stay of a participant in a room: its signalling, its peer connections and what it publishes.

use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};
use serde::Deserialize;
use str0m::media::{Mid, Rid};

use crate::client::Tally;
use crate::link::Link;
use crate::meter::Window;
use crate::peer::{PeerError, Side, far_away};
use crate::proto::{
    CLIENT_INITIATED, ClientInfo, ConnectionSettings, JoinRequest, JoinResponse, LeaveRequest,
    MediaSectionsRequirement, PUBLISHER, ParticipantInfo, Ping, Request, Response, SUBSCRIBER,
    SessionDescription, TrickleRequest,
};
use crate::publishing::Published;
use crate::scenario::{Shared, Spec};
use crate::signal::{Entry, Signal, SignalError};
use crate::subscribing::Wishes;
use crate::udp::now_us;

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

pub struct Session {
    signal: Signal,
    /// The one on which we offer; with two connections also the one on which the server does.
    pub links: Vec<Link>,
    pub started: Instant,
    pub is_connected: bool,
    pub has_media: bool,
    pub has_picture: bool,
    pub leave_at: Option<Instant>,
    needs: [bool; 2],
    is_dynacast: bool,
    has_joined: bool,
    has_answer: bool,
    published: Vec<Published>,
    wishes: Wishes,
    offer_in_flight: Option<u32>,
    wants_offer: bool,
    ping_interval: Duration,
    next_ping: Instant,
    rtt: i64,
}

/// The link on which we offer and publish.
const SENDING: usize = 0;

#[derive(Deserialize)]
struct CandidateInit {
    candidate: String,
}

impl Session {
    /// `tokens`: of the links and of the signalling connection.
    pub fn open(
        spec: &Spec,
        number: u32,
        token: &str,
        tokens: [Token; 3],
        now: Instant,
        shared: &Shared,
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let [sending_token, receiving_token, signal_token] = tokens;
        let seed = shared.seed ^ u64::from(number) << 40;
        let mut sending = Link::open(Side::Offering, shared, registry, sending_token, now)?;
        let mut links = Vec::new();
        let mut join = join_request(spec);
        let mut offer_in_flight = None;
        if !shared.is_dual {
            let (audio, video) = if spec.subscribes {
                shared.first_sections
            } else {
                (0, 0)
            };
            (0..audio).for_each(|_| sending.peer.add_receiving(false));
            (0..video).for_each(|_| sending.peer.add_receiving(true));
            let (id, sdp) = sending.peer.offer();
            join.publisher_offer = Some(description("offer", id, sdp));
            offer_in_flight = Some(id);
        }
        links.push(sending);
        if shared.is_dual {
            let side = Side::Answering;
            links.push(Link::open(side, shared, registry, receiving_token, now)?);
        }
        let entry = if shared.is_dual {
            Entry::Dual(&join)
        } else {
            let gzip = shared.gzip;
            Entry::Single { join: &join, gzip }
        };
        let signal = Signal::connect(&shared.endpoint, token, &entry, registry, signal_token)?;
        let tracks = spec.tracks.iter();
        let mut random = fastrand::Rng::with_seed(seed ^ u64::from(sending_token.0 as u32));
        let wishes = Wishes::new(
            &spec.identity,
            shared.wanted_layer,
            shared.switch_every.filter(|_| spec.subscribes),
            random.f64(),
        );
        Ok(Session {
            signal,
            links,
            started: now,
            is_connected: false,
            has_media: false,
            has_picture: false,
            leave_at: None,
            // With two connections, clients open the first one when they publish.
            needs: [
                !shared.is_dual || !spec.tracks.is_empty(),
                shared.is_dual && spec.subscribes,
            ],
            is_dynacast: shared.is_dynacast,
            has_joined: false,
            has_answer: false,
            published: tracks
                .map(|track| Published::new(track, &spec.identity, number, seed, now))
                .collect(),
            wishes,
            offer_in_flight,
            wants_offer: false,
            ping_interval: Duration::from_secs(5),
            next_ping: far_away(now),
            rtt: 0,
        })
    }

    /// Which step is missing.
    pub fn stuck(&self) -> Failure {
        let has_answer = self.has_answer || !self.needs[SENDING];
        let has_offer = self.links.last().is_some_and(|it| it.peer.is_started());
        Failure::Stuck(match (self.has_joined, has_answer, has_offer) {
            (false, ..) => "no join message came",
            (true, false, _) => "no answer came",
            (true, true, false) => "no offer came",
            (true, true, true) => "ICE or DTLS did not connect",
        })
    }

    /// Every connection that is needed is up; `true` the first time.
    pub fn on_connected(&mut self, link: usize) -> bool {
        self.links[link].is_connected = true;
        let mut links = self.links.iter().zip(self.needs);
        let is_up = links.all(|(link, is_needed)| link.is_connected || !is_needed);
        let is_first = is_up && !self.is_connected;
        self.is_connected |= is_up;
        is_first
    }

    /// Connected, and every track of its own is negotiated.
    pub fn is_publishing(&self) -> bool {
        let peer = &self.links[SENDING].peer;
        self.is_connected && self.published.iter().all(|it| it.can_send(peer))
    }

    pub fn next_due(&self) -> Instant {
        let own = self
            .links
            .iter()
            .map(|link| link.due)
            .chain(self.leave_at)
            .chain(self.wishes.next_due());
        let due = own.fold(self.next_ping, Instant::min);
        if !self.is_connected {
            return due.min(self.started + Duration::from_secs(15) + Duration::from_millis(1));
        }
        let peer = &self.links[SENDING].peer;
        let sending = self.published.iter().filter(|it| it.can_send(peer));
        sending.fold(due, |due, it| it.next_due(due))
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
            for link in &mut self.links {
                link.peer.report_bandwidth(BANDWIDTH);
            }
        }
        if let Some((settings, tracks)) = self.wishes.change(now, now_us(), window) {
            let layer = settings.quality as u8;
            self.signal.send(Request::TrackSetting(settings))?;
            let asked_us = now_us();
            for track in tracks {
                tally.watch.ask(track, layer, asked_us);
            }
        }
        if self.is_connected {
            let peer = &mut self.links[SENDING].peer;
            for published in &mut self.published {
                published.send(peer, now, window, tally);
            }
        }
        self.advance(now)
    }

    fn advance(&mut self, now: Instant) -> Result<(), Failure> {
        for link in &mut self.links {
            link.peer.advance(now)?;
        }
        Ok(())
    }

    pub fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>) {
        for published in &mut self.published {
            published.request_keyframe(mid, rid);
        }
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
        self.advance(now)
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
                    self.links[SENDING].peer.accept(&answer.sdp)?;
                    self.offer_if_wanted()?;
                }
            }
            Response::Offer(offer) => self.on_offer(&offer)?,
            Response::Trickle(trickle) => self.on_trickle(&trickle)?,
            Response::TrackPublished(confirmed) => {
                let peer = &mut self.links[SENDING].peer;
                let mut published = self.published.iter_mut();
                if published.any(|it| it.confirm(&confirmed, peer)) {
                    self.wants_offer = true;
                    self.offer_if_wanted()?;
                }
            }
            Response::SectionsRequired(required) => self.on_sections_required(&required)?,
            Response::SubscribedQuality(update) if self.is_dynacast => {
                for published in &mut self.published {
                    published.on_quality_update(&update);
                }
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
            Response::Update(update) => self.learn(&update.participants)?,
            Response::SubscribedQuality(_) | Response::Request(_) => {}
        }
        Ok(())
    }

    fn on_offer(&mut self, offer: &SessionDescription) -> Result<(), Failure> {
        let Some(receiving) = self.links.get_mut(SENDING + 1) else {
            return Err(Failure::UnexpectedOffer);
        };
        let is_first = !receiving.peer.is_started();
        let sdp = receiving.peer.answer(&offer.sdp)?;
        let candidate = receiving.peer.local_candidate();
        let answer = description("answer", offer.id, sdp);
        self.signal.send(Request::Answer(answer))?;
        if is_first {
            self.trickle(&candidate, SUBSCRIBER)?;
        }
        Ok(())
    }

    fn on_trickle(&mut self, trickle: &TrickleRequest) -> Result<(), Failure> {
        if trickle.candidate_init.is_empty() && trickle.r#final {
            return Ok(());
        }
        let init = serde_json::from_str::<CandidateInit>(&trickle.candidate_init);
        let line = init.map_err(|_| PeerError::Candidate)?.candidate;
        let at = usize::from(trickle.target == SUBSCRIBER);
        if let Some(link) = self.links.get_mut(at).filter(|_| !line.is_empty()) {
            link.peer.add_candidate(&line)?;
        }
        Ok(())
    }

    fn on_sections_required(&mut self, required: &MediaSectionsRequirement) -> Result<(), Failure> {
        let (audio, video) = (required.num_audios, required.num_videos);
        let sum = audio.saturating_add(video);
        if sum > SECTIONS_AT_ONCE {
            return Err(Failure::TooManySections(sum));
        }
        let peer = &mut self.links[SENDING].peer;
        (0..audio).for_each(|_| peer.add_receiving(false));
        (0..video).for_each(|_| peer.add_receiving(true));
        self.wants_offer = true;
        self.offer_if_wanted()
    }

    fn learn(&mut self, participants: &[ParticipantInfo]) -> Result<(), Failure> {
        if let Some(settings) = self.wishes.learn(participants) {
            self.signal.send(Request::TrackSetting(settings))?;
        }
        Ok(())
    }

    fn trickle(&mut self, candidate: &str, target: i32) -> Result<(), Failure> {
        let candidate = serde_json::json!({
            "candidate": candidate,
            "sdpMid": crate::sdp::DATA_MID,
            "sdpMLineIndex": 0,
        });
        let trickle = TrickleRequest {
            candidate_init: candidate.to_string(),
            target,
            r#final: false,
        };
        Ok(self.signal.send(Request::Trickle(trickle))?)
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
        if self.offer_in_flight.is_some() {
            let candidate = self.links[SENDING].peer.local_candidate();
            self.trickle(&candidate, PUBLISHER)?;
        }
        let requests: Vec<_> = self.published.iter().map(Published::announce).collect();
        for request in requests {
            self.signal.send(Request::AddTrack(request))?;
        }
        self.learn(&join.other_participants)
    }

    fn offer_if_wanted(&mut self) -> Result<(), Failure> {
        if !self.wants_offer || self.offer_in_flight.is_some() {
            return Ok(());
        }
        let (id, sdp) = self.links[SENDING].peer.offer();
        self.wants_offer = false;
        self.offer_in_flight = Some(id);
        let offer = description("offer", id, sdp);
        self.signal.send(Request::Offer(offer))?;
        if id == 1 {
            let candidate = self.links[SENDING].peer.local_candidate();
            self.trickle(&candidate, PUBLISHER)?;
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
        self.links.iter_mut().for_each(Link::close);
        self.signal.close();
    }

    pub fn is_signal_closed(&mut self) -> bool {
        self.signal
            .advance()
            .map_or(true, |progress| progress.is_closed)
    }
}

fn join_request(spec: &Spec) -> JoinRequest {
    JoinRequest {
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
        publisher_offer: None,
    }
}

fn description(kind: &str, id: u32, sdp: String) -> SessionDescription {
    SessionDescription {
        r#type: kind.into(),
        sdp,
        id,
        ..Default::default()
    }
}
