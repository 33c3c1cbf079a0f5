//! One participant: joins, publishes, subscribes, measures, leaves, and perhaps comes again.
//!
//! Driven by `tick`, `on_signal` and `on_datagrams`; every error ends this participant alone and is
//! kept with its reason. It reacts to the server as a browser's client does: sections on demand,
//! a new offer after each, one offer in flight.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::{Registry, Token};
use str0m::rtp::RtpPacket;

use crate::histogram::Histogram;
use crate::payload::{Vp8Facts, vp8_facts};
use crate::peer::{PeerEvent, far_away};
use crate::pictures::Header;
use crate::scenario::{Shared, Spec};
use crate::session::{Failure, Session};
use crate::source::ONLY;
use crate::udp::{DatagramBuffer, now_us};
use crate::watching::{Incoming, Watch};

/// How long joining may take, from the WebSocket to ICE and DTLS.
const JOIN_LIMIT: Duration = Duration::from_secs(15);
/// How long a leaving participant waits for the server to close the WebSocket.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
/// Ask again for a key frame after this time without one.
const KEYFRAME_PATIENCE: Duration = Duration::from_millis(1_000);
/// Reasons kept for the report; all are counted.
const REASONS_KEPT: usize = 8;

/// What a worker counts between two reports.
#[derive(Default)]
pub struct Interval {
    pub packets: u64,
    pub bytes: u64,
    pub latency: Histogram,
}

#[derive(Default)]
pub struct Sent {
    pub total: u64,
    pub in_window: u64,
    /// Its sequence.
    pub first_in_window: Option<u32>,
    pub keyframes: u64,
}

/// Everything one participant found out.
#[derive(Default)]
pub struct Tally {
    pub joins: u64,
    pub leaves: u64,
    pub failures: u64,
    pub reasons: Vec<String>,
    pub websocket: Histogram,
    pub joined: Histogram,
    pub connected: Histogram,
    pub first_media: Histogram,
    pub first_picture: Histogram,
    pub signal_rtt: Histogram,
    pub watch: Watch,
    /// By track and layer.
    pub sent: HashMap<(u32, u8), Sent>,
    pub packets: u64,
    pub keyframe_requests: u64,
    pub keyframes_asked_of_us: u64,
    pub paused_streams: u64,
    pub refused_subscriptions: u64,
    pub overflows: u64,
    pub unsent: u64,
    pub server_version: String,
}

enum Stage {
    Waiting(Instant),
    Joined(Box<Session>),
    Leaving(Box<Session>, Instant),
    Done,
}

pub struct Client {
    pub spec: Spec,
    pub tally: Tally,
    stage: Stage,
    tokens: [Token; 3],
    random: fastrand::Rng,
    sessions: u32,
    keyframes: HashMap<u32, KeyframeWait>,
    next_due: Instant,
    scratch: Vec<PeerEvent>,
}

#[derive(Default)]
struct KeyframeWait {
    is_over: bool,
    asked: Option<Instant>,
}

impl Client {
    /// `tokens`: of two media sockets and the WebSocket.
    pub fn new(spec: Spec, tokens: [Token; 3], seed: u64, now: Instant) -> Self {
        let start = now + spec.starts_after;
        Client {
            spec,
            tally: Tally::default(),
            stage: Stage::Waiting(start),
            tokens,
            random: fastrand::Rng::with_seed(seed),
            sessions: 0,
            keyframes: HashMap::new(),
            next_due: start,
            scratch: Vec::new(),
        }
    }

    pub fn next_due(&self) -> Instant {
        self.next_due
    }

    pub fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    pub fn is_connected(&self) -> bool {
        matches!(&self.stage, Stage::Joined(session) if session.is_connected)
    }

    /// Connected, publishing all it should, and every expected stream has begun, on the layer that
    /// is wanted.
    pub fn is_ready(&self, wanted_layer: u8) -> bool {
        let Stage::Joined(session) = &self.stage else {
            return false;
        };
        session.is_publishing()
            && self.spec.expects.iter().all(|expected| {
                let wanted = if expected.is_layered {
                    wanted_layer
                } else {
                    ONLY
                };
                self.tally.watch.layer(expected.track) == Some(wanted)
            })
    }

