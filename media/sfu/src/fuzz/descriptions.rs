//! Offers and answers: read, and what was read used by a shard as if a client had sent it.

use std::time::{Duration, Instant};

use super::{Dice, run};
use crate::common::everything;
use crate::layers::MAX_SPATIAL;
use crate::sdp::{
    MAX_EXTENSIONS, MAX_FORMATS, MAX_SECTIONS, MAX_SSRCS, Offer, parse_answer, parse_offer,
};
use crate::{
    Candidate, Command, Event, ExpectedTrack, Kind, ParticipantId, Shard, ShardConfig, Stream,
    TrackId,
};

/// The tracks in the seeds.
const CIDS: [(&str, Kind); 2] = [
    ("11111111-aaaa-4aaa-8aaa-111111111111", Kind::Audio),
    ("22222222-bbbb-4bbb-8bbb-222222222222", Kind::Video),
];

fn offers() -> Vec<Vec<u8>> {
    [
        include_str!("../../tests/offers/chromium-data-only.sdp"),
        include_str!("../../tests/offers/chromium-join.sdp"),
        include_str!("../../tests/offers/chromium-publish.sdp"),
        include_str!("../../tests/offers/chromium-simulcast.sdp"),
        include_str!("../../tests/offers/firefox-publish.sdp"),
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

impl Dice {
    /// Most damage that is done to bytes is noticed in the first line that it hits; lines that are
    /// whole and in the wrong place, or of another description, get further.
    fn damage_lines(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        if self.one_in(3) {
            return self.damage(seeds);
        }
        let split = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect()
        };
        let mut lines = split(&self.pick::<Vec<u8>>(seeds)[..]);
        for _ in 0..=self.roll(5) {
            let at = self.roll(lines.len());
            match self.roll(7) {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => {
                    let other = self.roll(lines.len());
                    lines.swap(at, other);
                }
                3 => {
                    let others = split(&self.pick::<Vec<u8>>(seeds)[..]);
                    lines.insert(at, self.pick(&others).clone());
                }
                4 => {
                    let digits = [b'0' + self.roll(10) as u8, b'0' + self.roll(10) as u8];
                    let digit = lines[at].iter().position(u8::is_ascii_digit);
                    if let Some(digit) = digit {
                        lines[at].splice(digit..=digit, digits[..self.roll(3)].iter().copied());
                    }
                }
                5 => lines[at] = self.damage(&[lines[at].clone()]),
                _ => {
                    // A whole section, once more or not at all.
                    let is_media = |line: &Vec<u8>| line.starts_with(b"m=");
                    let starts: Vec<usize> = (0..lines.len())
                        .filter(|at| is_media(&lines[*at]))
                        .collect();
                    if let Some(&from) = starts.get(self.roll(starts.len())) {
                        let to = starts.iter().copied().find(|at| *at > from);
                        let to = to.unwrap_or(lines.len());
                        let section = lines[from..to].to_vec();
                        if self.one_in(2) {
                            lines.splice(to..to, section);
                        } else {
                            drop(lines.drain(from..to));
                        }
                    }
                }
            }
            if lines.is_empty() {
                break;
            }
        }
        lines.join(&b'\n')
    }
}

/// Whatever was written: no more than this was read of it.
fn check_bounds(read: &Offer) {
    assert!(read.sections.len() <= MAX_SECTIONS);
    for section in &read.sections {
        assert!(section.codecs.len() <= MAX_FORMATS);
        assert!(section.extensions.len() <= MAX_EXTENSIONS);
        assert!(section.ssrcs.len() <= MAX_SSRCS && section.repair.len() <= MAX_SSRCS);
        assert!((1..=16).contains(&section.mid.len()));
        let mut layers: Vec<u8> = section.rids.iter().map(|(_, layer)| *layer).collect();
        layers.sort_unstable();
        layers.dedup();
        assert_eq!(layers.len(), section.rids.len(), "each layer once");
        assert!(layers.iter().all(|layer| *layer <= MAX_SPATIAL));
    }
}

/// A shard with somebody who publishes, in which each input is said by a fresh participant.
struct Table {
    shard: Shard,
    now: Instant,
    tracks: Vec<TrackId>,
    footprint: [usize; 7],
}

impl Table {
    fn new() -> Self {
        let now = Instant::now();
        let local = "198.51.100.1:7882".parse().unwrap();
        let config = ShardConfig {
            candidates: vec![Candidate {
                local,
                advertised: local,
            }],
        };
        let mut table = Table {
            shard: Shard::new(config, now),
            now,
            tracks: Vec::new(),
            footprint: [0; 7],
        };
        let carol = table.open("carol", false);
        for (cid, kind) in CIDS {
            let track = table.announce(&carol, "carols", cid, kind);
            table.tracks.push(track);
        }
        table.events();
        table.footprint = table.shard.footprint();
        table
    }

    fn command(&mut self, command: Command) {
        self.shard.command(self.now, command);
    }

    fn open(&mut self, name: &str, is_dual: bool) -> ParticipantId {
        let participant: ParticipantId = format!("PA_{name}").into();
        self.command(Command::Open {
            room: "r".into(),
            participant: participant.clone(),
            identity: name.into(),
            grant: everything(),
            is_dual,
        });
        participant
    }

    fn announce(&mut self, whose: &ParticipantId, name: &str, cid: &str, kind: Kind) -> TrackId {
        let track: TrackId = format!("TR_{name}_{kind:?}").into();
        let expected = ExpectedTrack {
            track: track.clone(),
            cid: cid.into(),
            kind,
            stream: Stream::Camera,
            muted: false,
            stereo: true,
            dtx: true,
            codec: None,
            shown_as: None,
        };
        self.command(Command::AddTrack {
            participant: whose.clone(),
            track: expected,
        });
        track
    }

    fn subscribe(&mut self, participant: &ParticipantId) {
        for track in self.tracks.clone() {
            self.command(Command::Subscribe {
                participant: participant.clone(),
                track,
            });
        }
    }

    /// What happened meanwhile and in the next moment.
    fn events(&mut self) -> Vec<Event> {
        for _ in 0..2 {
            self.now += Duration::from_millis(150);
            self.shard.advance(self.now);
        }
        self.shard.transmits();
        self.shard.events().collect()
    }

    /// Nothing of who was there is left.
    fn close(&mut self, participant: ParticipantId) {
        self.command(Command::Close { participant });
        self.events();
        assert_eq!(self.shard.footprint(), self.footprint);
        assert_eq!(self.shard.stats().panics, 0);
    }
}

/// An answer of ours is one that a client can read: sections as offered, in the same order.
fn check_answer(offer: &Offer, sdp: &str) {
    let (answer, is_active) = match parse_answer(sdp) {
        Ok(read) => read,
        // Of nothing but rejected sections.
        Err(_) if !sdp.contains("\r\na=setup:") => return,
        Err(error) => panic!("{error}: {sdp}"),
    };
    assert!(is_active, "the client begins");
    assert_eq!(answer.sections.len(), offer.sections.len());
    for (offered, answered) in offer.sections.iter().zip(&answer.sections) {
        assert_eq!(offered.mid, answered.mid);
        assert_eq!(offered.kind, answered.kind, "{sdp}");
        for codec in &answered.codecs {
            let is_offered = |c: &crate::sdp::Codec| c.pt == codec.pt && c.name == codec.name;
            assert!(offered.codecs.iter().any(is_offered), "{sdp}");
        }
    }
}

#[test]
#[ignore = "runs as long as it is told to"]
fn offer() {
    let seeds = offers();
    let mut table = Table::new();
    run("offer", &seeds, Dice::damage_lines, |dice, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(read) = parse_offer(&text) else {
            return;
        };
        check_bounds(&read);
        // Using it takes many times as long as reading it.
        if !dice.one_in(3) {
            return;
        }
        let participant = table.open("mallory", false);
        for (cid, kind) in CIDS {
            table.announce(&participant, "mallorys", cid, kind);
        }
        table.subscribe(&participant);
        let mut offers = vec![(read, text.into_owned())];
        for _ in 0..dice.roll(3) {
            let changed = dice.damage_lines(&[bytes.to_vec()]);
            let changed = String::from_utf8_lossy(&changed).into_owned();
            if let Ok(read) = parse_offer(&changed) {
                offers.push((read, changed));
            }
        }
        for (number, (read, sdp)) in offers.into_iter().enumerate() {
            let offer_id = number as u32 + 1;
            table.command(Command::Offer {
                participant: participant.clone(),
                offer_id,
                sdp,
            });
            let mut said = 0;
            for event in table.events() {
                match event {
                    Event::Answer {
                        offer_id: id, sdp, ..
                    } => {
                        assert_eq!(id, offer_id);
                        check_answer(&read, &sdp);
                        said += 1;
                    }
                    Event::OfferRejected { reason, .. } => {
                        assert!(!reason.is_empty());
                        said += 1;
                    }
                    Event::ParticipantFailed { reason, .. } => panic!("{reason}"),
                    _ => {}
                }
            }
            assert_eq!(said, 1, "every offer is answered or rejected, once");
        }
        table.close(participant);
    });
}

