//! Measures the processor time that a shard thread takes to forward a video packet: one publisher,
//! N subscribers, real sockets on loopback, clients in a process of their own.
//!
//! `cargo run --release -p conclave-engine --example forwarding -- [subscribers] [seconds]
//! [bits per second] [packets sent at once] [rooms]`; prints one JSON line.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command as Program, Stdio};
use std::time::{Duration, Instant};

use conclave_engine::{
    Command, Config, Engine, Event, ExpectedTrack, Grant, Kind, ShardStats, Stream,
};
use str0m::media::MediaKind;
use support::{Client, Clients, Section, vp8};

const FRAMES_PER_SECOND: u32 = 30;
const PACKET: usize = 1100;
/// Between the parts of a frame, as a browser's pacer does it.
const PACING: Duration = Duration::from_millis(5);

#[derive(Clone, Copy)]
struct Plan {
    subscribers: usize,
    seconds: u64,
    bitrate: usize,
    burst: usize,
    rooms: usize,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_child = arguments.first().is_some_and(|first| first == "clients");
    if is_child {
        arguments.remove(0);
    }
    let number = |index: usize, default: usize| match arguments.get(index) {
        Some(text) => text.parse().expect("a number"),
        None => default,
    };
    let plan = Plan {
        subscribers: number(0, 20),
        seconds: number(1, 10) as u64,
        bitrate: number(2, 2_000_000),
        burst: number(3, 4),
        rooms: number(4, 1),
    };
    if is_child {
        clients(plan);
    } else {
        server(plan);
    }
}

fn server(plan: Plan) {
    let engine = Engine::start(&Config {
        shards: 1,
        udp_port: 0,
        addresses: vec![[127, 0, 0, 1].into()],
        public_ip: None,
        event_limit: 65_536,
    })
    .expect("the engine");
    let mut child = spawn_clients();
    let mut input = child.stdin.take().expect("a pipe");
    let (sender, lines) = std::sync::mpsc::channel();
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut start: Option<(ShardStats, Instant)> = None;
    let deadline = Instant::now() + Duration::from_secs(plan.seconds + 60);
    loop {
        assert!(Instant::now() < deadline, "the clients did not finish");
        for event in engine.drain(1000).events {
            hand_on(event, &mut input);
        }
        let Ok(line) = lines.recv_timeout(Duration::from_millis(5)) else {
            continue;
        };
        let mut words = line.splitn(3, ' ');
        let (verb, participant) = (words.next(), words.next().unwrap_or(""));
        let rest = words.next().unwrap_or("");
        match verb {
            Some("publish") => open(&engine, participant, rest, true),
            Some("subscribe") => open(&engine, participant, rest, false),
            Some("offer") => engine
                .send(Command::Offer {
                    participant: participant.into(),
                    offer_id: 1,
                    sdp: rest.replace('\u{1}', "\r\n"),
                })
                .expect("taken"),
            Some("started") => start = Some((engine.stats().shards.remove(0), Instant::now())),
            Some("stopped") => {
                let (before, at) = start.expect("started");
                report(plan, &before, &engine.stats().shards[0], at.elapsed(), rest);
                break;
            }
            _ => eprintln!("{line}"),
        }
    }
    drop(input);
    engine.shutdown();
    child.wait().expect("the clients");
    reader.join().expect("the reader");
}

fn report(plan: Plan, before: &ShardStats, after: &ShardStats, wall: Duration, clients: &str) {
    let cpu = after.cpu.saturating_sub(before.cpu);
    let packets = after.core.packets_out - before.core.packets_out;
    println!(
        "{{\"subscribers\": {}, \"rooms\": {}, \"bitrate\": {}, \"burst\": {}, \"seconds\": {:.1}, \
         \"packets_out\": {packets}, \"cpu_seconds\": {:.3}, \"microseconds_a_packet\": {:.2}, {clients}}}",
        plan.subscribers,
        plan.rooms,
        plan.bitrate,
        plan.burst,
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / packets.max(1) as f64,
    );
    if !after.core.datagrams_dropped.is_empty() {
        eprintln!("dropped: {:?}", after.core.datagrams_dropped);
    }
}

fn spawn_clients() -> Child {
    Program::new(std::env::current_exe().expect("a path"))
        .arg("clients")
        .args(std::env::args().skip(1))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the clients' process")
}

fn open(engine: &Engine, participant: &str, room: &str, is_publisher: bool) {
    let participant = participant.into();
    let grant = Grant {
        can_publish: true,
        can_subscribe: true,
        can_publish_data: true,
    };
    let open = Command::Open {
        room: room.into(),
        participant: std::sync::Arc::clone(&participant),
        identity: participant.to_string(),
        grant,
        is_dual: false,
    };
    engine.send(open).expect("taken");
    let track = format!("TR_{room}");
    let next = if is_publisher {
        Command::AddTrack {
            participant,
            track: ExpectedTrack {
                track: track.as_str().into(),
                cid: track,
                kind: Kind::Video,
                stream: Stream::Camera,
                muted: false,
                stereo: false,
                dtx: false,
                codec: None,
                shown_as: None,
            },
        }
    } else {
        Command::Subscribe {
            participant,
            track: track.as_str().into(),
        }
    };
    engine.send(next).expect("taken");
}