    /// Everything that is due at `now`.
    pub fn tick(
        &mut self,
        now: Instant,
        shared: &Shared,
        registry: &Registry,
        interval: &mut Interval,
    ) {
        match &mut self.stage {
            Stage::Waiting(until) if *until <= now => self.start(now, shared, registry),
            Stage::Joined(session) if session.leave_at.is_some_and(|at| at <= now) => {
                self.leave(now);
            }
            Stage::Joined(session) => {
                let result = session.tick(now, shared.window(), &mut self.tally);
                let result = result.and_then(|()| {
                    let is_late = !session.is_connected && now > session.started + JOIN_LIMIT;
                    if is_late {
                        Err(session.stuck())
                    } else {
                        Ok(())
                    }
                });
                self.after(result, now, shared, interval);
            }
            Stage::Leaving(_, until) if *until <= now => self.finish(now),
            _ => {}
        }
        self.schedule(now);
    }

    pub fn on_signal(&mut self, now: Instant, shared: &Shared, interval: &mut Interval) {
        match &mut self.stage {
            Stage::Joined(session) => {
                let result = session.on_signal(now, &mut self.tally);
                self.after(result, now, shared, interval);
            }
            Stage::Leaving(session, _) => {
                let is_closed = session.is_signal_closed();
                if is_closed {
                    self.finish(now);
                }
            }
            _ => {}
        }
        self.schedule(now);
    }

    /// Of one of its media sockets.
    pub fn on_datagrams(
        &mut self,
        at: usize,
        now: Instant,
        buffer: &mut DatagramBuffer,
        shared: &Shared,
        interval: &mut Interval,
    ) {
        while let Stage::Joined(session) = &mut self.stage {
            let Some(link) = session.links.get_mut(at) else {
                break;
            };
            let datagram = match link.socket.receive(buffer) {
                Ok(Some(datagram)) => datagram,
                Ok(None) => break,
                Err(error) => {
                    self.fail(format!("the media socket failed: {error}"), now);
                    break;
                }
            };
            let packet = &buffer[..datagram.length];
            let result = link
                .peer
                .receive(now, datagram.source, packet)
                .map_err(Failure::from);
            let arrived_us = Some(datagram.arrived_us);
            let result = result.and_then(|()| self.drain(at, arrived_us, now, shared, interval));
            if let Err(failure) = result {
                self.fail(failure.to_string(), now);
            }
        }
        self.schedule(now);
    }

    /// Leave for good.
    pub fn stop(&mut self, now: Instant) {
        self.spec.churn = None;
        match self.stage {
            Stage::Waiting(_) => self.stage = Stage::Done,
            Stage::Joined(_) => self.leave(now),
            _ => {}
        }
        self.schedule(now);
    }

    fn start(&mut self, now: Instant, shared: &Shared, registry: &Registry) {
        self.sessions += 1;
        self.keyframes.clear();
        if self.spec.churn.is_some() {
            // What a participant that comes and goes saw last time would grow without bound.
            self.tally.watch = Watch::default();
            self.tally.sent.clear();
        }
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let token = shared.token(&self.spec, epoch);
        match Session::open(
            &self.spec,
            self.sessions,
            &token,
            self.tokens,
            now,
            shared,
            registry,
        ) {
            Ok(mut session) => {
                if let Some(churn) = self.spec.churn {
                    session.leave_at = Some(now + self.vary(churn.stay));
                }
                self.stage = Stage::Joined(Box::new(session));
            }
            Err(failure) => self.fail(failure.to_string(), now),
        }
    }

    fn vary(&mut self, around: Duration) -> Duration {
        around.mul_f64(0.5 + self.random.f64())
    }

    fn after(
        &mut self,
        result: Result<(), Failure>,
        now: Instant,
        shared: &Shared,
        interval: &mut Interval,
    ) {
        let links = match &self.stage {
            Stage::Joined(session) => session.links.len(),
            _ => 0,
        };
        let result = (0..links).fold(result, |result, at| {
            result.and_then(|()| self.drain(at, None, now, shared, interval))
        });
        if let Err(failure) = result {
            self.fail(failure.to_string(), now);
        }
    }

    /// Act upon everything that one peer connection wants.
    fn drain(
        &mut self,
        at: usize,
        arrived_us: Option<u64>,
        now: Instant,
        shared: &Shared,
        interval: &mut Interval,
    ) -> Result<(), Failure> {
        let mut events = std::mem::take(&mut self.scratch);
        let mut result = Ok(());
        if let Stage::Joined(session) = &mut self.stage {
            let link = &mut session.links[at];
            match link.peer.drain(|event| events.push(event)) {
                Ok(due) => link.due = due,
                Err(error) => result = Err(error.into()),
            }
        }
        for event in events.drain(..) {
            if result.is_ok() {
                result = self.act(event, at, arrived_us, now, shared, interval);
            }
        }
        self.scratch = events;
        result
    }