/// Offers of ours made into what clients answer: as they write it, each with credentials of its own.
fn answers(table: &mut Table) -> Vec<Vec<u8>> {
    let bob = table.open("bob", true);
    table.subscribe(&bob);
    let offered = table.events().into_iter().find_map(|event| match event {
        Event::Offer { sdp, .. } => Some(sdp),
        _ => None,
    });
    let offered = offered.expect("an offer is made");
    table.close(bob);
    let browser = include_str!("../../tests/offers/chromium-simulcast.sdp");
    let of = |name: &str| browser.lines().find(|line| line.starts_with(name)).unwrap();
    let answer = |setup: &str, direction: &str, repair: bool| {
        let lines = offered.lines().filter_map(|line| {
            let replaced = match line.split(':').next()? {
                "a=ice-ufrag" => of("a=ice-ufrag:").to_owned(),
                "a=ice-pwd" => of("a=ice-pwd:").to_owned(),
                "a=fingerprint" => of("a=fingerprint:").to_owned(),
                "a=setup" => format!("a=setup:{setup}"),
                "a=sendonly" => format!("a={direction}"),
                "a=ice-lite"
                | "a=candidate"
                | "a=end-of-candidates"
                | "a=msid"
                | "a=ssrc"
                | "a=ssrc-group" => return None,
                "a=rtpmap" | "a=fmtp" if !repair && line.contains("rtx/") => return None,
                _ => line.to_owned(),
            };
            Some(replaced + "\r\n")
        });
        lines.collect::<String>().into_bytes()
    };
    let mut answers = vec![
        answer("active", "recvonly", true),
        answer("passive", "recvonly", true),
        answer("active", "sendrecv", false),
        answer("active", "inactive", true),
    ];
    // One that takes nothing but sound, as clients without the codecs of a picture do.
    let text = String::from_utf8_lossy(&answers[0]).replace("m=video 9 ", "m=video 0 ");
    answers.push(text.into_bytes());
    for answer in &answers {
        let text = String::from_utf8_lossy(answer);
        assert!(parse_answer(&text).is_ok(), "{text}");
    }
    answers
}

