//! What one subscriber is sent of layers that come damaged, late, twice or not at all: selection,
//! numbering, pictures, resends and fillers together.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use str0m::crypto::dtls::SrtpProfile;

use super::{Dice, payloads, run};
use crate::buffers::Buffers;
use crate::layers::numbering::extend;
use crate::layers::selector::{Limit, Selector, Take};
use crate::rtp::egress::{Egress, Format, Line, MediaPacket, SourceClock};
use crate::rtp::extension::{SectionExtensions, Values};
use crate::rtp::keyframe::marks;
use crate::sdp::CodecName;
use crate::transport::dtls::crypto;
use crate::transport::srtp::{SrtpSecrets, SrtpSender};

const SSRC: u32 = 1000;
const REPAIR: u32 = 2000;
const TAG: usize = 16;
const VP8: Format = Format {
    codec: CodecName::Vp8,
    pt: 96,
    rtx: Some(97),
};

/// The numbers of one outgoing stream as a receiver extends them, of the last ones only.
#[derive(Default)]
struct Seen {
    highest: u64,
    numbers: HashSet<u64>,
}

impl Seen {
    fn note(&mut self, number: u16) {
        let near = if self.numbers.is_empty() {
            u64::from(number)
        } else {
            self.highest
        };
        let number = extend(number, 16, near);
        assert!(self.numbers.insert(number), "{number} is used twice");
        self.highest = self.highest.max(number);
        if self.numbers.len() > 20_000 {
            let oldest = self.highest.saturating_sub(10_000);
            self.numbers.retain(|number| *number > oldest);
        }
    }
}

/// One layer at its publisher.
#[derive(Default)]
struct Layer {
    sequence: u64,
    timestamp: u32,
}

struct Receiver {
    egress: Egress,
    selector: Selector,
    srtp: SrtpSender,
    buffers: Buffers,
    seen: HashMap<u32, Seen>,
}

impl Receiver {
    fn new(now: Instant) -> Self {
        let secrets = SrtpSecrets::new(&[7; 56], SrtpProfile::AEAD_AES_128_GCM);
        let extensions = SectionExtensions::default();
        Receiver {
            egress: Egress::new(SSRC, REPAIR, "1", extensions, "PA_a".into(), now),
            selector: Selector::default(),
            srtp: secrets.contexts(&crypto().provider, false).unwrap().0,
            buffers: Buffers::default(),
            seen: HashMap::new(),
        }
    }

    fn take(&mut self, datagram: Vec<u8>) {
        let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
        let (number, ssrc) = (word(0) as u16, word(8));
        assert!(ssrc == SSRC || ssrc == REPAIR);
        self.seen.entry(ssrc).or_default().note(number);
        self.buffers.give_back(datagram);
    }
}

#[test]
#[ignore = "runs as long as it is told to"]
fn outgoing() {
    let mut now = Instant::now();
    let mut receiver = Receiver::new(now);
    let mut layers: [Layer; 3] = Default::default();
    let parse = |dice: &mut Dice, bytes: &[u8]| {
        now += Duration::from_micros(dice.roll(20_000) as u64);
        if dice.one_in(200_000) {
            receiver = Receiver::new(now);
        }
        let spatial = dice.roll(3) as u8;
        let layer = &mut layers[usize::from(spatial)];
        match dice.roll(400) {
            0 => layer.sequence += dice.roll(70_000) as u64,
            1..20 => layer.sequence += dice.roll(5) as u64,
            _ => layer.sequence += 1,
        }
        match dice.roll(100) {
            0 => layer.timestamp = dice.roll(1 << 32) as u32,
            1..50 => layer.timestamp = layer.timestamp.wrapping_add(3000),
            _ => {}
        }
        let back = match dice.roll(20) {
            0 => dice.roll(3000) as u64,
            1 | 2 => dice.roll(8) as u64,
            _ => 0,
        };
        let (read, vp8) = marks(CodecName::Vp8, bytes);
        let packet = MediaPacket {
            // Now and then another source in the same layer.
            ssrc: u32::from(spatial) + 10 * u32::from(dice.one_in(500)),
            sequence: layer.sequence.saturating_sub(back),
            timestamp: layer.timestamp,
            marker: dice.one_in(2),
            values: Values::default(),
            payload: bytes.to_vec().into(),
            marks: read,
            vp8,
            descriptor: None,
            dependency: None,
        };
        let clock = (!dice.one_in(3)).then(|| SourceClock {
            timestamp: dice.roll(1 << 32) as u32,
            at: now,
        });
        if dice.one_in(50) {
            receiver.selector.set_limit(Limit {
                spatial: dice.roll(4) as u8,
                temporal: dice.roll(5) as u8,
            });
            let allowed = dice.roll(4) as u8;
            receiver.selector.allow((allowed < 3).then_some(allowed));
        }
        if dice.one_in(300) {
            receiver.selector.interrupt();
            receiver.egress.interrupt();
        }
        let flowing = dice.roll(8) as u8 | 1 << spatial;
        let before = receiver.selector.current();
        let taken = receiver.selector.take(spatial, flowing, &packet.marks);
        if receiver.selector.current() != before {
            assert!(packet.marks.starts_key_frame, "only with a key frame");
            assert_eq!(receiver.selector.current(), Some(spatial));
        }
        let mut line = Line {
            now,
            srtp: &mut receiver.srtp,
            buffers: &mut receiver.buffers,
        };
        let mut sent = Vec::new();
        match taken {
            Take::Pass => {
                let datagram = receiver.egress.write(&mut line, &packet, VP8, clock, None);
                if let Some(datagram) = &datagram {
                    assert!(datagram.len() <= 12 + bytes.len().max(1) + TAG);
                }
                sent.extend(datagram);
            }
            Take::LeaveOut => sent.extend(receiver.egress.leave_out(&mut line, &packet, VP8)),
            Take::Ignore | Take::Wait => {}
        }
        let fillers = receiver.egress.take_fillers(&mut line, VP8);
        assert!(fillers.len() <= 64);
        sent.extend(fillers);
        if dice.one_in(10) {
            let near = receiver.seen.get(&SSRC).map_or(0, |seen| seen.highest) as u16;
            let first = near.wrapping_sub(dice.roll(700) as u16);
            let following = dice.roll(1 << 16) as u16;
            receiver
                .egress
                .resend(&mut line, first, following, &mut sent);
        }
        let report = receiver
            .egress
            .report(now, 1, line.srtp, clock, CodecName::Vp8);
        assert!(report.is_none_or(|report| report.len() < 200));
        for datagram in sent {
            receiver.take(datagram);
        }
    };
    run("outgoing", &payloads()[..2], Dice::damage, parse);
}
