//! The running engine with real clients over loopback sockets.

mod support;

use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

use conclave_engine::{
    Command, CommandError, Config, Engine, Event, ExpectedTrack, Grant, Kind, StartError, Stream,
    TransportState,
};
use str0m::media::MediaKind;
use support::{Clients, Section, vp8};

const LIMIT: Duration = Duration::from_secs(10);

struct Room {
    engine: Engine,
    clients: Clients,
    /// Participant of each client.
    names: Vec<String>,
    seen: Vec<Event>,
    bind: &'static str,
}

impl Room {
    fn new(shards: usize, address: &str, bind: &'static str) -> Self {
        Room {
            engine: engine(shards, address, 1024),
            clients: Clients::new(),
            names: Vec::new(),
            seen: Vec::new(),
            bind,
        }
    }

    fn join(&mut self, room: &str, participant: &str) -> usize {
        self.send(open(room, participant));
        self.names.push(participant.to_owned());
        self.clients.add(self.bind)
    }

    fn send(&self, command: Command) {
        self.engine.send(command).unwrap();
    }

    /// Offer, take the answer, and say what the answer bound.
    fn negotiate(&mut self, client: usize, sections: &[Section<'_>]) -> Vec<(String, String)> {
        let sdp = self.clients.list[client].offer(sections);
        let participant = self.names[client].clone();
        self.send(Command::Offer {
            participant: participant.as_str().into(),
            offer_id: 1,
            sdp,
        });
        let mut bound = Vec::new();
        let mut answer = String::new();
        self.wait("an answer", |room| {
            let position = room.seen.iter().position(|event| match event {
                Event::Answer { participant: p, .. } => **p == *participant,
                Event::OfferRejected { reason, .. } => panic!("offer rejected: {reason}"),
                _ => false,
            });
            let Some(position) = position else {
                return false;
            };
            if let Event::Answer {
                sdp, mid_to_track, ..
            } = room.seen.remove(position)
            {
                answer = sdp;
                bound = mid_to_track
                    .into_iter()
                    .map(|(mid, track)| (mid, track.to_string()))
                    .collect();
            }
            true
        });
        self.clients.list[client].answer(&answer);
        bound
    }

    fn connect(&mut self, client: usize) {
        self.wait("a connection", |room| {
            room.clients.list[client].is_connected
        });
    }

    fn publish_video(&mut self, client: usize, track: &str) {
        self.send(Command::AddTrack {
            participant: self.names[client].as_str().into(),
            track: ExpectedTrack {
                track: track.into(),
                cid: format!("cid-{track}"),
                kind: Kind::Video,
                stream: Stream::Camera,
                muted: false,
                stereo: false,
                dtx: false,
                codec: None,
                shown_as: None,
            },
        });
        self.negotiate(
            client,
            &[
                Section::Data,
                Section::Send(MediaKind::Video, &format!("cid-{track}")),
            ],
        );
    }

    /// One frame of `packets` packets from a client's track.
    fn frame(&mut self, client: usize, track: &str, number: u32, packets: usize) {
        let client = &mut self.clients.list[client];
        for index in 0..packets {
            let payload = vp8(1000, index == 0, number.is_multiple_of(30), number as u16);
            client.write(
                &format!("cid-{track}"),
                number * 3000,
                index + 1 == packets,
                payload,
            );
        }
        client.flush(Instant::now());
    }

    fn turn(&mut self) {
        self.clients.turn(Duration::from_millis(5));
        let drained = self.engine.drain(1000);
        assert_eq!(drained.lost, 0);
        self.seen.extend(drained.events);
    }

    fn wait(&mut self, what: &str, mut holds: impl FnMut(&mut Room) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds(self) {
            assert!(Instant::now() < deadline, "no {what}: {:?}", self.seen);
            self.turn();
        }
    }

    fn forwards(&mut self, from: usize, track: &str, to: usize) {
        let before = self.clients.list[to].packets;
        let mut number = 0;
        self.wait("forwarded media", |room| {
            room.frame(from, track, number, 3);
            number += 1;
            room.clients.list[to].packets >= before + 30
        });
    }
}

fn engine(shards: usize, address: &str, event_limit: usize) -> Engine {
    Engine::start(&Config {
        shards,
        udp_port: 0,
        addresses: vec![address.parse().unwrap()],
        public_ip: None,
        event_limit,
    })
    .unwrap()
}

fn open(room: &str, participant: &str) -> Command {
    Command::Open {
        room: room.into(),
        participant: participant.into(),
        identity: participant.to_lowercase(),
        grant: Grant {
            can_publish: true,
            can_subscribe: true,
            can_publish_data: true,
        },
        is_dual: false,
    }
}

fn subscribe(participant: &str, track: &str) -> Command {
    Command::Subscribe {
        participant: participant.into(),
        track: track.into(),
    }
}

fn two_in_a_room(
    room: &mut Room,
    name: &str,
    first: &str,
    second: &str,
    track: &str,
) -> (usize, usize) {
    let alice = room.join(name, first);
    let bob = room.join(name, second);
    room.publish_video(alice, track);
    room.connect(alice);
    room.send(subscribe(second, track));
    let bound = room.negotiate(bob, &[Section::Data, Section::Receive(MediaKind::Video)]);
    assert!(bound.iter().any(|(_, bound)| bound == track), "{bound:?}");
    room.connect(bob);
    (alice, bob)
}

#[test]
fn media_flows_over_ipv4_and_ipv6() {
    for (address, bind) in [("127.0.0.1", "127.0.0.1:0"), ("::1", "[::1]:0")] {
        if UdpSocket::bind(bind).is_err() {
            assert_eq!(address, "::1", "IPv4 loopback is always there");
            continue;
        }
        let mut room = Room::new(1, address, bind);
        let (alice, bob) = two_in_a_room(&mut room, "r", "PA_a", "PA_b", "TR_v");
        room.forwards(alice, "TR_v", bob);
        let sent = room.engine.local_addresses()[0][0];
        assert_eq!(sent.ip(), address.parse::<IpAddr>().unwrap());
        room.wait("figures", |room| {
            let stats = room.engine.stats();
            stats.shards[0].core.packets_out >= 30 && stats.shards[0].cpu > Duration::ZERO
        });
        assert!(room.seen.iter().any(|event| matches!(
            event,
            Event::TrackActive {
                mime: "video/VP8",
                ..
            }
        )));
    }
}

#[test]
fn rooms_run_on_their_own_shards_and_ports() {
    let mut room = Room::new(2, "127.0.0.1", "127.0.0.1:0");
    let (a, b) = two_in_a_room(&mut room, "first", "PA_a", "PA_b", "TR_1");
    let (c, d) = two_in_a_room(&mut room, "second", "PA_c", "PA_d", "TR_2");
    room.forwards(a, "TR_1", b);
    room.forwards(c, "TR_2", d);
    room.wait("figures of both shards", |room| {
        let stats = room.engine.stats();
        stats.shards.iter().all(|shard| {
            shard.core.participants == 2 && shard.core.rooms == 1 && shard.core.packets_out >= 30
        })
    });
    let ports = room.engine.local_addresses();
    assert_ne!(ports[0][0], ports[1][0]);
    room.send(Command::CloseRoom {
        room: "first".into(),
    });
    room.wait("goodbye", |room| room.clients.list[b].is_closed);
    room.forwards(c, "TR_2", d);
    assert_eq!(room.engine.stats().participants, 2);
}

#[test]
fn shutdown_says_goodbye_and_closes_the_ports() {
    let mut room = Room::new(1, "127.0.0.1", "127.0.0.1:0");
    let (alice, bob) = two_in_a_room(&mut room, "r", "PA_a", "PA_b", "TR_v");
    room.forwards(alice, "TR_v", bob);
    let port = room.engine.local_addresses()[0][0];
    let started = Instant::now();
    room.engine.shutdown();
    assert!(started.elapsed() < Duration::from_millis(1100));
    room.wait("goodbye", |room| {
        room.clients.list.iter().all(|client| client.is_closed)
    });
    UdpSocket::bind(port).expect("the port is free again");
    room.engine.shutdown();
    assert_eq!(
        room.engine.send(subscribe("PA_b", "TR_v")),
        Err(CommandError::Closed)
    );
}

#[test]
fn a_panic_of_one_participant_is_reported_and_the_rest_goes_on() {
    let mut room = Room::new(1, "127.0.0.1", "127.0.0.1:0");
    let (alice, bob) = two_in_a_room(&mut room, "r", "PA_a", "PA_b", "TR_v");
    let (carol, dave) = two_in_a_room(&mut room, "other", "PA_c", "PA_d", "TR_w");
    room.forwards(alice, "TR_v", bob);
    room.send(Command::InjectFault {
        participant: "PA_a".into(),
    });
    room.wait("the report", |room| {
        room.frame(alice, "TR_v", 1, 1);
        room.seen.iter().any(|event| {
            matches!(event, Event::ParticipantFailed { participant, .. } if &**participant == "PA_a")
        })
    });
    assert_eq!(room.engine.stats().participants, 3);
    room.forwards(carol, "TR_w", dave);
    room.send(Command::Close {
        participant: "PA_a".into(),
    });
}

#[test]
fn reliable_sequences_are_kept_for_resume_and_forgotten_at_the_end() {
    let mut room = Room::new(1, "127.0.0.1", "127.0.0.1:0");
    let alice = room.join("r", "PA_a");
    room.negotiate(alice, &[Section::Data]);
    room.connect(alice);
    assert_eq!(room.engine.last_reliable_sequence("PA_a"), 0);
    // DataPacket { user { payload: "x" }, sequence: 41 } (livekit_models.proto: 2, 16).
    let packet = [0x12, 0x03, 0x12, 0x01, b'x', 0x80, 0x01, 41];
    room.wait("an open channel", |room| {
        room.clients.list[alice].send("_reliable", &packet)
    });
    room.wait("the sequence", |room| {
        room.engine.last_reliable_sequence("PA_a") == 41
    });
    assert!(
        !room
            .seen
            .iter()
            .any(|event| matches!(event, Event::ReliableSequence { .. }))
    );
    room.send(Command::Close {
        participant: "PA_a".into(),
    });
    assert_eq!(room.engine.last_reliable_sequence("PA_a"), 0);
    room.wait("goodbye", |room| room.clients.list[alice].is_closed);
}

#[test]
fn the_transport_is_told_about() {
    let mut room = Room::new(1, "127.0.0.1", "127.0.0.1:0");
    let alice = room.join("r", "PA_a");
    room.negotiate(alice, &[Section::Data]);
    room.connect(alice);
    room.wait("the event", |room| {
        room.seen.iter().any(|event| {
            let state = TransportState::Connected;
            matches!(event, Event::Transport { state: s, .. } if *s == state)
        })
    });
}

#[test]
fn a_taken_port_is_named_and_nothing_stays_behind() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = Config {
        shards: 1,
        udp_port: port,
        addresses: vec!["127.0.0.1".parse().unwrap()],
        public_ip: None,
        event_limit: 16,
    };
    let Err(error) = Engine::start(&config) else {
        panic!("the port was taken");
    };
    assert!(matches!(error, StartError::Bind { .. }));
    let text = error.to_string();
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    drop(taken);
    drop(Engine::start(&config).unwrap());
    Engine::start(&config).unwrap().shutdown();
}

