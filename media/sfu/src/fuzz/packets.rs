//! A publisher gone mad in a meeting of four: its packets, with damaged headers and header
//! extensions, in a shard that forwards to two subscribers. What they see of its tracks is its own,
//! and the tracks of somebody else stay whole.

use std::collections::HashMap;
use std::time::Instant;

use str0m::Rtc;
use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

use super::{Dice, compound, run, series};
use crate::buffers::Buffers;
use crate::common::{Client, SERVER, World, everything};
use crate::ingress::MAX_STREAMS;
use crate::layers::MAX_SPATIAL;
use crate::rtp::known::{
    ABS_CAPTURE_TIME, AUDIO_LEVEL, DEPENDENCY_DESCRIPTOR, MID, PLAYOUT_DELAY, REPAIRED_RID, RID,
    TRANSPORT_CC, VIDEO_ORIENTATION,
};
use crate::sdp::{CodecName, parse_offer};
use crate::transport::srtp::SrtpSender;
use crate::{Command, Event, Kind, TrackId};

/// In each payload of the mad one: no damage is done behind its beginning.
const MARK: &[u8] = b"of mallory";
/// What fills the payloads of everybody else.
const FILLER: u8 = 7;
/// Inputs of one meeting.
const INPUTS: u64 = 30_000;
const CLOCK: u32 = 3000;

/// A kind of packet that is sent: what belongs together when nothing is damaged.
pub(super) struct Template {
    /// Of its section; the stack makes a new one up for each meeting.
    mid: Vec<u8>,
    pub ssrc: u32,
    pub pt: u8,
    pub is_repair: bool,
    /// How often it is sent: a stream whose codec changes with each packet shows nothing.
    weight: usize,
    /// Elements of the one-byte form.
    pub extensions: Vec<u8>,
    /// Beginnings of payloads.
    payloads: Vec<Vec<u8>>,
}

/// Named by clients, whose stack only passes it over.
#[derive(Debug)]
struct Descriptor;

impl ExtensionSerializer for Descriptor {
    fn write_to(&self, _: &mut [u8], _: &ExtensionValues) -> usize {
        0
    }

    fn parse_value(&self, _: &[u8], _: &mut ExtensionValues) -> bool {
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }
}

/// A client that can send and receive layered codecs too, before its first offer.
fn open(world: &mut World, name: &str) -> usize {
    let index = world.open("r", name, everything());
    let client = &mut world.clients[index];
    let descriptor = Extension::with_serializer(DEPENDENCY_DESCRIPTOR, Descriptor);
    let rtc = Rtc::builder()
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true)
        .enable_vp8(true)
        .enable_h264(true)
        .enable_vp9(true)
        .enable_av1(true)
        .set_extension(5, Extension::PlayoutDelay)
        .set_extension(6, Extension::AbsoluteCaptureTime)
        .set_extension(12, descriptor);
    client.rtc = rtc.set_stats_interval(None).build(world.now);
    let host = str0m::Candidate::host(client.address, str0m::net::Protocol::Udp);
    client.rtc.add_local_candidate(host.unwrap());
    index
}

pub(super) struct Meeting {
    pub world: World,
    pub mallory: usize,
    subscribers: [usize; 2],
    clean: TrackId,
    wild: [TrackId; 3],
    pub templates: Vec<Template>,
    sender: SrtpSender,
    reporter: SrtpSender,
    buffers: Buffers,
    /// Highest sequence numbers and timestamps of what was sent.
    numbers: HashMap<u32, (u64, u32)>,
    /// Where streams of the mad one are shown, since its last offer.
    shown: HashMap<u32, TrackId>,
    /// Made by the mad one.
    offers: u8,
    inputs: u64,
    seen: usize,
}

