//! What the runs have found, and what was found beside them: in ordinary tests.

use super::memory;
use super::packets::Meeting;
use crate::ingress::MAX_STREAMS;

const MEMORY: usize = 64 << 20;

/// A packet of the mad one's microphone or of its smallest layer, and more elements behind its own.
fn send(meeting: &mut Meeting, pt: u8, ssrc: u32, index: u64, more: &[u8]) {
    let of = |t: &&super::packets::Template| t.pt == pt;
    let template = meeting.templates.iter().find(of).expect("negotiated");
    let mut extensions = template.extensions.clone();
    extensions.extend_from_slice(more);
    let mut header = vec![0x90, pt];
    header.extend_from_slice(&(index as u16).to_be_bytes());
    header.extend_from_slice(&[0, 0, 0, 9]);
    header.extend_from_slice(&ssrc.to_be_bytes());
    header.extend_from_slice(&[0xbe, 0xde]);
    header.extend_from_slice(&(extensions.len().div_ceil(4) as u16).to_be_bytes());
    header.extend_from_slice(&extensions);
    header.resize(header.len().next_multiple_of(4), 0);
    let payload = [
        &[0x78][..],
        b"1234567 of mallory",
        &ssrc.to_be_bytes(),
        &[1, 0],
    ]
    .concat();
    meeting.send(&header, &payload, ssrc, index);
}

/// An element with a transport-wide sequence number.
fn number(number: u16) -> [u8; 3] {
    let [high, low] = number.to_be_bytes();
    [0x31, high, low]
}

const OPUS: u8 = 111;
const VP8: u8 = 96;
const REPAIR: u8 = 97;

#[test]
fn what_is_missing_between_transport_wide_numbers_is_never_everything() {
    for numbers in [
        [0, 1, 40_000],
        [0, 1, 32_770],
        [5, 6, 65_535],
        [65_534, 65_535, 0],
    ] {
        let mut meeting = Meeting::new();
        let before = memory();
        for (index, at) in numbers.into_iter().enumerate() {
            send(&mut meeting, OPUS, 5, 1000 + index as u64, &number(at));
        }
        // The first is reported at once, the others together.
        meeting.world.run_ms(120);
        assert!(memory() < before + MEMORY, "{numbers:?}");
        assert_eq!(meeting.failure(), None);
        meeting.end();
    }
}

#[test]
fn a_number_below_zero_is_nothing_that_was_lost() {
    let mut meeting = Meeting::new();
    let index = 10u64;
    for index in [index, index.wrapping_sub(100), index + 1] {
        send(&mut meeting, OPUS, 5, index, &[]);
        meeting.world.run_ms(20);
    }
    // Losses are counted every few seconds.
    meeting.world.run_ms(10_000);
    assert_eq!(meeting.world.shard.stats().packets_lost_in, 0);
    meeting.end();
}

#[test]
fn streams_that_are_never_two_packets_old_are_not_remembered_without_end() {
    let mut meeting = Meeting::new();
    let smallest = meeting
        .templates
        .iter()
        .find(|t| t.pt == VP8)
        .map(|t| t.ssrc);
    send(&mut meeting, VP8, smallest.expect("negotiated"), 1000, &[]);
    for ssrc in 100_000..100_000 + 2 * MAX_STREAMS as u32 {
        send(&mut meeting, REPAIR, ssrc, 7, &[]);
        if ssrc % 100 == 0 {
            meeting.world.run_ms(1);
        }
    }
    assert_eq!(meeting.world.shard.held().streams, MAX_STREAMS);
    let dropped = &meeting.world.shard.stats().datagrams_dropped;
    assert!(dropped["too_many_streams"] >= MAX_STREAMS as u64);
    assert_eq!(meeting.failure(), None);
    meeting.end();
}