#[test]
fn events_beyond_the_limit_are_counted_and_commands_go_on() {
    let engine = engine(1, "127.0.0.1", 8);
    engine.send(open("r", "PA_a")).unwrap();
    for offer_id in 0..100 {
        engine
            .send(Command::Offer {
                participant: "PA_a".into(),
                offer_id,
                sdp: "nonsense".to_owned(),
            })
            .unwrap();
    }
    let deadline = Instant::now() + LIMIT;
    while engine.stats().events_lost < 92 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    let drained = engine.drain(1000);
    assert_eq!((drained.events.len(), drained.lost), (8, 92));
    assert_eq!(engine.drain(1000).lost, 0);
}

#[test]
fn commands_beyond_the_limit_are_refused_at_once() {
    let engine = engine(1, "127.0.0.1", 8);
    engine.send(open("r", "PA_a")).unwrap();
    let deadline = Instant::now() + LIMIT;
    let mut refused = 0;
    while refused == 0 {
        assert!(Instant::now() < deadline, "never refused");
        let started = Instant::now();
        let sent = engine.send(Command::Offer {
            participant: "PA_a".into(),
            offer_id: 1,
            sdp: "v=0\r\n".repeat(50_000),
        });
        assert!(started.elapsed() < Duration::from_secs(1));
        refused += u32::from(sent == Err(CommandError::Full));
    }
    assert!(engine.stats().commands_refused > 0);
    // Whoever leaves is let go all the same.
    engine
        .send(Command::Close {
            participant: "PA_a".into(),
        })
        .unwrap();
    let deadline = Instant::now() + LIMIT;
    while engine.stats().shards[0].command_queue > 0 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    engine.send(open("r", "PA_b")).unwrap();
}