impl Meeting {
    pub fn new() -> Self {
        let mut world = World::new();
        let carol = world.join("r", "carol");
        let clean = world.publish(carol, "clean", Kind::Video);
        // All in one offer: later ones leave out what the stack has said once.
        let mallory = open(&mut world, "mallory");
        let tracks = [
            ("camera", Kind::Video),
            ("screen", Kind::Video),
            ("mic", Kind::Audio),
        ];
        let wild = tracks.map(|(name, kind)| world.announce(mallory, name, kind));
        let client = &mut world.clients[mallory];
        client.add_simulcast("camera");
        client.add_sender("screen", Kind::Video);
        client.add_sender("mic", Kind::Audio);
        for sending in &mut client.sending {
            sending.is_on = false;
        }
        world.offer(mallory);
        world.run_ms(600);
        let subscribers = ["bob", "dave"].map(|name| open(&mut world, name));
        for subscriber in subscribers {
            world.offer(subscriber);
            for track in wild.iter().chain([&clean]) {
                world.subscribe(subscriber, track);
            }
            world.clients[subscriber].payloads = Some(Vec::new());
        }
        world.run_ms(1500);
        let sender = |world: &mut World, index: usize| {
            let id = world.clients[index].id.clone();
            world.shard.client_sender(&id).expect("connected")
        };
        let templates = templates(&world.clients[mallory]);
        Meeting {
            mallory,
            subscribers,
            clean,
            wild,
            templates,
            sender: sender(&mut world, mallory),
            reporter: sender(&mut world, subscribers[0]),
            buffers: Buffers::default(),
            numbers: HashMap::new(),
            shown: HashMap::new(),
            offers: 0,
            inputs: 0,
            seen: 0,
            world,
        }
    }

    /// The first byte says which packet it is to be, the others are its header extensions.
    fn input(&mut self, dice: &mut Dice, bytes: &[u8]) {
        self.inputs += 1;
        let (&kind, damaged) = bytes.split_first().unwrap_or((&0, &[]));
        let template = &self.templates[usize::from(kind) % self.templates.len()];
        let extensions = if dice.one_in(3) {
            template.extensions.clone()
        } else {
            let mut damaged = damaged.to_vec();
            for (at, template) in self.templates.iter().enumerate() {
                replace(&mut damaged, &stand_in(at), &template.mid);
            }
            damaged
        };
        let other = dice.pick(&self.templates);
        // Another stream of an encoding takes the place of the one before for a second: not often.
        let ssrc = match dice.roll(6000) {
            0..100 => other.ssrc,
            100 => dice.roll(1 << 32) as u32,
            101 => [0, 1, u32::MAX][dice.roll(3)],
            102..105 => template.ssrc + 1 + dice.roll(3) as u32,
            _ => template.ssrc,
        };
        let pt = match dice.roll(40) {
            0 => other.pt,
            1 => dice.roll(128) as u8,
            _ => template.pt,
        };
        let mut payload = if dice.one_in(4) {
            dice.damage(&template.payloads)
        } else {
            dice.pick(&template.payloads).clone()
        };
        if template.is_repair {
            let lost = self.numbers.values().next().map_or(0, |(n, _)| *n as u16);
            payload.splice(0..0, lost.wrapping_sub(dice.roll(20) as u16).to_be_bytes());
        }
        // What is rewritten of a payload is within its first bytes.
        payload.truncate(32);
        payload.resize(payload.len().max(8), 0);
        payload.extend_from_slice(MARK);
        payload.extend_from_slice(&ssrc.to_be_bytes());
        let mut main = self.templates.iter().filter(|template| !template.is_repair);
        payload.push(u8::from(main.any(|template| template.pt == pt)));
        payload.push(self.offers);
        payload.extend((0..dice.roll(40)).map(|n| n as u8 + 100));
        if let Some((header, index)) = header(&mut self.numbers, dice, ssrc, pt, &extensions) {
            if header[0] & 0x20 != 0 {
                payload.push(dice.roll(8) as u8);
            }
            self.send(&header, &payload, ssrc, index);
        }
        if dice.one_in(50) {
            self.report(dice);
        }
        if dice.one_in(40) {
            self.world.run_ms(dice.roll(5) as u64);
        }
        if dice.one_in(1500) {
            self.command(dice);
        }
        if self.inputs.is_multiple_of(64) {
            self.check();
        }
    }

    /// A packet of the mad one, with this extended sequence number.
    pub fn send(&mut self, header: &[u8], payload: &[u8], ssrc: u32, index: u64) {
        let datagram = self
            .sender
            .protect_rtp(header, payload, ssrc, index, &mut self.buffers);
        self.receive(self.mallory, &datagram.expect("protected"));
    }

    fn receive(&mut self, from: usize, datagram: &[u8]) {
        let (world, server) = (&mut self.world, SERVER.parse().unwrap());
        let address = world.clients[from].address;
        world.shard.receive(world.now, address, server, datagram);
    }

