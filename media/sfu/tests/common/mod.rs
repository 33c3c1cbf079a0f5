//! A room in a box: a shard, clients built on str0m, and a network with loss, delay and
//! reordering between them, under a virtual clock.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod client;
pub mod dual;
pub mod received;
pub mod sending;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use client::Client;
use conclave_sfu::{
    Candidate, Command, Event, ExpectedTrack, Grant, Kind, ParticipantId, Shard, ShardConfig,
    Stream, TrackId,
};
pub use received::Received;

pub const SERVER: &str = "198.51.100.1:7882";

/// A datagram under way, ordered by arrival.
struct Flight {
    at: Instant,
    number: u64,
    to_server: bool,
    source: SocketAddr,
    destination: SocketAddr,
    payload: Vec<u8>,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl Eq for Flight {}
impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// xorshift: the same run every time.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        (self.next() % 1_000_000) as f64 / 1e6 < probability
    }
}

pub struct World {
    pub shard: Shard,
    pub now: Instant,
    pub start: Instant,
    pub clients: Vec<Client>,
    pub events: Vec<Event>,
    /// Loss of media and control in either direction, once everybody is connected.
    pub loss: f64,
    /// Loss of media on the way from one client to the server.
    pub uplink_loss: Option<(usize, f64)>,
    pub delay: Duration,
    pub jitter: Duration,
    /// The last datagrams to the server, as they were.
    pub captured: Vec<(SocketAddr, Vec<u8>)>,
    /// Nothing from or to this client index passes.
    pub cut: Vec<usize>,
    random: Random,
    flights: BinaryHeap<Reverse<Flight>>,
    flown: u64,
    /// The control plane of the tests answers `SectionsNeeded` by itself.
    pub auto_negotiate: bool,
}

impl World {
    pub fn new() -> Self {
        let now = Instant::now();
        let local: SocketAddr = SERVER.parse().unwrap();
        let config = ShardConfig {
            candidates: vec![Candidate {
                local,
                advertised: local,
            }],
        };
        World {
            shard: Shard::new(config, now),
            now,
            start: now,
            clients: Vec::new(),
            events: Vec::new(),
            loss: 0.0,
            uplink_loss: None,
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            captured: Vec::new(),
            cut: Vec::new(),
            random: Random::new(42),
            flights: BinaryHeap::new(),
            flown: 0,
            auto_negotiate: true,
        }
    }

    /// Open a participant in room `room` and let it offer three audio and three video sections.
    pub fn join(&mut self, room: &str, name: &str) -> usize {
        let index = self.open(room, name, everything());
        self.offer(index);
        index
    }

    pub fn open(&mut self, room: &str, name: &str, grant: Grant) -> usize {
        let id: ParticipantId = format!("PA_{name}").into();
        self.command(Command::Open {
            room: room.into(),
            participant: id.clone(),
            identity: name.into(),
            grant,
            is_dual: false,
        });
        let address: SocketAddr = format!("203.0.113.{}:5000", self.clients.len() + 1)
            .parse()
            .unwrap();
        self.clients.push(Client::new(self.now, id, address));
        self.clients.len() - 1
    }

    /// Send the client's current offer; its answer is applied when it comes.
    pub fn offer(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if let Some((offer_id, sdp)) = client.make_offer() {
            let participant = client.id.clone();
            self.command(Command::Offer {
                participant,
                offer_id,
                sdp,
            });
        }
    }

    pub fn command(&mut self, command: Command) {
        self.shard.command(self.now, command);
        self.settle();
    }

    /// Announce and start a track; `cid` = name of the track.
    pub fn publish(&mut self, index: usize, name: &str, kind: Kind) -> TrackId {
        let track = self.announce(index, name, kind);
        self.clients[index].add_sender(name, kind);
        self.offer(index);
        track
    }

    pub fn publish_simulcast(&mut self, index: usize, name: &str) -> TrackId {
        let track = self.announce(index, name, Kind::Video);
        self.clients[index].add_simulcast(name);
        self.offer(index);
        track
    }

    pub fn limit(&mut self, index: usize, track: &TrackId, spatial: u8, temporal: u8) {
        self.command(Command::Limit {
            participant: self.clients[index].id.clone(),
            track: track.clone(),
            spatial,
            temporal,
        });
    }

    pub fn announce(&mut self, index: usize, name: &str, kind: Kind) -> TrackId {
        self.announce_as(index, name, kind, None)
    }

    /// As `announce`; `shown_as`: it is that track in another codec.
    pub fn announce_as(
        &mut self,
        index: usize,
        name: &str,
        kind: Kind,
        shown_as: Option<TrackId>,
    ) -> TrackId {
        let track: TrackId = format!("TR_{name}").into();
        let expected = ExpectedTrack {
            track: track.clone(),
            cid: name.into(),
            kind,
            stream: if name.contains("screen") {
                Stream::Screen
            } else {
                Stream::Camera
            },
            muted: false,
            stereo: false,
            dtx: true,
            codec: None,
            shown_as,
        };
        let participant = self.clients[index].id.clone();
        self.command(Command::AddTrack {
            participant,
            track: expected,
        });
        track
    }

