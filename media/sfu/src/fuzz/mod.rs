//! Every parser on damaged input for as long as one likes: `bench/fuzz.py` runs these; the ordinary
//! tests do not. What is tried: seeds as real clients send them, with bytes turned over, cut out,
//! repeated, swapped with others', and lengths that lie.

mod descriptions;
mod faults;
mod outgoing;
mod packets;

use std::time::{Duration, Instant};

use crate::layers::dependency::{Reader, tests as descriptors};
use crate::layers::svc::Chooser;
use crate::layers::vp8::{Descriptor, Rewriter};
use crate::rtp::keyframe::marks;
use crate::rtp::rtcp;
use crate::sdp::CodecName;

/// What a run may take more at its end, and in between, than at its beginning.
const MAX_GROWTH: usize = 192 << 20;
/// Bytes of an input that are told when it did harm.
const MAX_TOLD: usize = 4096;

/// xorshift: a run can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }

    /// A damaged copy of one of the seeds.
    fn damage(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.pick(seeds).clone();
        for _ in 0..=self.roll(6) {
            let at = self.roll(bytes.len());
            let len = self.roll(24);
            let end = (at + len).min(bytes.len());
            match self.roll(7) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.roll(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 0xff, 0x7f, 0x80][self.roll(4)],
                2 => drop(bytes.drain(at.min(end)..end)),
                3 => {
                    let part = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at.min(bytes.len())..at.min(bytes.len()), part);
                }
                4 => {
                    let other = self.pick(seeds);
                    let from = self.roll(other.len());
                    let part = other[from..(from + len).min(other.len())].to_vec();
                    bytes.splice(at.min(end)..end, part);
                }
                5 => bytes.truncate(at),
                _ => bytes.extend((0..len).map(|_| self.roll(256) as u8)),
            }
        }
        bytes
    }
}

/// Tells of the input that did harm.
struct Trial<'a> {
    number: u64,
    bytes: &'a [u8],
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let told = &self.bytes[..self.bytes.len().min(MAX_TOLD)];
            let hex: String = told.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("input {} ({} bytes): {hex}", self.number, self.bytes.len());
        }
    }
}

/// Bytes of memory that this process has now; 0 where that is not told.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<usize>().ok());
    resident.unwrap_or(0) * 4096
}

/// Seconds from the environment; a short look without it.
fn run(
    name: &str,
    seeds: &[Vec<u8>],
    damage: impl Fn(&mut Dice, &[Vec<u8>]) -> Vec<u8>,
    mut parse: impl FnMut(&mut Dice, &[u8]),
) {
    let read = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let span = Duration::from_secs(read("CONCLAVE_FUZZ_SECONDS").unwrap_or(1));
    let seed = read("CONCLAVE_FUZZ_SEED").unwrap_or(1);
    let mut dice = Dice(seed.max(1));
    let started = Instant::now();
    let mut looked = started;
    let mut before = None;
    let (mut inputs, mut bytes) = (0u64, 0u64);
    while started.elapsed() < span {
        for _ in 0..256 {
            let input = damage(&mut dice, seeds);
            (inputs, bytes) = (inputs + 1, bytes + input.len() as u64);
            let trial = Trial {
                number: inputs,
                bytes: &input,
            };
            parse(&mut dice, trial.bytes);
        }
        if looked.elapsed() > Duration::from_secs(1) {
            looked = Instant::now();
            let memory = memory();
            let growth = memory.saturating_sub(*before.get_or_insert(memory));
            assert!(growth < MAX_GROWTH, "{growth} bytes more than before");
        }
    }
    println!(
        "fuzzed {name} {inputs} {bytes} {:.0}",
        started.elapsed().as_secs_f64()
    );
}

/// Descriptors of a stream: one with its structure, and those that refer to it.
fn series() -> Vec<Vec<u8>> {
    let mut key = descriptors::head(true, true, 5, 7);
    descriptors::key_frame_structure(&mut key);
    let deltas = (0..6).map(|template| {
        let writer = descriptors::head(true, true, 5 + template, 8 + u16::from(template));
        descriptors::descriptor(writer)
    });
    std::iter::once(descriptors::descriptor(key))
        .chain(deltas)
        .collect()
}

#[test]
#[ignore = "runs as long as it is told to"]
fn dependency_descriptor() {
    let (mut reader, mut chooser) = (Reader::default(), Chooser::default());
    let mut out = Vec::new();
    let parse = |dice: &mut Dice, bytes: &[u8]| {
        let Some(read) = reader.read(bytes) else {
            return;
        };
        let limit = crate::layers::selector::Limit {
            spatial: dice.roll(4) as u8,
            temporal: dice.roll(4) as u8,
        };
        let choice = chooser.choose(limit, &read, dice.roll(1 << 32) as u32);
        read.write(&mut out, dice.roll(1 << 16) as u16, choice.active);
        assert!(out.len() <= bytes.len() + 5);
        if dice.one_in(1000) {
            (reader, chooser) = (Reader::default(), Chooser::default());
        }
    };
    run("dependency_descriptor", &series(), Dice::damage, parse);
}

/// Beginnings of payloads of all codecs.
fn payloads() -> Vec<Vec<u8>> {
    vec![
        vec![0x90, 0xf0, 0x92, 0x34, 0x55, 0xa7, 0, 1, 2],
        vec![0x90, 0x80, 0x12, 0],
        vec![0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1],
        vec![0x7c, 0x85, 0],
        vec![0xa8, 0x81, 5, 0x52, 1, 7],
        vec![0x18, 1, 2, 3],
    ]
}

#[test]
#[ignore = "runs as long as it is told to"]
fn payload_descriptor() {
    let codecs = [
        CodecName::Vp8,
        CodecName::H264,
        CodecName::Vp9,
        CodecName::Av1,
    ];
    let mut rewriter = Rewriter::default();
    let parse = |dice: &mut Dice, bytes: &[u8]| {
        for codec in codecs {
            marks(codec, bytes);
        }
        if let Some(descriptor) = Descriptor::parse(bytes) {
            match dice.roll(8) {
                0 => rewriter.interrupt(),
                1 => rewriter.leave_out(&descriptor),
                _ => {
                    if let Some(patch) = rewriter.pass(bytes, &descriptor) {
                        assert!(patch.bytes().len() < bytes.len());
                    }
                }
            }
        }
    };
    run("payload_descriptor", &payloads(), Dice::damage, parse);
}

/// Reports, NACKs and requests of key frames, as a receiver writes them.
fn compound() -> Vec<u8> {
    let mut compound = vec![0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 9, 64, 0, 0, 5];
    compound.extend([0; 16]);
    compound.extend([0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 7, 0, 3]);
    compound.extend([0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9]);
    compound
}

#[test]
#[ignore = "runs as long as it is told to"]
fn feedback() {
    run("feedback", &[compound()], Dice::damage, |_, bytes| {
        let mut found = 0;
        rtcp::parse(bytes, |_| found += 1);
        assert!(found <= 1024);
    });
}

#[test]
#[ignore = "runs as long as it is told to"]
fn data_packet() {
    // A DataPacket with a user packet, a topic and destinations.
    let seed = vec![
        0x08, 0, 0x12, 0x0f, 0x12, 3, 1, 2, 3, 0x1a, 2, b'a', b'b', 0x22, 2, b't', b'o', 0x32, 3,
        b'b', b'o', b'b', 0x48, 7,
    ];
    run("data_packet", &[seed], Dice::damage, |_, bytes| {
        if let Some(spliced) = crate::messages::splice(bytes, "alice", "PA_alice") {
            assert!(spliced.packet.len() <= bytes.len() + 64);
        }
    });
}