    /// Damaged control packets: of who publishes about its clock, of who receives about losses.
    fn report(&mut self, dice: &mut Dice) {
        let (from, mut report) = if dice.one_in(2) {
            let mut report = vec![0x80, 200, 0, 6];
            report.extend_from_slice(&dice.pick(&self.templates).ssrc.to_be_bytes());
            report.extend_from_slice(&[0xe8, 0, 0, 0, 0, 0, 0, 0]);
            report.extend_from_slice(&[0, 1, 2, 3, 0, 0, 0, 9, 0, 0, 9, 9]);
            (self.mallory, report)
        } else {
            (self.subscribers[0], compound())
        };
        report = dice.damage(&[report]);
        report.resize(report.len().max(8).next_multiple_of(4), 0);
        // Of a sender of its own, so that it is no repeat of what the client's stack sends.
        report[4..8].copy_from_slice(&[9; 4]);
        let sender = if from == self.mallory {
            &mut self.sender
        } else {
            &mut self.reporter
        };
        let datagram = sender.protect_rtcp(&report).expect("protected");
        self.receive(from, &datagram);
    }

    /// What people do meanwhile.
    fn command(&mut self, dice: &mut Dice) {
        let track = dice.pick(&self.wild).clone();
        let subscriber = *dice.pick(&self.subscribers);
        let participant = self.world.clients[subscriber].id.clone();
        let command = match dice.roll(6) {
            0 => Command::Limit {
                participant,
                track,
                spatial: dice.roll(4) as u8,
                temporal: dice.roll(5) as u8,
            },
            1 => Command::Pause {
                participant,
                track,
                paused: dice.one_in(3),
            },
            2 => Command::Unsubscribe { participant, track },
            3 => Command::Subscribe { participant, track },
            4 => Command::MuteTrack {
                participant: self.world.clients[self.mallory].id.clone(),
                track,
                muted: dice.one_in(3),
            },
            _ => {
                self.offers = self.offers.wrapping_add(1);
                self.shown.clear();
                return self.world.offer(self.mallory);
            }
        };
        self.world.command(command);
    }

    /// Everybody sees what they may, and nothing has grown.
    pub fn check(&mut self) {
        self.world.run_ms(2);
        for subscriber in self.subscribers {
            let client = &mut self.world.clients[subscriber];
            for (track, payload) in client.payloads.iter_mut().flat_map(|p| p.drain(..)) {
                if track == self.clean {
                    let filler = payload.get(11..).unwrap_or(&[]);
                    assert!(filler.iter().all(|byte| *byte == FILLER), "{payload:?}");
                    continue;
                }
                assert!(self.wild.contains(&track));
                self.seen += usize::from(!payload.is_empty());
                let at = payload.windows(MARK.len()).position(|part| part == MARK);
                let Some(ssrc) = at.and_then(|at| payload.get(at + MARK.len()..)) else {
                    assert!(payload.len() < 100, "{track}: {payload:?}");
                    continue;
                };
                let Some(&[a, b, c, d, is_main, offers]) = ssrc.first_chunk() else {
                    continue;
                };
                // What repairs is counted to what it repairs.
                if is_main != 1 || offers != self.offers {
                    continue;
                }
                let ssrc = u32::from_be_bytes([a, b, c, d]);
                let shown = self.shown.entry(ssrc).or_insert_with(|| track.clone());
                assert_eq!(*shown, track, "one stream in two tracks");
            }
        }
        let stats = self.world.shard.stats();
        assert_eq!(stats.panics, 0, "{:?}", self.world.events.last());
        assert!(stats.packets_lost_in < 1 << 32, "{stats:?}");
        let held = self.world.shard.held();
        let is_small = held.streams <= MAX_STREAMS
            && held.lanes <= 3 * held.sections
            && held.sections <= 200
            && held.encodings <= usize::from(MAX_SPATIAL) + 1
            && held.subscribers <= self.subscribers.len()
            && held.subscriptions <= self.wild.len() + 1
            && held.outgoing <= 2 * held.subscriptions
            && held.reasons < 16;
        assert!(is_small, "{held:?}");
    }