    pub fn subscribe(&mut self, index: usize, track: &TrackId) {
        let participant = self.clients[index].id.clone();
        self.command(Command::Subscribe {
            participant,
            track: track.clone(),
        });
    }

    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
        self.settle();
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    /// Go to the next thing that happens before `end`.
    fn step(&mut self, end: Instant) -> bool {
        let flight = self.flights.peek().map(|Reverse(f)| f.at);
        let clients = self.clients.iter().map(Client::next_timeout).min();
        let next = [flight, clients, self.shard.next_timeout()]
            .into_iter()
            .flatten()
            .min();
        let Some(next) = next.filter(|at| *at <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        while let Some(Reverse(flight)) = self.flights.peek() {
            if flight.at > self.now {
                break;
            }
            let Some(Reverse(flight)) = self.flights.pop() else {
                break;
            };
            if flight.to_server {
                self.shard
                    .receive(self.now, flight.source, flight.destination, &flight.payload);
            } else if let Some(client) = self
                .clients
                .iter_mut()
                .find(|c| c.address == flight.destination)
            {
                client.receive(self.now, flight.source, &flight.payload);
            }
        }
        for client in &mut self.clients {
            client.advance(self.now);
        }
        self.settle();
        true
    }

    /// Let the shard act, move its datagrams onto the wire, answer its events.
    pub fn settle(&mut self) {
        for _ in 0..8 {
            self.shard.advance(self.now);
            let sent: Vec<_> = self.shard.transmits().collect();
            for transmit in sent {
                assert_eq!(transmit.source, SERVER.parse().unwrap());
                self.fly(
                    false,
                    transmit.source,
                    transmit.destination,
                    transmit.payload,
                );
            }
            for index in 0..self.clients.len() {
                let source = self.clients[index].address;
                for (destination, payload) in self.clients[index].take_out() {
                    self.fly(true, source, destination, payload);
                }
            }
            let events: Vec<_> = self.shard.events().collect();
            if events.is_empty() {
                return;
            }
            for event in events {
                self.on_event(&event);
                self.events.push(event);
            }
        }
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Answer {
                participant,
                offer_id,
                sdp,
                mid_to_track,
            } => {
                let Some(index) = self.client(participant) else {
                    return;
                };
                self.clients[index].accept_answer(self.now, *offer_id, sdp, mid_to_track);
                if self.clients[index].wants_offer {
                    self.offer(index);
                }
            }
            Event::Offer {
                participant,
                offer_id,
                sdp,
                mid_to_track,
            } => self.on_server_offer(participant, *offer_id, sdp, mid_to_track),
            Event::SectionsNeeded {
                participant,
                audio,
                video,
            } if self.auto_negotiate => {
                let Some(index) = self.client(participant) else {
                    return;
                };
                self.clients[index].add_receivers(*audio, *video);
                self.offer(index);
            }
            _ => {}
        }
    }

    pub fn client(&self, id: &ParticipantId) -> Option<usize> {
        self.clients.iter().position(|c| c.id == *id)
    }

    fn fly(
        &mut self,
        to_server: bool,
        source: SocketAddr,
        destination: SocketAddr,
        payload: Vec<u8>,
    ) {
        let client = if to_server { source } else { destination };
        if self
            .clients
            .iter()
            .position(|c| c.address == client)
            .is_some_and(|c| self.cut.contains(&c))
        {
            return;
        }
        if to_server && self.captured.len() < 2000 {
            self.captured.push((source, payload.clone()));
        }
        // DTLS is repeated after a second or more; losing it says nothing about media.
        let is_media = matches!(payload.first(), Some(128..=191));
        let of_client = self
            .uplink_loss
            .filter(|(index, _)| to_server && self.clients[*index].address == client)
            .map_or(0.0, |(_, loss)| loss);
        if is_media && self.random.chance(self.loss.max(of_client)) {
            return;
        }
        let jitter = self.jitter.as_micros() as u64;
        let extra = if jitter == 0 {
            0
        } else {
            self.random.next() % jitter
        };
        self.flown += 1;
        let at = self.now + self.delay + Duration::from_micros(extra);
        let number = self.flown;
        self.flights.push(Reverse(Flight {
            at,
            number,
            to_server,
            source,
            destination,
            payload,
        }));
    }

    pub fn count(&self, matches: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|e| matches(e)).count()
    }

    pub fn received(&self, index: usize, track: &TrackId) -> &Received {
        self.clients[index]
            .received
            .get(track)
            .unwrap_or_else(|| panic!("{index} got nothing of {track}"))
    }
}

pub fn everything() -> Grant {
    Grant {
        can_publish: true,
        can_subscribe: true,
        can_publish_data: true,
    }
}
