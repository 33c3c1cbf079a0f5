//! Whole rooms: joining, publishing, subscribing, leaving.

mod common;

use std::time::Duration;

use common::{World, everything};
use conclave_sfu::{Command, Event, Grant, Kind, SubscriptionError, TransportState};

#[test]
fn wanted_tracks_are_in_the_first_answer() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let camera = world.publish(alice, "camera", Kind::Video);
    world.run_ms(1000);
    let bob = world.open("r", "bob", everything());
    world.subscribe(bob, &microphone);
    world.subscribe(bob, &camera);
    let joined = world.now;
    world.offer(bob);
    world.run_ms(3000);
    assert_eq!(world.clients[bob].offers, 1);
    assert_eq!(
        world.count(|e| matches!(e, Event::SectionsNeeded { .. })),
        0
    );
    assert_eq!(
        world.count(|e| matches!(
            e,
            Event::Transport {
                state: TransportState::Connected,
                ..
            }
        )),
        2
    );
    let video = world.received(bob, &camera);
    assert_eq!(video.first_is_key, Some(true));
    assert_eq!(video.missing(), 0);
    let first = video.first_at.unwrap() - joined;
    assert!(
        first < Duration::from_millis(300),
        "no timer between joining and seeing: {first:?}"
    );
    assert!(world.received(bob, &microphone).packets > 100);
    assert!(
        world.received(bob, &microphone).levels > 100,
        "audio levels travel along"
    );
    let answer = &world.clients[bob].last_answer;
    assert!(
        answer.contains("a=msid:PA_alice|camera TR_camera\r\n"),
        "{answer}"
    );
    assert!(answer.contains("a=ice-lite\r\n") && answer.contains("a=extmap-allow-mixed\r\n"));
    assert!(world.clients[bob].sender_reports[&camera] > 0);
}

#[test]
fn three_publish_and_receive_everything() {
    let mut world = World::new();
    world.jitter = Duration::from_millis(3);
    let names = ["alice", "bob", "carol"];
    let all: Vec<_> = names.iter().map(|n| world.join("r", n)).collect();
    let mut tracks = Vec::new();
    for (index, name) in all.iter().zip(names) {
        tracks.push((
            *index,
            world.publish(*index, &format!("{name}_mic"), Kind::Audio),
        ));
        tracks.push((
            *index,
            world.publish(*index, &format!("{name}_camera"), Kind::Video),
        ));
    }
    for &index in &all {
        for (publisher, track) in &tracks {
            if *publisher != index {
                world.subscribe(index, track);
            }
        }
    }
    world.run_ms(4000);
    for &index in &all {
        for (publisher, track) in tracks.iter().filter(|(p, _)| *p != index) {
            let received = world.received(index, track);
            let _ = publisher;
            assert!(
                received.frames.len() > 70,
                "{index} {track}: {}",
                received.frames.len()
            );
            assert_eq!(received.missing(), 0, "{index} {track}");
            assert_eq!(received.ssrcs.len(), 1);
        }
    }
    assert_eq!(
        world.count(|e| matches!(
            e,
            Event::TrackActive {
                mime: "video/VP8",
                ..
            }
        )),
        3
    );
    assert_eq!(
        world.count(|e| matches!(
            e,
            Event::TrackActive {
                mime: "audio/opus",
                ..
            }
        )),
        3
    );
    let active = world.events.iter().find_map(|e| match e {
        Event::TrackActive { track, mid, .. } if **track == *"TR_bob_mic" => Some(mid.clone()),
        _ => None,
    });
    assert_eq!(
        world.clients[all[1]].mid_to_track.get(&active.unwrap()),
        Some(&tracks[2].1)
    );
}