fn hand_on(event: Event, input: &mut ChildStdin) {
    match event {
        Event::Answer {
            participant, sdp, ..
        } => {
            let sdp = sdp.replace("\r\n", "\u{1}");
            writeln!(input, "answer {participant} {sdp}").expect("a pipe");
        }
        Event::OfferRejected { reason, .. } => panic!("offer rejected: {reason}"),
        _ => {}
    }
}

/// The other process: everybody who publishes and subscribes.
fn clients(plan: Plan) {
    let mut clients = Clients::new();
    let mut answers = std::io::stdin().lines();
    let mut names = HashMap::new();
    let mut publishers = Vec::new();
    for room in 0..plan.rooms {
        let track = format!("TR_{room}");
        for index in 0..=plan.subscribers {
            let name = format!("PA_{room}_{index}");
            let (verb, section) = match index {
                0 => ("publish", Section::Send(MediaKind::Video, track.as_str())),
                _ => ("subscribe", Section::Receive(MediaKind::Video)),
            };
            println!("{verb} {name} {room}");
            let at = clients.add("127.0.0.1:0");
            if index == 0 {
                publishers.push((at, track.clone()));
            }
            let sdp = clients.list[at].offer(&[Section::Data, section]);
            println!("offer {name} {}", sdp.replace("\r\n", "\u{1}"));
            names.insert(name, at);
            let line = answers.next().expect("an answer").expect("text");
            let mut words = line.splitn(3, ' ').skip(1);
            let at = names[words.next().expect("a name")];
            let answer = words.next().expect("an answer").replace('\u{1}', "\r\n");
            clients.list[at].answer(&answer);
            clients.turn(Duration::ZERO);
        }
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while !clients.list.iter().all(|client| client.is_connected) {
        assert!(Instant::now() < deadline, "not everybody connected");
        clients.turn(Duration::from_millis(5));
    }
    let mut stage = Stage::new(plan, publishers);
    stage.play(&mut clients, Duration::from_secs(3));
    for client in &mut clients.list {
        (client.packets, client.delays) = (0, Vec::new());
    }
    println!("started");
    let sent_before = stage.sent;
    stage.play(&mut clients, Duration::from_secs(plan.seconds));
    summary(
        &clients,
        (stage.sent - sent_before) * plan.subscribers as u64,
    );
}

fn summary(clients: &Clients, expected: u64) {
    let received: u64 = clients.list.iter().map(|client| client.packets).sum();
    let mut delays: Vec<Duration> = clients
        .list
        .iter()
        .flat_map(|client| client.delays.iter().copied())
        .collect();
    delays.sort();
    let quantile = |part: f64| match delays.len() {
        0 => 0.0,
        length => delays[((length - 1) as f64 * part) as usize].as_secs_f64() * 1e3,
    };
    println!(
        "stopped clients \"expected\": {expected}, \"received\": {received}, \
         \"delay_ms_p50\": {:.2}, \"delay_ms_p99\": {:.2}",
        quantile(0.5),
        quantile(0.99)
    );
}

/// Publishers that send frames in paced bursts.
struct Stage {
    publishers: Vec<(usize, String)>,
    packets_a_frame: usize,
    burst: usize,
    frame: u32,
    /// Packets of the current frame that have left.
    part: usize,
    next: Instant,
    frame_at: Instant,
    sent: u64,
}

impl Stage {
    fn new(plan: Plan, publishers: Vec<(usize, String)>) -> Self {
        let now = Instant::now();
        Stage {
            publishers,
            packets_a_frame: (plan.bitrate / 8 / FRAMES_PER_SECOND as usize / PACKET).max(1),
            burst: plan.burst.max(1),
            frame: 0,
            part: 0,
            next: now,
            frame_at: now,
            sent: 0,
        }
    }

    fn play(&mut self, clients: &mut Clients, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let now = Instant::now();
            if now >= self.next {
                self.burst(&mut clients.list, now);
            }
            clients.turn(self.next.saturating_duration_since(Instant::now()));
        }
    }

    fn burst(&mut self, clients: &mut [Client], now: Instant) {
        let until = (self.part + self.burst).min(self.packets_a_frame);
        for (at, track) in &self.publishers {
            let client = &mut clients[*at];
            for part in self.part..until {
                let is_key = self.frame.is_multiple_of(300);
                let payload = vp8(PACKET, part == 0, is_key, self.frame as u16);
                let is_last = part + 1 == self.packets_a_frame;
                client.write(track, self.frame * 3000, is_last, payload);
                self.sent += 1;
            }
            client.flush(now);
        }
        self.part = until;
        self.next = now + PACING;
        if self.part == self.packets_a_frame {
            self.part = 0;
            self.frame += 1;
            self.frame_at += Duration::from_secs(1) / FRAMES_PER_SECOND;
            self.next = self.frame_at;
        }
    }
}