    /// Who was ended, and in which words.
    pub fn failure(&mut self) -> Option<String> {
        let id = &self.world.clients[self.mallory].id;
        self.world.events.drain(..).find_map(|event| match event {
            Event::ParticipantFailed {
                participant,
                reason,
            } => {
                assert_eq!(participant, *id, "{reason}");
                Some(reason)
            }
            _ => None,
        })
    }

    pub fn end(mut self) {
        let before = self
            .world
            .received(self.subscribers[0], &self.clean)
            .packets;
        self.world.run_ms(500);
        self.check();
        for subscriber in self.subscribers {
            let video = self.world.received(subscriber, &self.clean);
            assert!(video.packets > before + 30, "the meeting goes on");
            assert_eq!(video.missing(), 0);
            video.assert_decodable(false);
        }
        assert!(self.seen > 0 || self.inputs < 1000, "nothing was forwarded");
        for index in 0..self.world.clients.len() {
            let participant = self.world.clients[index].id.clone();
            self.world.command(Command::Close { participant });
        }
        assert_eq!(self.world.shard.footprint(), [0; 7]);
    }
}

/// Of a template's section, in seeds.
fn stand_in(at: usize) -> [u8; 3] {
    [b'm', b'~', at as u8]
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    if let Some(at) = bytes.windows(old.len()).position(|part| part == old) {
        bytes[at..at + old.len()].copy_from_slice(new);
    }
}

/// As it goes over the wire, and its extended sequence number.
fn header(
    numbers: &mut HashMap<u32, (u64, u32)>,
    dice: &mut Dice,
    ssrc: u32,
    pt: u8,
    extensions: &[u8],
) -> Option<(Vec<u8>, u64)> {
    let first = (1000 + u64::from(ssrc) % 5000, dice.roll(1 << 32) as u32);
    let (highest, timestamp) = numbers.entry(ssrc).or_insert(first);
    let sequence = match dice.roll(100) {
        // Anywhere on the circle, as receivers extend it: below zero too.
        0 => highest.wrapping_add_signed(i64::from(dice.roll(1 << 16) as u16 as i16)),
        1..4 => highest.wrapping_add(dice.roll(30) as u64),
        4..8 => highest.wrapping_sub(dice.roll(300) as u64),
        _ => highest.wrapping_add(1),
    };
    *highest = (*highest).max(sequence);
    *timestamp = match dice.roll(200) {
        0 => dice.roll(1 << 32) as u32,
        1..100 => timestamp.wrapping_add(CLOCK),
        _ => *timestamp,
    };
    let sources = dice.roll(16) * usize::from(dice.one_in(60));
    let has_padding = dice.one_in(60);
    let mut header = vec![
        0x90 | u8::from(has_padding) << 5 | sources as u8,
        pt | u8::from(dice.one_in(4)) << 7,
    ];
    header.extend_from_slice(&(sequence as u16).to_be_bytes());
    header.extend_from_slice(&timestamp.to_be_bytes());
    header.extend_from_slice(&ssrc.to_be_bytes());
    header.resize(header.len() + 4 * sources, 0xcc);
    // The one-byte form, the two-byte form, and what is neither.
    let form = match dice.roll(40) {
        0 => [0x10, dice.roll(16) as u8],
        1 => [dice.roll(256) as u8, dice.roll(256) as u8],
        _ => [0xbe, 0xde],
    };
    header.extend_from_slice(&form);
    let words = extensions.len().div_ceil(4);
    header.extend_from_slice(&(words as u16).to_be_bytes());
    header.extend_from_slice(extensions);
    header.resize(header.len().next_multiple_of(4), 0);
    (header.len() < 1200).then_some((header, sequence))
}

