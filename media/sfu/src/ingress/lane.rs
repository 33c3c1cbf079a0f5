//! One encoding that a client sends in a section: which of its packets came, on its own stream or
//! repaired, and what its sender is told of it (RFC 3550, 6.4.1 and A.3 to A.8).

use std::time::{Duration, Instant};

use super::nack::Losses;
use crate::rtp::rtcp::ReportBlock;
use crate::rtp::window::Window;

/// RFC 3550, A.1: what is further ahead is no loss, the sender has begun anew.
const MAX_DROPOUT: u64 = 3000;
/// A repair may come before what was sent behind the lost one, not long before.
const MAX_AHEAD: i64 = 512;
/// A source that was replaced takes its place back when the new one is silent this long: some clients
/// mix a few packets of the old one into the new.
const SILENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Lane {
    /// Section, and spatial layer.
    pub place: usize,
    pub layer: u8,
    /// Of its main stream.
    pub ssrc: u32,
    /// Found by nothing but its payload type.
    pub is_guessed: bool,
    /// Payload type of its last packet.
    pub pt: u8,
    pub losses: Losses,
    /// Requests of key frames as FIR.
    pub intra_requests: u8,
    /// Packets came since the last report.
    pub is_heard: bool,
    window: Window,
    since: Instant,
    last: Instant,
    first: u64,
    received: u64,
    /// Expected and received at the last report.
    before: (u64, u64),
    /// In units of its timestamps, times 16.
    jitter: u64,
    /// Timestamp and arrival of the packet that jitter was last measured by.
    transit: Option<(u32, Instant)>,
    /// Middle of the NTP time of its last sender report, and when that came.
    report: Option<(u32, Instant)>,
}

/// One packet of the main stream, authentic.
pub struct Heard {
    pub now: Instant,
    pub sequence: u64,
    pub timestamp: u32,
    pub rate: u32,
    /// What is missing can be asked for.
    pub is_repaired: bool,
}

impl Lane {
    pub fn new(now: Instant, place: usize, layer: u8, ssrc: u32, sequence: u64) -> Self {
        Lane {
            place,
            layer,
            ssrc,
            is_guessed: false,
            pt: 0,
            losses: Losses::default(),
            intra_requests: 0,
            is_heard: false,
            window: Window::new(sequence),
            since: now,
            last: now,
            first: sequence,
            received: 0,
            before: (0, 0),
            jitter: 0,
            transit: None,
            report: None,
        }
    }

    /// Whether another stream of the same encoding may take its place. `is_new`: it has just been
    /// found.
    pub fn gives_way(&self, now: Instant, is_new: bool) -> bool {
        is_new || now.saturating_duration_since(self.last) >= SILENCE
    }

    /// Repairs of another stream are of this one by now.
    pub fn is_settled(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= SILENCE
    }

    /// A packet of its stream. False: it came already, as a repair, or is too old.
    pub fn hear(&mut self, heard: &Heard) -> bool {
        self.last = heard.now;
        self.is_heard = true;
        self.received += 1;
        self.measure(heard);
        self.take(heard.now, heard.sequence, heard.is_repaired)
    }

    /// A repair of the packet with this number on the wire. The number, unless the packet came
    /// already, is too old, or so new that it was never missed.
    pub fn repair(&mut self, now: Instant, number: u16) -> Option<u64> {
        let highest = self.window.highest();
        let distance = i64::from(number.wrapping_sub(highest as u16) as i16);
        let sequence = highest.checked_add_signed(distance)?;
        let is_new = distance <= MAX_AHEAD && self.take(now, sequence, true);
        is_new.then_some(sequence)
    }

    fn take(&mut self, now: Instant, sequence: u64, is_repaired: bool) -> bool {
        let highest = self.window.highest();
        if !self.window.mark(sequence) {
            return false;
        }
        if sequence <= highest {
            self.losses.came(sequence);
        } else if sequence - highest > MAX_DROPOUT {
            self.losses.clear();
            self.first = sequence;
            (self.received, self.before) = (1, (0, 0));
        } else if is_repaired && sequence > highest + 1 {
            self.losses.skipped(now, highest + 1..sequence);
        }
        true
    }

    /// RFC 3550, A.8, by the first packet of each picture: the others wait for their turn.
    fn measure(&mut self, heard: &Heard) {
        let Some((timestamp, at)) = self.transit else {
            self.transit = Some((heard.timestamp, heard.now));
            return;
        };
        let ahead = heard.timestamp.wrapping_sub(timestamp) as i32;
        if ahead == 0 {
            return;
        }
        let elapsed = heard.now.saturating_duration_since(at).as_micros() as i64;
        let elapsed = elapsed.saturating_mul(i64::from(heard.rate)) / 1_000_000;
        let apart = elapsed.saturating_sub(i64::from(ahead)).unsigned_abs();
        self.jitter = (self.jitter + apart).saturating_sub((self.jitter + 8) >> 4);
        self.transit = Some((heard.timestamp, heard.now));
    }

    /// Its sender's report came; `ntp`: the time in it.
    pub fn hear_report(&mut self, now: Instant, ntp: u64) {
        self.report = Some(((ntp >> 16) as u32, now));
    }

