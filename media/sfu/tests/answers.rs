//! Answers of clients to our offers, and everything that is not quite one.

mod common;

use std::net::SocketAddr;

use common::dual::Dual;
use common::{World, everything};
use conclave_sfu::{Command, Event, Kind, TrackId};
use proptest::prelude::*;

/// Somebody who publishes, and a client of two connections that has an offer and is silent.
fn offered(world: &mut World) -> (usize, Dual, TrackId, u32, String) {
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    world.run_ms(300);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &camera);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    world.run_ms(100);
    let (id, offer) = world.server_offers(bob.subscriber)[0].clone();
    (alice, bob, camera, id, offer)
}

fn good_answer(world: &mut World, bob: Dual, camera: &TrackId, offer: &str) -> String {
    let mids = [("1".to_owned(), camera.clone())];
    world.clients[bob.subscriber].accept_offer(offer, &mids)
}

type Twist = fn(&str) -> String;

fn failure(world: &World) -> Option<String> {
    world.events.iter().find_map(|e| match e {
        Event::ParticipantFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn hostile_answers_end_their_sender_in_words_and_nobody_else() {
    let twists: [(&str, Twist); 12] = [
        ("not those of the offer", |a| {
            a.replace("a=mid:1", "a=mid:7")
                .replace("BUNDLE 0 1", "BUNDLE 0 7")
        }),
        ("not those of the offer", |a| {
            let (head, _) = a.split_once("m=video").unwrap();
            head.replace("BUNDLE 0 1", "BUNDLE 0")
        }),
        ("not those of the offer", |a| {
            a.replace("m=video", "m=audio")
        }),
        ("not those of the offer", |a| {
            let video = format!("m=video{}", a.split_once("m=video").unwrap().1);
            format!("{a}{}", video.replace("a=mid:1", "a=mid:2"))
                .replace("BUNDLE 0 1", "BUNDLE 0 1 2")
        }),
        ("no DTLS fingerprint", |a| {
            a.replace("a=fingerprint:", "a=fingertip:")
        }),
        ("fingerprint", |a| {
            a.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 xyz")
        }),
        ("only SHA-256", |a| {
            a.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 ")
        }),
        ("no ICE user fragment", |a| {
            a.replace("a=ice-ufrag:", "a=x:")
        }),
        ("active or the passive", |a| {
            a.replace("a=setup:active", "a=setup:actpass")
        }),
        ("active or the passive", |a| {
            a.replace("a=setup:active", "a=setup:holdconn")
        }),
        ("too large", |a| format!("{a}{}", " ".repeat(3 << 20))),
        ("empty", |_| String::new()),
    ];
    for (index, (reason, twist)) in twists.into_iter().enumerate() {
        let mut world = World::new();
        let (alice, bob, camera, id, offer) = offered(&mut world);
        let answer = good_answer(&mut world, bob, &camera, &offer);
        let twisted = twist(&answer);
        assert_ne!(twisted, answer, "{index} {reason}: {answer}");
        world.answer(bob.subscriber, id, twisted);
        world.run_ms(100);
        let told = failure(&world).unwrap_or_else(|| panic!("{index} {reason}: accepted"));
        assert!(told.contains(reason), "{index} {reason}: {told}");
        assert_eq!(world.shard.stats().participants, 1);
        assert_eq!(world.shard.stats().panics, 0);
        let participant = world.clients[alice].id.clone();
        world.command(Command::Close { participant });
        assert_eq!(world.shard.footprint(), [0; 7]);
    }
}

#[test]
fn payload_types_that_were_not_offered_are_not_used() {
    let mut world = World::new();
    let (_, bob, camera, id, offer) = offered(&mut world);
    let answer = good_answer(&mut world, bob, &camera, &offer);
    let answer = answer
        .replace(
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "m=video 9 UDP/TLS/RTP/SAVPF 120",
        )
        .replace("rtpmap:96 ", "rtpmap:120 ");
    assert!(answer.contains("rtpmap:120 VP8"), "{answer}");
    world.answer(bob.subscriber, id, answer);
    world.run_ms(500);
    assert_eq!(
        world.count(|e| matches!(e, Event::SubscriptionFailed { track, .. } if *track == camera)),
        1
    );
    assert_eq!(failure(&world), None);
}

#[test]
fn later_answers_may_change_neither_fingerprint_nor_credentials() {
    for what in ["a=fingerprint:sha-256 ", "a=ice-pwd:"] {
        let mut world = World::new();
        let (alice, bob, camera, id, offer) = offered(&mut world);
        let answer = good_answer(&mut world, bob, &camera, &offer);
        world.answer(bob.subscriber, id, answer.clone());
        let microphone = world.publish(alice, "mic", Kind::Audio);
        world.subscribe(bob.publisher, &microphone);
        world.run_ms(100);
        let (id, offer) = world.server_offers(bob.subscriber)[1].clone();
        let answer = good_answer(&mut world, bob, &camera, &offer);
        let line = answer.lines().find(|l| l.starts_with(what)).unwrap();
        let end = line.rsplit_once(what).unwrap().1;
        let changed: String = end.chars().rev().collect();
        // Its two ends changed over: as well formed as before.
        let changed = if what.contains("finger") {
            let mut pairs: Vec<&str> = end.split(':').collect();
            pairs.rotate_left(1);
            pairs.join(":")
        } else {
            changed
        };
        world.answer(bob.subscriber, id, answer.replace(end, &changed));
        world.run_ms(100);
        let told = failure(&world).unwrap_or_else(|| panic!("{what} accepted"));
        assert!(
            told.contains("fingerprint") || told.contains("restart"),
            "{told}"
        );
    }
}

#[test]
fn answers_that_nobody_asked_for_are_passed_over() {
    let mut world = World::new();
    let (alice, bob, camera, id, offer) = offered(&mut world);
    let answer = good_answer(&mut world, bob, &camera, &offer);
    // Of somebody with one connection, of nobody, and to offers that were never made.
    world.answer(alice, 1, answer.clone());
    let participant = "PA_nobody".into();
    world.command(Command::Answer {
        participant,
        offer_id: 1,
        sdp: "v=0".into(),
    });
    let participant = world.clients[alice].id.clone();
    world.command(Command::RestartIce { participant });
    world.answer(bob.subscriber, id + 1, "v=0".into());
    world.answer(bob.subscriber, u32::MAX, String::new());
    world.answer(bob.subscriber, id, answer.clone());
    for late in [id, 0, id] {
        world.answer(bob.subscriber, late, "rubbish".into());
    }
    world.run_ms(1500);
    assert_eq!(failure(&world), None);
    assert!(world.received(bob.subscriber, &camera).packets > 30);
}

/// Cut, repeat and twist lines.
fn mutate(sdp: &str, changes: &[(u16, u8, u8)]) -> String {
    let mut lines: Vec<String> = sdp.split("\r\n").map(str::to_owned).collect();
    for &(place, kind, byte) in changes {
        if lines.is_empty() {
            break;
        }
        let at = usize::from(place) % lines.len();
        match kind % 5 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines[at].push(char::from(byte)),
            3 => {
                let other = usize::from(byte) * 3 % lines.len();
                lines.swap(at, other);
            }
            _ => {
                let digit = char::from(byte % 10 + b'0');
                lines[at] = lines[at].replace(digit, &format!("{}", u32::from(byte) * 7919));
            }
        }
    }
    lines.join("\r\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn twisted_answers_never_panic(
        first in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 1..6),
        then in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 0..6),
    ) {
        let mut world = World::new();
        let (alice, bob, camera, id, offer) = offered(&mut world);
        let answer = good_answer(&mut world, bob, &camera, &offer);
        world.answer(bob.subscriber, id, mutate(&answer, &first));
        world.run_ms(200);
        let participant = world.clients[bob.publisher].id.clone();
        world.command(Command::RestartIce { participant });
        world.run_ms(200);
        let second = world.server_offers(bob.subscriber).last().unwrap().0;
        world.answer(bob.subscriber, second, mutate(&answer, &then));
        world.run_ms(200);
        prop_assert_eq!(world.shard.stats().panics, 0);
        prop_assert!(world.shard.stats().participants >= 1);
        for index in [alice, bob.publisher] {
            let participant = world.clients[index].id.clone();
            world.command(Command::Close { participant });
        }
        prop_assert_eq!(world.shard.footprint(), [0; 7]);
    }

    #[test]
    fn any_text_is_survived(sdp in "(v=0\r\n)?([a-z]=[ -~]{0,40}\r?\n){0,30}") {
        let mut world = World::new();
        let (_, bob, _, id, _) = offered(&mut world);
        world.answer(bob.subscriber, id, sdp);
        world.run_ms(50);
        prop_assert_eq!(world.shard.stats().panics, 0);
    }
}