/// Of everything that the mad one has negotiated.
fn templates(mallory: &Client) -> Vec<Template> {
    let offer = parse_offer(&mallory.last_offer).unwrap();
    let descriptors = series();
    let mut templates = Vec::new();
    for (place, section) in offer.sections.iter().enumerate() {
        if !section.direction.sends() {
            continue;
        }
        let is_video = section.codecs.iter().any(|codec| codec.name.is_video());
        let rids = section.rids.iter().map(|(rid, _)| Some(rid.as_str()));
        let rids: Vec<Option<&str>> = rids.collect();
        let rids = if rids.is_empty() { vec![None] } else { rids };
        for (number, rid) in rids.into_iter().enumerate() {
            for codec in &section.codecs {
                let descriptor = descriptors.get(number % 2).map(Vec::as_slice);
                for (pt, is_repair) in [(Some(codec.pt), false), (codec.rtx, true)] {
                    let Some(pt) = pt else { continue };
                    let stream = 4 * number + usize::from(is_repair);
                    let mut extensions = Vec::new();
                    let mut element = |uri: &str, value: &[u8]| {
                        let id = section.extensions.iter().find(|(_, u)| u == uri);
                        if let Some((id, _)) = id
                            && (1..=16).contains(&value.len())
                        {
                            extensions.push(id << 4 | (value.len() as u8 - 1));
                            extensions.extend_from_slice(value);
                        }
                    };
                    element(MID, section.mid.as_bytes());
                    if let Some(rid) = rid {
                        element(if is_repair { REPAIRED_RID } else { RID }, rid.as_bytes());
                    }
                    if codec.name.is_scalable() {
                        element(DEPENDENCY_DESCRIPTOR, descriptor.unwrap_or(&[]));
                    }
                    if !is_video {
                        element(AUDIO_LEVEL, &[0x85]);
                    }
                    element(TRANSPORT_CC, &[1, 2]);
                    element(VIDEO_ORIENTATION, &[1]);
                    element(PLAYOUT_DELAY, &[0, 0x10, 1]);
                    element(ABS_CAPTURE_TIME, &[1, 2, 3, 4, 5, 6, 7, 8]);
                    templates.push(Template {
                        mid: section.mid.as_bytes().to_vec(),
                        ssrc: (100 * (place + 1) + 10 * stream) as u32,
                        pt,
                        is_repair,
                        weight: match (codec.name, is_repair) {
                            (_, true) | (CodecName::H264 | CodecName::Vp9, _) => 1,
                            (CodecName::Vp8, _) if rid.is_none() => 1,
                            (CodecName::Av1, _) if rid.is_some() => 1,
                            _ => 40,
                        },
                        extensions,
                        payloads: beginnings(codec.name),
                    });
                }
            }
        }
    }
    let is_simulcast = |template: &&Template| template.weight == 40 && template.pt == 96;
    assert_eq!(templates.iter().filter(is_simulcast).count(), 3);
    assert!(templates.iter().all(|template| template.mid.len() == 3));
    templates
}

fn beginnings(codec: CodecName) -> Vec<Vec<u8>> {
    match codec {
        CodecName::Opus => vec![vec![0x78, 1, 2, 3]],
        CodecName::Vp8 => vec![
            vec![0x90, 0xf0, 0x92, 0x34, 0x55, 0xa7, 0, 1, 2],
            vec![0x90, 0xf0, 0x92, 0x35, 0x56, 0xa7, 1, 1, 2],
            vec![0x80, 0xf0, 0x92, 0x35, 0x56, 0x67, 1, 1, 2],
            vec![0x90, 0x80, 0x12, 0],
        ],
        CodecName::H264 => vec![
            vec![0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1],
            vec![0x7c, 0x85, 0],
        ],
        CodecName::Vp9 => vec![vec![0xa8, 0x81, 5, 0x52, 1, 7]],
        CodecName::Av1 => vec![vec![0x18, 1, 2, 3]],
    }
}

#[test]
#[ignore = "runs as long as it is told to"]
fn packets() {
    let mut meeting = Some(Meeting::new());
    let templates = meeting.iter().flat_map(|meeting| &meeting.templates);
    let seeds: Vec<Vec<u8>> = templates
        .enumerate()
        .flat_map(|(at, template)| {
            let mut seed = vec![at as u8];
            seed.extend_from_slice(&template.extensions);
            replace(&mut seed, &template.mid, &stand_in(at));
            std::iter::repeat_n(seed, template.weight)
        })
        .collect();
    let started = Instant::now();
    let (mut meetings, mut seen) = (0, 0);
    run("packets", &seeds, Dice::damage, |dice, bytes| {
        let present = meeting.get_or_insert_with(|| {
            meetings += 1;
            Meeting::new()
        });
        present.input(dice, bytes);
        let failure = present.failure();
        assert_eq!(failure, None);
        if present.inputs >= INPUTS
            && let Some(present) = meeting.take()
        {
            seen += present.seen;
            present.end();
        }
    });
    println!(
        "{meetings} meetings, {seen} packets received in {:?}",
        started.elapsed()
    );
}