    fn act(
        &mut self,
        event: PeerEvent,
        at: usize,
        arrived_us: Option<u64>,
        now: Instant,
        shared: &Shared,
        interval: &mut Interval,
    ) -> Result<(), Failure> {
        let Stage::Joined(session) = &mut self.stage else {
            return Ok(());
        };
        match event {
            PeerEvent::Datagram(destination, bytes) => {
                session.links[at].socket.send(destination, &bytes)?;
            }
            PeerEvent::Connected => {
                if session.on_connected(at) {
                    let since = now.duration_since(session.started);
                    self.tally.connected.record(since.as_micros() as u64);
                    self.tally.joins += 1;
                }
            }
            PeerEvent::Lost(why) => return Err(Failure::Lost(why)),
            PeerEvent::KeyframeRequested(mid, rid) => {
                self.tally.keyframes_asked_of_us += 1;
                session.request_keyframe(mid, rid);
            }
            PeerEvent::Packet(packet) => {
                let arrived_us = arrived_us.unwrap_or_else(now_us);
                interval.packets += 1;
                interval.bytes += packet.payload.len() as u64;
                self.tally.packets += 1;
                if !session.has_media {
                    session.has_media = true;
                    let since = now.duration_since(session.started);
                    self.tally.first_media.record(since.as_micros() as u64);
                }
                let mut facts = Vp8Facts::default();
                if *packet.header.payload_type == crate::sdp::PT_VP8 {
                    facts = vp8_facts(&packet.payload);
                    self.await_keyframe(&packet, &facts, at, now);
                }
                let incoming = Incoming {
                    ssrc: *packet.header.ssrc,
                    header: Header {
                        sequence: *packet.seq_no,
                        time: packet.header.timestamp,
                        marker: packet.header.marker,
                    },
                    facts,
                    payload: &packet.payload,
                    arrived_us,
                };
                let (window, limit) = (shared.window(), shared.gap_limit_us);
                if let Some(latency) = self.tally.watch.arrive(&incoming, window, limit) {
                    interval.latency.record(latency);
                }
            }
        }
        Ok(())
    }

    /// Ask for a key frame of a stream until the first one comes.
    fn await_keyframe(&mut self, packet: &RtpPacket, facts: &Vp8Facts, at: usize, now: Instant) {
        let Stage::Joined(session) = &mut self.stage else {
            return;
        };
        let wait = self.keyframes.entry(*packet.header.ssrc).or_default();
        if !wait.is_over && facts.starts_keyframe {
            wait.is_over = true;
            if !session.has_picture {
                session.has_picture = true;
                let since = now.duration_since(session.started);
                self.tally.first_picture.record(since.as_micros() as u64);
            }
        }
        let is_patient = wait.asked.is_some_and(|at| now < at + KEYFRAME_PATIENCE);
        if !wait.is_over && !is_patient {
            wait.asked = Some(now);
            self.tally.keyframe_requests += 1;
            session.links[at].peer.request_keyframe(packet.header.ssrc);
        }
    }

    fn leave(&mut self, now: Instant) {
        if let Stage::Joined(mut session) = std::mem::replace(&mut self.stage, Stage::Done) {
            session.say_goodbye();
            self.stage = Stage::Leaving(session, now + LEAVE_LIMIT);
        }
    }

    /// The end of a session that went as it should.
    fn finish(&mut self, now: Instant) {
        self.tally.leaves += 1;
        self.rest(now);
    }

    fn fail(&mut self, reason: String, now: Instant) {
        self.tally.failures += 1;
        if self.tally.reasons.len() < REASONS_KEPT {
            self.tally
                .reasons
                .push(format!("{}: {reason}", self.spec.identity));
        }
        self.rest(now);
    }

    fn rest(&mut self, now: Instant) {
        if let Stage::Joined(session) | Stage::Leaving(session, _) = &self.stage {
            for link in &session.links {
                self.tally.overflows += link.socket.overflows;
                self.tally.unsent += link.socket.unsent;
            }
        }
        self.stage = match self.spec.churn {
            Some(churn) => Stage::Waiting(now + self.vary(churn.away)),
            None => Stage::Done,
        };
    }

    fn schedule(&mut self, now: Instant) {
        self.next_due = match &self.stage {
            Stage::Waiting(until) | Stage::Leaving(_, until) => *until,
            Stage::Joined(session) => session.next_due(),
            Stage::Done => far_away(now),
        };
    }
}