    /// What is said of it, once something came.
    pub fn block(&mut self, now: Instant) -> Option<ReportBlock> {
        if !std::mem::take(&mut self.is_heard) {
            return None;
        }
        let highest = self.window.highest();
        let expected = highest.saturating_sub(self.first) + 1;
        let (expected_before, received_before) = self.before;
        self.before = (expected, self.received);
        let span = expected.saturating_sub(expected_before);
        let lost = span.saturating_sub(self.received - received_before);
        let delay = self.report.map(|(_, at)| now.saturating_duration_since(at));
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: (lost << 8).checked_div(span).unwrap_or(0).min(255) as u8,
            total_lost: expected as i64 - self.received as i64,
            highest: highest as u32,
            jitter: (self.jitter >> 4).min(u64::from(u32::MAX)) as u32,
            last_report: self.report.map_or(0, |(middle, _)| middle),
            delay: delay.map_or(0, |delay| (delay.as_secs_f64() * 65_536.0) as u32),
        })
    }

    /// It said goodbye, and may go on later all the same.
    pub fn rest(&mut self) {
        self.losses.clear();
        self.is_heard = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(now: Instant, sequence: u64) -> Heard {
        Heard {
            now,
            sequence,
            timestamp: (sequence as u32).wrapping_mul(3000),
            rate: 90_000,
            is_repaired: true,
        }
    }

    fn ms(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn the_sender_is_told_what_it_lost() {
        let start = Instant::now();
        let mut lane = Lane::new(start, 0, 2, 9, 65_530);
        assert_eq!(lane.block(start), None, "nothing came");
        for sequence in (65_530..65_550).filter(|n| n % 5 != 0) {
            assert!(lane.hear(&heard(start, sequence)));
        }
        lane.hear_report(start, 0x1234_5678_9abc_def0);
        // Repairs are another stream.
        assert_eq!(lane.repair(start, 65_535), Some(65_535));
        let block = lane.block(ms(start, 500)).unwrap();
        assert_eq!((block.ssrc, block.highest), (9, 65_549));
        assert_eq!((block.total_lost, block.fraction_lost), (4, 51));
        assert_eq!((block.last_report, block.delay), (0x5678_9abc, 32_768));
        assert_eq!(lane.block(start), None, "nothing since");
        lane.hear(&heard(start, 65_550));
        assert_eq!(lane.block(start).unwrap().fraction_lost, 0);
    }

    #[test]
    fn jitter_follows_what_arrives_unevenly() {
        let start = Instant::now();
        let mut lane = Lane::new(start, 0, 2, 9, 0);
        let mut at = start;
        for n in 0..400 {
            // A picture each 33.3 ms, every other one 10 ms late.
            at = start + Duration::from_micros(33_333 * n + 10_000 * (n % 2));
            lane.hear(&heard(at, n));
        }
        let jitter = lane.block(at).unwrap().jitter;
        assert!((850..950).contains(&jitter), "{jitter}");
    }

    #[test]
    fn a_packet_counts_once_whichever_way_it_comes() {
        let start = Instant::now();
        let mut lane = Lane::new(start, 0, 2, 9, 10);
        assert!(lane.hear(&heard(start, 10)));
        assert!(lane.hear(&heard(start, 13)));
        assert_eq!(lane.repair(start, 11), Some(11));
        assert!(!lane.hear(&heard(start, 11)));
        assert!(lane.hear(&heard(start, 12)));
        assert_eq!(lane.repair(start, 12), None);
        let mut wanted = Vec::new();
        lane.losses.take(ms(start, 50), &mut wanted);
        assert!(wanted.is_empty());
    }

    #[test]
    fn repairs_of_what_was_never_missed_move_nothing() {
        let start = Instant::now();
        let mut lane = Lane::new(start, 0, 2, 9, 10);
        lane.hear(&heard(start, 10));
        assert_eq!(lane.repair(start, 2000), None, "far ahead");
        assert_eq!(lane.repair(start, 60_000), None, "below zero");
        assert!(lane.hear(&heard(start, 11)));
        assert_eq!(lane.repair(start, 12), Some(12), "ahead of what follows it");
        assert!(!lane.hear(&heard(start, 12)));
        let mut late = Lane::new(start, 0, 2, 9, 70_000);
        assert_eq!(late.repair(start, 67_000u32 as u16), None, "too old");
    }

    #[test]
    fn a_jump_is_a_new_beginning_and_no_loss() {
        let start = Instant::now();
        let mut lane = Lane::new(start, 0, 2, 9, 10);
        lane.hear(&heard(start, 10));
        lane.hear(&heard(start, 12));
        assert!(lane.hear(&heard(start, 30_000)));
        assert_eq!(lane.losses.due(), None);
        let block = lane.block(start).unwrap();
        assert_eq!((block.total_lost, block.fraction_lost), (0, 0));
    }

    proptest! {
        /// Reorder, repeats, repairs, jumps: no number is taken twice, and what is said stays sane.
        #[test]
        fn nothing_is_taken_twice(
            steps in proptest::collection::vec((-60i64..60, 0u8..20, any::<u16>()), 1..500),
        ) {
            let start = Instant::now();
            let mut now = start;
            let mut lane = Lane::new(now, 0, 2, 9, 100_000);
            let mut taken = std::collections::HashSet::new();
            let (mut at, mut wanted) = (100_000i64, Vec::new());
            for (step, kind, number) in steps {
                now += Duration::from_millis(3);
                match kind {
                    0 => at += i64::from(number),
                    _ => at = (at + step).max(1),
                }
                let sequence = match kind {
                    1..4 => lane.repair(now, number),
                    4..8 => lane.repair(now, at as u16),
                    _ => lane.hear(&heard(now, at as u64)).then_some(at as u64),
                };
                if let Some(sequence) = sequence {
                    prop_assert!(taken.insert(sequence));
                }
                if kind == 19 {
                    wanted.clear();
                    lane.losses.take(now, &mut wanted);
                    prop_assert!(wanted.len() <= 256);
                    if let Some(block) = lane.block(now) {
                        prop_assert!(block.total_lost.abs() < 1 << 24);
                    }
                }
            }
        }
    }
}
