use proptest::prelude::*;
use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::from_feature_flags;

use super::*;
use crate::buffers::Buffers;
use crate::layers::MAX_SPATIAL;
use crate::rtp::known::{MID, REPAIRED_RID, RID, TRANSPORT_CC};
use crate::rtp::rtcp::Feedback;
use crate::sdp::{SectionKind, offered_section};
use crate::transport::srtp::{SrtpSecrets, SrtpSender};

const VP8: u8 = 96;
const RTX: u8 = 97;
const OPUS: u8 = 111;

/// Ids of header extensions.
const ID_MID: u8 = 1;
const ID_RID: u8 = 2;
const ID_REPAIRED_RID: u8 = 3;
const ID_NUMBER: u8 = 4;

/// A client, and what takes its packets.
struct Line {
    now: Instant,
    ingress: Ingress,
    srtp: SrtpReceiver,
    client: SrtpSender,
    buffers: Buffers,
    plain: Vec<u8>,
}

/// What was passed on: section, layer, SSRC, payload type, sequence, payload.
type Passed = (usize, u8, u32, u8, u64, Vec<u8>);

/// One packet of the client.
#[derive(Clone)]
struct Packet {
    ssrc: u32,
    pt: u8,
    index: u64,
    elements: Vec<(u8, Vec<u8>)>,
    payload: Vec<u8>,
    has_padding: bool,
}

fn packet(ssrc: u32, pt: u8, index: u64) -> Packet {
    Packet {
        ssrc,
        pt,
        index,
        elements: Vec::new(),
        payload: vec![7; 20],
        has_padding: false,
    }
}

/// A repair of the packet with this number.
fn repair(ssrc: u32, index: u64, original: u16) -> Packet {
    let mut packet = packet(ssrc, RTX, index);
    packet.payload.splice(0..0, original.to_be_bytes());
    packet
}

impl Packet {
    fn with(mut self, id: u8, value: &[u8]) -> Packet {
        self.elements.push((id, value.to_vec()));
        self
    }

    fn header(&self) -> Vec<u8> {
        let mut header = vec![0x90 | u8::from(self.has_padding) << 5, self.pt];
        header.extend_from_slice(&(self.index as u16).to_be_bytes());
        header.extend_from_slice(&(self.index as u32 * 3000).to_be_bytes());
        header.extend_from_slice(&self.ssrc.to_be_bytes());
        let mut block = Vec::new();
        for (id, value) in &self.elements {
            block.push(id << 4 | (value.len() as u8 - 1));
            block.extend_from_slice(value);
        }
        block.resize(block.len().next_multiple_of(4), 0);
        header.extend_from_slice(&[0xbe, 0xde, 0, (block.len() / 4) as u8]);
        header.extend_from_slice(&block);
        header
    }
}

impl Line {
    /// Three sections: a microphone, a camera with its SSRCs in the offer, and one of simulcast.
    fn new() -> Line {
        let crypto = from_feature_flags();
        let secrets = SrtpSecrets::new(&[5; 56], SrtpProfile::AEAD_AES_128_GCM);
        let (client, _) = secrets.contexts(&crypto, true).unwrap();
        let (_, srtp) = secrets.contexts(&crypto, false).unwrap();
        let now = Instant::now();
        let mut ingress = Ingress::new(now);
        let mut extensions = SessionExtensions::default();
        let named = [
            (ID_MID, MID),
            (ID_RID, RID),
            (ID_REPAIRED_RID, REPAIRED_RID),
            (ID_NUMBER, TRANSPORT_CC),
        ];
        let named = named.map(|(id, uri)| (id, uri.to_owned()));
        extensions.learn(named.iter());
        let mic = offered_section("mic", SectionKind::Audio);
        let mut camera = offered_section("cam", SectionKind::Video);
        (camera.ssrcs, camera.repair) = (vec![100, 101], vec![(100, 101)]);
        let simulcast = offered_section("sim", SectionKind::Video);
        let codecs = [&mic, &camera]
            .map(|section| section.codecs.clone())
            .concat();
        ingress.negotiated(&codecs, &extensions);
        ingress.expect(0, &mic, &[]);
        ingress.expect(1, &camera, &[]);
        ingress.expect(2, &simulcast, &rids());
        Line {
            now,
            ingress,
            srtp,
            client,
            buffers: Buffers::default(),
            plain: Vec::new(),
        }
    }