#[test]
fn checks_that_overtake_the_answer_are_not_lost() {
    let mut world = World::new();
    let (_, bob, camera, id, offer) = offered(&mut world);
    let answer = good_answer(&mut world, bob, &camera, &offer);
    // The client checks what it knows already; the answer takes its time.
    world.run_ms(100);
    assert_eq!(world.clients[bob.subscriber].connected_at, None);
    let at = world.now;
    world.answer(bob.subscriber, id, answer);
    world.run_ms(1000);
    let connected = world.clients[bob.subscriber].connected_at;
    let took = connected.expect("connected") - at;
    assert!(took.as_millis() < 150, "{took:?}: not with the next check");
}

#[test]
fn checks_from_everywhere_before_the_answer_are_bounded() {
    let mut world = World::new();
    let (_, bob, camera, id, offer) = offered(&mut world);
    let answer = good_answer(&mut world, bob, &camera, &offer);
    let now = world.now;
    world.clients[bob.subscriber].advance(now);
    // Somebody on the way sends his checks again from other addresses, and longer ones.
    for (to, check) in world.clients[bob.subscriber].take_out() {
        let long = [&check[..], &[0; 2000]].concat();
        for port in 1000..1100_u16 {
            let source = SocketAddr::from(([198, 51, 100, 7], port));
            world.shard.receive(now, source, to, &check);
            world.shard.receive(now, source, to, &long);
        }
    }
    world.answer(bob.subscriber, id, answer);
    world.run_ms(3000);
    assert!(world.clients[bob.subscriber].connected_at.is_some());
    assert!(world.received(bob.subscriber, &camera).packets > 0);
}