#[test]
fn rooms_do_not_mix() {
    let mut world = World::new();
    let alice = world.join("one", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("two", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    let failed = Event::SubscriptionFailed {
        participant: "PA_bob".into(),
        track: camera,
        reason: SubscriptionError::TrackUnknown,
    };
    assert!(world.events.contains(&failed));
    assert!(world.clients[bob].received.is_empty());
}

#[test]
fn a_track_may_be_announced_after_its_offer() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let bob = world.join("r", "bob");
    world.run_ms(500);
    world.clients[alice].add_sender("camera", Kind::Video);
    world.offer(alice);
    world.run_ms(500);
    let camera = world.announce(alice, "camera", Kind::Video);
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    let video = world.received(bob, &camera);
    assert!(video.packets > 50);
    assert_eq!(video.first_is_key, Some(true));
}

#[test]
fn grants_are_kept() {
    let mut world = World::new();
    let listener = Grant {
        can_publish: false,
        can_subscribe: true,
        can_publish_data: false,
    };
    let alice = world.open("r", "alice", listener);
    world.offer(alice);
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.run_ms(1000);
    assert!(world.clients[alice].send_data("_reliable", &[0x4a, 1, b'x']));
    world.run_ms(500);
    assert!(world.events.contains(&Event::TrackEnded {
        participant: "PA_alice".into(),
        track: camera.clone()
    }));
    assert_eq!(
        world.clients[alice].sending[0].sent, 0,
        "the section was answered inactive"
    );
    assert!(world.clients[bob].data.is_empty());
    assert_eq!(world.shard.stats().data_dropped, 1);

    // The grant is given, and taken away again.
    let participant = world.clients[alice].id.clone();
    world.command(Command::SetGrant {
        participant: participant.clone(),
        grant: everything(),
    });
    let camera = world.announce(alice, "camera", Kind::Video);
    world.subscribe(bob, &camera);
    world.clients[alice].add_receivers(1, 0);
    world.offer(alice);
    world.run_ms(1000);
    let before = world.received(bob, &camera).packets;
    assert!(before > 20);
    world.command(Command::SetGrant {
        participant,
        grant: listener,
    });
    world.run_ms(50);
    let at_stop = world.received(bob, &camera).packets;
    world.run_ms(500);
    assert_eq!(world.received(bob, &camera).packets, at_stop);
}

#[test]
fn revoking_the_right_to_subscribe_stops_media() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    let grant = Grant {
        can_subscribe: false,
        ..everything()
    };
    world.command(Command::SetGrant {
        participant: "PA_bob".into(),
        grant,
    });
    world.run_ms(50);
    let at_stop = world.received(bob, &camera).packets;
    assert!(at_stop > 20);
    world.run_ms(500);
    assert_eq!(world.received(bob, &camera).packets, at_stop);
}

#[test]
fn nothing_is_left_when_everybody_left() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.subscribe(bob, &microphone);
    world.run_ms(1500);
    assert_eq!(world.shard.footprint()[..3], [1, 2, 2]);
    world.command(Command::Close {
        participant: "PA_alice".into(),
    });
    world.run_ms(20);
    let at_leave = world.received(bob, &camera).packets;
    world.run_ms(1500);
    assert_eq!(world.received(bob, &camera).packets, at_leave);
    assert!(
        world.clients[bob].last_answer.matches("a=sendonly").count() == 0,
        "sections were given back"
    );
    let silent = world.events.iter().rev().find_map(|e| match e {
        Event::Speakers { speakers, .. } => Some(speakers.clone()),
        _ => None,
    });
    assert_eq!(silent.unwrap()[0].level, 0.0);
    assert!(!world.clients[alice].rtc.is_alive(), "it was told goodbye");
    world.command(Command::CloseRoom { room: "r".into() });
    world.run_ms(2000);
    assert_eq!(world.shard.footprint(), [0; 7]);
    assert_eq!(world.shard.next_timeout(), None);
}

#[test]
fn rejoining_under_the_same_sid_starts_over() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    world.run_ms(1000);
    world.clients[alice].id = "PA_before".into();
    let alice = world.join("r", "alice");
    world.run_ms(1500);
    assert_eq!(world.shard.footprint()[..2], [1, 1]);
    assert!(world.clients[alice].connected_at.is_some());
}