#[test]
#[ignore = "runs as long as it is told to"]
fn answer() {
    let mut table = Table::new();
    let seeds = answers(&mut table);
    run("answer", &seeds, Dice::damage_lines, |dice, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok((read, _)) = parse_answer(&text) else {
            return;
        };
        check_bounds(&read);
        let bob = table.open("bob", true);
        table.subscribe(&bob);
        let mut is_there = true;
        let mut sdp = text.into_owned();
        for _ in 0..3 {
            let mut offers = Vec::new();
            for event in table.events() {
                match event {
                    Event::Offer { offer_id, .. } => offers.push(offer_id),
                    Event::ParticipantFailed {
                        participant,
                        reason,
                    } => {
                        assert_eq!(participant, bob);
                        assert!(reason.starts_with("answer: "), "{reason}");
                        is_there = false;
                    }
                    _ => {}
                }
            }
            let Some(offer_id) = offers.pop().filter(|_| is_there) else {
                break;
            };
            assert!(offers.is_empty(), "one at a time");
            table.command(Command::Answer {
                participant: bob.clone(),
                offer_id,
                sdp: sdp.clone(),
            });
            // It comes back, and answers the next one in its own way.
            if dice.one_in(2) {
                let changed = dice.damage_lines(&[bytes.to_vec()]);
                sdp = String::from_utf8_lossy(&changed).into_owned();
            }
            table.command(Command::RestartIce {
                participant: bob.clone(),
            });
        }
        table.close(bob);
    });
}