    fn seal(&mut self, packet: &Packet) -> Vec<u8> {
        let (header, buffers) = (packet.header(), &mut self.buffers);
        self.client
            .protect_rtp(&header, &packet.payload, packet.ssrc, packet.index, buffers)
            .unwrap()
    }

    fn receive(&mut self, datagram: &[u8]) -> Result<Option<Passed>, &'static str> {
        let received = self
            .ingress
            .receive(self.now, &mut self.srtp, datagram, &mut self.plain)?;
        Ok(received.map(|a| {
            let payload = a.payload.to_vec();
            (a.place, a.layer, a.ssrc, a.pt, a.sequence, payload)
        }))
    }

    fn send(&mut self, packet: &Packet) -> Result<Option<Passed>, &'static str> {
        let datagram = self.seal(packet);
        self.receive(&datagram)
    }

    /// Section, layer and SSRC of what is passed on of a packet.
    fn lands(&mut self, packet: &Packet) -> Option<(usize, u8, u32)> {
        let passed = self.send(packet).expect("authentic");
        passed.map(|(place, layer, ssrc, ..)| (place, layer, ssrc))
    }

    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// What the client is told by now, and in how many datagrams.
    fn told(&mut self) -> (Vec<Feedback>, usize) {
        let (mut told, mut datagrams) = (Vec::new(), 0);
        self.ingress.control(self.now, |compound| {
            assert!(compound.len() <= 1200, "{}", compound.len());
            rtcp::parse(compound, |feedback| told.push(feedback));
            datagrams += 1;
        });
        (told, datagrams)
    }

    fn nacked(&mut self) -> Vec<(u32, u16, u16)> {
        let told = self.told().0.into_iter();
        let nacks = told.filter_map(|feedback| match feedback {
            Feedback::Nack {
                ssrc,
                first,
                following,
            } => Some((ssrc, first, following)),
            _ => None,
        });
        nacks.collect()
    }
}

fn rids() -> Vec<(String, u8)> {
    [("q", 0), ("h", 1), ("f", 2)]
        .map(|(rid, layer)| (rid.to_owned(), layer))
        .to_vec()
}

#[test]
fn streams_find_their_sections() {
    let mut line = Line::new();
    let mid = |packet: Packet, mid: &str| packet.with(ID_MID, mid.as_bytes());
    // By what they say, once.
    let mic = packet(5, OPUS, 10);
    assert_eq!(line.lands(&mid(mic, "mic")), Some((0, MAX_SPATIAL, 5)));
    assert_eq!(line.lands(&packet(5, OPUS, 11)), Some((0, MAX_SPATIAL, 5)));
    for (ssrc, rid, layer) in [(6, "h", 1), (7, "q", 0), (8, "f", 2)] {
        let layered = mid(packet(ssrc, VP8, 10), "sim").with(ID_RID, rid.as_bytes());
        assert_eq!(line.lands(&layered), Some((2, layer, ssrc)));
        assert_eq!(line.lands(&packet(ssrc, VP8, 11)), Some((2, layer, ssrc)));
    }
    // By the offer.
    assert_eq!(
        line.lands(&packet(100, VP8, 10)),
        Some((1, MAX_SPATIAL, 100))
    );
    // What says nothing, or something else, or another kind, is nobody's.
    assert_eq!(line.lands(&packet(9, VP8, 10)), None);
    assert_eq!(line.lands(&mid(packet(10, VP8, 10), "xyz")), None);
    assert_eq!(line.lands(&mid(packet(11, VP8, 10), "mic")), None);
    assert_eq!(line.lands(&mid(packet(12, VP8, 10), "sim")), None);
    let layered = mid(packet(13, VP8, 10), "sim").with(ID_RID, b"x");
    assert_eq!(line.lands(&layered), None);
    assert_eq!(line.lands(&mid(packet(14, 77, 10), "cam")), None);
    // Later it may say more.
    let layered = mid(packet(12, VP8, 11), "sim").with(ID_RID, b"q");
    assert_eq!(line.lands(&layered), Some((2, 0, 12)));
}

