//! Datagrams of strangers and of members that went mad, into a shard where people meet.

mod common;

use common::{Random, World};
use conclave_sfu::{Command, Kind, ParticipantId};

fn meeting() -> (World, usize, usize, conclave_sfu::TrackId) {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    world.publish(alice, "mic", Kind::Audio);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    world.clients[alice].send_data("_reliable", &[0x4a, 1, b'x', 0x80, 1, 1]);
    world.run_ms(500);
    (world, alice, bob, camera)
}

#[test]
fn random_and_twisted_datagrams_hurt_nobody() {
    let (mut world, _, bob, camera) = meeting();
    let mut random = Random::new(7);
    let server = common::SERVER.parse().unwrap();
    let captured = std::mem::take(&mut world.captured);
    for round in 0..6000 {
        let (source, original) = &captured[random.next() as usize % captured.len()];
        let mut datagram = original.clone();
        match round % 6 {
            // Out of nowhere, with the first byte of every protocol.
            0 => {
                let len = random.next() as usize % 200;
                datagram = (0..len).map(|_| random.next() as u8).collect();
                if let Some(first) = datagram.first_mut() {
                    *first =
                        [0, 1, 20, 22, 23, 63, 64, 128, 144, 191, 255][random.next() as usize % 11];
                }
            }
            1 => datagram.truncate(random.next() as usize % (datagram.len() + 1)),
            2 | 3 => {
                for _ in 0..=random.next() % 4 {
                    let at = random.next() as usize % datagram.len();
                    datagram[at] ^= random.next() as u8;
                }
            }
            4 => datagram.extend((0..random.next() % 64).map(|_| 0xff)),
            // A plain repeat.
            _ => {}
        }
        let source = if random.chance(0.2) {
            "192.0.2.200:9".parse().unwrap()
        } else {
            *source
        };
        world.shard.receive(world.now, source, server, &datagram);
        if round % 50 == 0 {
            world.run_ms(1);
        }
    }
    assert_eq!(world.shard.stats().panics, 0);
    assert_eq!(world.shard.stats().participants, 2);
    let before = world.received(bob, &camera).packets;
    world.run_ms(1000);
    let video = world.received(bob, &camera);
    assert!(video.packets > before + 100, "the meeting goes on");
    assert_eq!(video.missing(), 0);
}

#[test]
fn forged_and_repeated_checks_move_nothing() {
    let (mut world, _, bob, camera) = meeting();
    let server = common::SERVER.parse().unwrap();
    let checks: Vec<_> = world
        .captured
        .iter()
        .filter(|(_, d)| d[0] < 4)
        .cloned()
        .collect();
    assert!(!checks.is_empty());
    for (_, check) in checks {
        for at in 20..check.len() {
            let mut forged = check.clone();
            forged[at] ^= 0x55;
            world
                .shard
                .receive(world.now, "192.0.2.200:9".parse().unwrap(), server, &forged);
        }
    }
    let before = world.received(bob, &camera).packets;
    world.run_ms(500);
    assert!(world.received(bob, &camera).packets > before + 50);
}

#[test]
fn commands_about_nobody_are_ignored() {
    let mut world = World::new();
    let ghost: ParticipantId = "PA_ghost".into();
    let track: conclave_sfu::TrackId = "TR_ghost".into();
    for command in [
        Command::Close {
            participant: ghost.clone(),
        },
        Command::CloseRoom {
            room: "nowhere".into(),
        },
        Command::Offer {
            participant: ghost.clone(),
            offer_id: 1,
            sdp: String::new(),
        },
        Command::Trickle {
            participant: ghost.clone(),
            candidate: "x".into(),
        },
        Command::RemoveTrack {
            participant: ghost.clone(),
            track: track.clone(),
        },
        Command::MuteTrack {
            participant: ghost.clone(),
            track: track.clone(),
            muted: true,
        },
        Command::Subscribe {
            participant: ghost.clone(),
            track: track.clone(),
        },
        Command::Unsubscribe {
            participant: ghost.clone(),
            track: track.clone(),
        },
        Command::Pause {
            participant: ghost.clone(),
            track,
            paused: true,
        },
        Command::RequestKeyframes {
            room: "nowhere".into(),
        },
        Command::InjectFault { participant: ghost },
    ] {
        world.command(command);
    }
    assert!(world.events.is_empty());
    assert_eq!(world.shard.footprint(), [0; 7]);
}

#[test]
fn too_much_of_everything_is_refused() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    world.run_ms(500);
    for n in 0..60 {
        world.announce(alice, &format!("camera{n}"), Kind::Video);
    }
    assert_eq!(world.shard.footprint()[2], 50);
    assert_eq!(
        world.count(|e| matches!(e, conclave_sfu::Event::TrackEnded { .. })),
        10
    );
}