#[test]
fn a_flood_of_garbage_stops_nobody() {
    let mut room = Room::new(1, "127.0.0.1", "127.0.0.1:0");
    let (alice, bob) = two_in_a_room(&mut room, "r", "PA_a", "PA_b", "TR_v");
    room.forwards(alice, "TR_v", bob);
    let target = room.engine.local_addresses()[0][0];
    let flood = std::thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let started = Instant::now();
        let mut datagram = [0u8; 1200];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        while started.elapsed() < Duration::from_secs(2) {
            for byte in &mut datagram[..40] {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte = state as u8;
            }
            let length = (state % 1200) as usize;
            let _ = socket.send_to(&datagram[..length], target);
        }
    });
    let before = room.clients.list[bob].packets;
    let mut number = 1;
    while !flood.is_finished() {
        room.frame(alice, "TR_v", number, 2);
        number += 1;
        room.turn();
    }
    flood.join().unwrap();
    assert!(room.clients.list[bob].packets > before + 50, "starved");
    room.forwards(alice, "TR_v", bob);
    room.wait("the count", |room| {
        let core = &room.engine.stats().shards[0].core;
        core.datagrams_dropped.values().sum::<u64>() > 1000 && core.panics == 0
    });
    assert!(room.clients.list.iter().all(|client| !client.is_closed));
}