#[test]
fn a_payload_type_of_one_section_is_enough_as_a_last_resort() {
    let mut line = Line::new();
    // Two sections have it.
    assert_eq!(line.lands(&packet(9, VP8, 10)), None);
    assert_eq!(line.lands(&packet(4, OPUS, 10)), Some((0, MAX_SPATIAL, 4)));
    // Another guess replaces a guess, and neither what was named.
    assert_eq!(line.lands(&packet(5, OPUS, 10)), Some((0, MAX_SPATIAL, 5)));
    let named = packet(6, OPUS, 10).with(ID_MID, b"mic");
    assert_eq!(line.lands(&named), Some((0, MAX_SPATIAL, 6)));
    assert_eq!(line.lands(&packet(7, OPUS, 10)), None);
    // Probes of the network are nobody's.
    assert_eq!(line.lands(&packet(0, OPUS, 10)), None);
}

#[test]
fn repairs_come_out_as_what_they_repair() {
    let mut line = Line::new();
    let layer = |packet: Packet, id| packet.with(ID_MID, b"sim").with(id, b"h");
    let named = layer(repair(61, 5, 11), ID_REPAIRED_RID);
    assert_eq!(line.send(&named), Ok(None), "there is nothing to repair");
    line.send(&layer(packet(60, VP8, 10), ID_RID)).unwrap();
    line.send(&packet(60, VP8, 13)).unwrap();
    let payload = vec![7; 20];
    let named = layer(repair(61, 6, 11), ID_REPAIRED_RID);
    let expected = (2, 1, 60, VP8, 11, payload.clone());
    assert_eq!(line.send(&named), Ok(Some(expected)));
    let twice = line.send(&repair(61, 7, 11));
    assert_eq!(twice, Ok(None), "a packet comes once");
    assert_eq!(line.send(&packet(60, VP8, 11)), Ok(None));
    assert_eq!(line.ingress.counts.repairs, 2);

    // By the SSRCs of the offer.
    line.send(&packet(100, VP8, 65_535)).unwrap();
    line.send(&packet(100, VP8, 65_538)).unwrap();
    let expected = (1, MAX_SPATIAL, 100, VP8, 65_536, payload);
    assert_eq!(line.send(&repair(101, 9, 0)), Ok(Some(expected)));
}

#[test]
fn padding_and_stumps_are_survived() {
    let mut line = Line::new();
    line.send(&packet(100, VP8, 10)).unwrap();
    let mut probe = packet(101, RTX, 1);
    probe.has_padding = true;
    for (at, (payload, has_padding, expected)) in [
        (vec![255; 255], true, Ok(None)),
        (vec![0, 9], false, Ok(None)),
        (vec![0, 9, 1], true, Ok(None)),
        (vec![], false, Ok(None)),
        (vec![9], false, Ok(None)),
        (vec![], true, Err("malformed_rtp")),
        (vec![0], true, Err("malformed_rtp")),
        (vec![9], true, Err("malformed_rtp")),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stump = probe.clone();
        (stump.payload, stump.has_padding) = (payload, has_padding);
        stump.index += at as u64;
        if expected == Ok(None) && stump.payload.len() == 2 {
            // An empty packet that was lost.
            assert!(line.send(&stump).unwrap().is_some());
        } else {
            assert_eq!(line.send(&stump).map(|passed| passed.map(|_| ())), expected);
        }
    }
    let mut padded = packet(100, VP8, 11);
    (padded.payload, padded.has_padding) = (vec![1, 2, 0, 0, 3], true);
    let passed = line.send(&padded).unwrap().unwrap();
    assert_eq!(passed.5, [1, 2]);
}

#[test]
fn forged_and_repeated_packets_leave_nothing_behind() {
    let mut line = Line::new();
    let genuine = line.seal(&packet(100, VP8, 10));
    for at in 0..genuine.len() {
        let mut forged = genuine.clone();
        forged[at] ^= 0x11;
        assert!(line.receive(&forged).is_err());
        assert!(line.receive(&genuine[..at]).is_err());
    }
    assert_eq!(line.ingress.held(), (0, 0));
    assert_eq!(line.ingress.due(), None);
    assert!(line.receive(&genuine).unwrap().is_some());
    assert_eq!(line.receive(&genuine), Err("srtp_repeated"));
    // A forged packet far ahead does not move the window.
    let mut ahead = line.seal(&packet(100, VP8, 30_000));
    *ahead.last_mut().unwrap() ^= 1;
    assert_eq!(line.receive(&ahead), Err("srtp_rejected"));
    assert!(line.send(&packet(100, VP8, 11)).unwrap().is_some());
    assert_eq!(line.send(&packet(100, VP8, 9)).unwrap().unwrap().4, 9);
    // Of another round than the stream is in.
    assert_eq!(line.send(&packet(100, VP8, 3 << 16)), Err("srtp_rejected"));
}

