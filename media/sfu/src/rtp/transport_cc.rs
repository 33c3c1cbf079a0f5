//! When packets came, by their transport-wide sequence numbers, told to the sender for its congestion
//! control (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::time::{Duration, Instant};

/// As libwebrtc's receivers report by default.
const INTERVAL: Duration = Duration::from_millis(100);
/// Numbers remembered: of 100 Mbit/s in full packets between two reports.
const WINDOW: u64 = 1024;
/// 3.1: deltas are counted in units of 250 µs, reference times in 256 of these.
const TICK_MICROS: u128 = 250;
const TICKS_OF_REFERENCE: u32 = 256;
/// Bytes of one report, below what any network carries in one piece.
const MAX_BYTES: usize = 1000;
const HEAD: usize = 20;
/// 3.1.3: of a run-length chunk.
const MAX_RUN: usize = 8191;
/// Symbols of a status vector of one and of two bits.
const SHORT_VECTOR: usize = 14;
const LONG_VECTOR: usize = 7;

/// 3.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Missing = 0,
    Small = 1,
    Large = 2,
}

/// A number, extended, and when its packet came.
#[derive(Debug, Clone, Copy, Default)]
struct Arrival {
    number: u64,
    tick: u32,
}

/// What came on one transport since the last report, and a little before.
#[derive(Debug)]
pub struct Arrivals {
    start: Instant,
    /// By their last bits; empty until the first packet has come.
    arrivals: Vec<Arrival>,
    /// The first that is not reported, and the last that came.
    first: u64,
    highest: u64,
    due: Option<Instant>,
    last_report: Option<Instant>,
    reports: u8,
}

impl Arrivals {
    pub fn new(now: Instant) -> Self {
        Arrivals {
            start: now,
            arrivals: Vec::new(),
            first: 0,
            highest: 0,
            due: None,
            last_report: None,
            reports: 0,
        }
    }

    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// An authentic packet came.
    pub fn record(&mut self, now: Instant, number: u16) {
        let ticks = now.saturating_duration_since(self.start).as_micros() / TICK_MICROS;
        let arrival = |number| Arrival {
            number,
            tick: ticks as u32,
        };
        if self.arrivals.is_empty() {
            // One round above zero: whatever comes next is a number.
            let first = 1 << 16 | u64::from(number);
            self.arrivals.resize(WINDOW as usize, Arrival::default());
            (self.first, self.highest) = (first, first);
            self.arrivals[place(first)] = arrival(first);
        } else {
            let distance = number.wrapping_sub(self.highest as u16) as i16;
            let number = self.highest.saturating_add_signed(i64::from(distance));
            if number > self.highest {
                self.highest = number;
                self.first = self.first.max((number + 1).saturating_sub(WINDOW));
            } else if self.highest - number >= WINDOW || self.came(number).is_some() {
                return;
            }
            // What was reported as missing is reported again.
            self.first = self.first.min(number);
            self.arrivals[place(number)] = arrival(number);
        }
        self.due.get_or_insert_with(|| {
            let next = self.last_report.map(|last| last + INTERVAL);
            next.map_or(now + INTERVAL, |next| next.max(now))
        });
    }

    fn came(&self, number: u64) -> Option<u32> {
        let arrival = self.arrivals.get(place(number))?;
        (arrival.number == number).then_some(arrival.tick)
    }

    /// Reports of all that is not yet reported, each an RTCP packet; `ssrc` is ours, `media` one of
    /// the sender's.
    pub fn report(&mut self, now: Instant, ssrc: u32, media: u32, mut send: impl FnMut(&[u8])) {
        if self.due.take().is_none() {
            return;
        }
        self.last_report = Some(now);
        let mut out = Vec::with_capacity(128);
        while self.first <= self.highest {
            let until = self.write(ssrc, media, &mut out);
            self.reports = self.reports.wrapping_add(1);
            self.first = until;
            send(&out);
        }
    }

    /// One packet, from the first number on. The number behind its last.
    fn write(&self, ssrc: u32, media: u32, out: &mut Vec<u8>) -> u64 {
        let mut ticks = (self.first..=self.highest).filter_map(|number| self.came(number));
        let reference = ticks.next().unwrap_or_default() / TICKS_OF_REFERENCE;
        let mut last = reference * TICKS_OF_REFERENCE;
        let (mut statuses, mut deltas) = (Vec::new(), Vec::new());
        for number in self.first..=self.highest {
            // At worst each chunk holds a long vector.
            let chunks = statuses.len() / LONG_VECTOR + 1;
            if HEAD + 2 * chunks + deltas.len() > MAX_BYTES {
                break;
            }
            let Some(tick) = self.came(number) else {
                statuses.push(Status::Missing);
                continue;
            };
            let delta = tick.wrapping_sub(last) as i32;
            match (u8::try_from(delta), i16::try_from(delta)) {
                (Ok(small), _) => {
                    statuses.push(Status::Small);
                    deltas.push(small);
                }
                (_, Ok(large)) => {
                    statuses.push(Status::Large);
                    deltas.extend_from_slice(&large.to_be_bytes());
                }
                // Further apart than a delta can say: the next report has a time of its own.
                _ => break,
            }
            last = tick;
        }
        out.clear();
        out.extend_from_slice(&[0x8f, 205, 0, 0]);
        out.extend_from_slice(&ssrc.to_be_bytes());
        out.extend_from_slice(&media.to_be_bytes());
        out.extend_from_slice(&(self.first as u16).to_be_bytes());
        out.extend_from_slice(&(statuses.len() as u16).to_be_bytes());
        out.extend_from_slice(&(reference << 8 | u32::from(self.reports)).to_be_bytes());
        chunks(&statuses, out);
        out.extend_from_slice(&deltas);
        let padding = out.len().next_multiple_of(4) - out.len();
        if padding > 0 {
            out[0] |= 0x20;
            out.resize(out.len() + padding - 1, 0);
            out.push(padding as u8);
        }
        let words = (out.len() / 4 - 1) as u16;
        out[2..4].copy_from_slice(&words.to_be_bytes());
        self.first + statuses.len() as u64
    }
}

fn place(number: u64) -> usize {
    (number % WINDOW) as usize
}

/// 3.1.2 to 3.1.4: runs where they are as short as vectors, vectors elsewhere.
fn chunks(statuses: &[Status], out: &mut Vec<u8>) {
    let mut rest = statuses;
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .take_while(|s| **s == first)
            .count()
            .min(MAX_RUN);
        let is_short = rest.iter().take(SHORT_VECTOR).all(|s| *s != Status::Large);
        let (most, bits) = if is_short {
            (SHORT_VECTOR, 1)
        } else {
            (LONG_VECTOR, 2)
        };
        let (chunk, len) = if run >= most.min(rest.len()) {
            ((first as u16) << 13 | run as u16, run)
        } else {
            let len = most.min(rest.len());
            let symbols = rest[..len].iter().enumerate();
            let vector = symbols.fold(0, |vector, (at, status)| {
                vector | (*status as u16) << (14 - bits * (at + 1))
            });
            (0x8000 | u16::from(!is_short) << 14 | vector, len)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        rest = &rest[len..];
    }
}

#[cfg(test)]
mod tests;