#[test]
fn streams_are_bounded() {
    let mut line = Line::new();
    for ssrc in 0..MAX_STREAMS as u32 {
        line.send(&packet(1000 + ssrc, VP8, 1)).unwrap();
    }
    assert_eq!(line.send(&packet(9, VP8, 1)), Err("too_many_streams"));
    assert!(line.send(&packet(1000, VP8, 2)).is_ok(), "those go on");
    assert_eq!(line.ingress.held().0, MAX_STREAMS);
}

#[test]
fn a_source_is_replaced_by_a_new_one_and_comes_back_after_a_silence() {
    let mut line = Line::new();
    let named = |ssrc, index| packet(ssrc, VP8, index).with(ID_MID, b"cam");
    let camera = |ssrc| Some((1, MAX_SPATIAL, ssrc));
    assert_eq!(line.lands(&named(100, 10)), camera(100));
    assert_eq!(line.lands(&named(200, 900)), camera(200));
    // Stragglers.
    assert_eq!(line.lands(&named(100, 11)), None);
    assert_eq!(line.lands(&named(200, 901)), camera(200));
    line.wait(1000);
    assert_eq!(line.lands(&named(100, 12)), camera(100));
    assert_eq!(line.lands(&named(200, 902)), None);
    // Repairs of the former source do not repair the new one at once.
    line.send(&packet(100, VP8, 14)).unwrap();
    assert!(line.lands(&repair(101, 1, 13)).is_some());
    line.lands(&named(300, 11));
    assert_eq!(line.lands(&repair(101, 2, 12)), None);
}

#[test]
fn what_was_in_a_section_is_forgotten_with_it_and_taken_once_all_the_same() {
    let mut line = Line::new();
    let named = packet(5, OPUS, 10).with(ID_MID, b"mic");
    let sealed = line.seal(&named);
    assert!(line.receive(&sealed).unwrap().is_some());
    line.ingress.forget(0);
    assert_eq!(line.ingress.held(), (1, 0));
    assert_eq!(line.receive(&sealed), Err("srtp_repeated"));
    assert_eq!(line.lands(&packet(5, OPUS, 11)), None);
    assert!(!line.ingress.request_key_frame(line.now, 5));
    let again = offered_section("mic", SectionKind::Audio);
    line.ingress.expect(0, &again, &[]);
    let named = packet(5, OPUS, 12).with(ID_MID, b"mic");
    assert_eq!(line.lands(&named), Some((0, MAX_SPATIAL, 5)));
    // The same layers again change nothing; others are begun anew.
    let simulcast = offered_section("sim", SectionKind::Video);
    let layered = packet(7, VP8, 10).with(ID_MID, b"sim").with(ID_RID, b"q");
    line.lands(&layered);
    line.ingress.expect(2, &simulcast, &rids());
    assert_eq!(line.lands(&packet(7, VP8, 11)), Some((2, 0, 7)));
    line.ingress.expect(2, &simulcast, &rids()[..2]);
    assert_eq!(line.lands(&packet(7, VP8, 12)), None);
}

#[test]
fn missing_packets_are_asked_for_where_they_can_be_repaired() {
    let mut line = Line::new();
    for index in [65_530, 65_531, 65_540] {
        line.send(&packet(100, VP8, index)).unwrap();
        line.send(&packet(5, OPUS, index)).unwrap();
    }
    assert!(line.nacked().is_empty());
    line.send(&packet(100, VP8, 65_533)).unwrap();
    line.wait(10);
    assert_eq!(line.nacked(), [(100, 65_532, 0b111_1110)]);
    assert_eq!(line.ingress.counts.nacks, 7);
    line.send(&repair(101, 1, 65_532)).unwrap();
    line.ingress.key_frame(1, MAX_SPATIAL, 65_538);
    line.wait(50);
    assert_eq!(line.nacked(), [(100, 2, 1)]);
    line.ingress.goodbye(100);
    line.wait(100);
    assert!(line.nacked().is_empty());
}

#[test]
fn the_client_is_told_what_came_while_it_sends() {
    let mut line = Line::new();
    assert_eq!(line.ingress.due(), None);
    let number = |n: u16| n.to_be_bytes();
    line.send(&packet(100, VP8, 10).with(ID_NUMBER, &number(1)))
        .unwrap();
    line.send(&packet(0, VP8, 10).with(ID_NUMBER, &number(2)))
        .unwrap();
    line.wait(99);
    assert_eq!(line.told().1, 0);
    line.wait(1);
    assert_eq!(line.told().1, 1, "by their transport-wide numbers");
    line.wait(100);
    let report = |ssrc| Feedback::Report {
        ssrc,
        fraction_lost: 0,
        total_lost: 0,
    };
    assert_eq!(line.told().0, [report(100)]);
    line.send(&packet(100, VP8, 11)).unwrap();
    line.send(&packet(5, OPUS, 11)).unwrap();
    line.wait(1000);
    assert_eq!(line.told().0, [report(100), report(5)]);
    line.wait(1000);
    assert_eq!(line.told().1, 0, "nothing more came");
    assert_eq!(line.ingress.due(), None, "nobody is waked for nothing");
}

#[test]
fn key_frames_are_asked_for_as_the_client_understands() {
    let mut line = Line::new();
    line.send(&packet(100, VP8, 10)).unwrap();
    assert!(!line.ingress.request_key_frame(line.now, 7));
    for _ in 0..3 {
        assert!(line.ingress.request_key_frame(line.now, 100));
    }
    let asked = Feedback::KeyFrame { ssrc: 100 };
    assert_eq!(line.told().0, [asked], "once for all who ask");
    let mut codecs = offered_section("cam", SectionKind::Video).codecs;
    codecs[0].feedback = vec!["ccm fir".into()];
    let extensions = line.ingress.extensions;
    line.ingress.negotiated(&codecs, &extensions);
    line.ingress.request_key_frame(line.now, 100);
    let mut kinds = Vec::new();
    line.ingress
        .control(line.now, |compound| kinds.extend_from_slice(&compound[..2]));
    assert_eq!(kinds, [0x84, 206], "a full intra request");
}

#[test]
fn sender_reports_are_of_streams_that_are_known_or_offered() {
    let mut line = Line::new();
    let (now, camera) = (line.now, Some((1, MAX_SPATIAL)));
    assert_eq!(
        line.ingress.sender_report(now, 100, 1),
        camera,
        "before the first packet"
    );
    assert_eq!(line.ingress.sender_report(now, 9, 1), None);
    line.send(&packet(100, VP8, 10)).unwrap();
    line.send(&packet(100, VP8, 12)).unwrap();
    assert!(line.lands(&repair(101, 1, 11)).is_some());
    assert_eq!(line.ingress.sender_report(now, 100, 1), camera);
    assert_eq!(line.ingress.sender_report(now, 101, 1), None);
}

proptest! {
    /// Any order, repeats, forgeries, repairs of anything: each packet is passed on at most once, as
    /// what it is, and what is remembered stays small.
    #[test]
    fn whatever_comes_is_passed_on_once(
        steps in proptest::collection::vec((0u8..12, -300i64..300, any::<u16>()), 1..300),
    ) {
        let mut line = Line::new();
        let mut taken = std::collections::HashSet::new();
        let (mut at, mut outer) = (70_000i64, 0);
        let first = packet(100, VP8, 10);
        line.send(&first).unwrap();
        // Into the second round.
        for index in (10_000..70_000).step_by(20_000) {
            line.send(&packet(100, VP8, index)).unwrap();
        }
        for (kind, step, number) in steps {
            line.wait(3);
            let mut sealed = match kind {
                0..7 => {
                    at = (at + step).max(66_000);
                    line.seal(&packet(100, VP8, at as u64))
                }
                7 => {
                    at += i64::from(number) / 4;
                    line.seal(&packet(100, VP8, at as u64))
                }
                8 | 9 => {
                    outer += 1;
                    let original = if kind == 8 { number } else { (at + step) as u16 };
                    line.seal(&repair(101, outer, original))
                }
                _ => line.seal(&packet(100, VP8, at as u64 + 1)),
            };
            if kind == 10 {
                let place = usize::from(number) % sealed.len();
                sealed[place] ^= 1;
                prop_assert!(line.receive(&sealed).is_err());
                continue;
            }
            if let Ok(Some((place, _, ssrc, pt, sequence, payload))) = line.receive(&sealed) {
                prop_assert_eq!((place, ssrc, pt), (1, 100, VP8));
                prop_assert_eq!(payload.len(), 20);
                prop_assert!(taken.insert(sequence), "{}", sequence);
            }
            prop_assert!(line.receive(&sealed).is_err(), "a repeat");
            line.told();
            prop_assert!(line.ingress.held() <= (2, 1));
        }
    }
}
