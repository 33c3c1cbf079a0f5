//! Transports: silence, restarts, other addresses, goodbyes, and panics that stay alone.

mod common;

use common::World;
use conclave_sfu::{Command, Event, Kind, ParticipantId, TransportState};

fn states(world: &World, name: &str) -> Vec<TransportState> {
    let id: ParticipantId = format!("PA_{name}").into();
    world
        .events
        .iter()
        .filter_map(|e| match e {
            Event::Transport { participant, state } if *participant == id => Some(*state),
            _ => None,
        })
        .collect()
}

#[test]
fn silence_is_told_and_ends_with_the_next_sign_of_life() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    world.cut.push(bob);
    world.run_ms(9000);
    assert_eq!(states(&world, "bob"), [TransportState::Connected]);
    world.run_ms(3000);
    assert_eq!(
        states(&world, "bob"),
        [TransportState::Connected, TransportState::Disconnected]
    );
    world.run_ms(4000);
    assert_eq!(states(&world, "bob").last(), Some(&TransportState::Failed));
    world.cut.clear();
    world.clients[bob].restart_ice();
    world.offer(bob);
    world.run_ms(3000);
    assert_eq!(
        states(&world, "bob").last(),
        Some(&TransportState::Connected)
    );
    let before = world.received(bob, &camera).packets;
    world.run_ms(1000);
    assert!(world.received(bob, &camera).packets > before + 50);
    assert_eq!(states(&world, "alice"), [TransportState::Connected]);
}

#[test]
fn ice_restart_keeps_media_and_moves_to_another_address() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    for (who, address) in [(alice, "203.0.113.77:6000"), (bob, "203.0.113.78:6000")] {
        let before = world.received(bob, &camera).packets;
        world.clients[who].change_address(address.parse().unwrap());
        world.clients[who].restart_ice();
        world.offer(who);
        world.run_ms(2000);
        let after = world.received(bob, &camera).packets;
        assert!(after > before + 100, "{who}: {before} -> {after}");
    }
    assert!(world.clients[bob].send_data("_reliable", &[0x4a, 1, b'x', 0x80, 1, 1]));
    world.run_ms(500);
    assert_eq!(
        world.clients[alice].data.len(),
        1,
        "the data channels live on"
    );
    assert_eq!(states(&world, "alice"), [TransportState::Connected]);
    assert_eq!(states(&world, "bob"), [TransportState::Connected]);
    let video = world.received(bob, &camera);
    assert_eq!(video.ssrcs.len(), 1);
}

#[test]
fn a_clients_goodbye_is_told() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    world.run_ms(1000);
    world.clients[alice].rtc.close().unwrap();
    world.clients[alice].poke();
    world.run_ms(500);
    assert_eq!(
        states(&world, "alice"),
        [TransportState::Connected, TransportState::Closed]
    );
}

#[test]
fn a_client_that_never_comes_fails() {
    let mut world = World::new();
    world.cut.push(0);
    world.join("r", "alice");
    world.run_ms(16_000);
    assert_eq!(
        states(&world, "alice"),
        [TransportState::Disconnected, TransportState::Failed]
    );
}

#[test]
fn a_panic_ends_one_participant_only() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    let carol = world.join("r", "carol");
    let microphone = world.publish(bob, "mic", Kind::Audio);
    for who in [bob, carol] {
        world.subscribe(who, &camera);
    }
    world.subscribe(carol, &microphone);
    world.run_ms(1500);
    world.command(Command::InjectFault {
        participant: "PA_bob".into(),
    });
    world.run_ms(200);
    let failed = |e: &Event| matches!(e, Event::ParticipantFailed { participant, .. } if **participant == *"PA_bob");
    assert_eq!(world.count(failed), 1);
    assert_eq!(world.shard.stats().panics, 1);
    let (video, audio) = (
        world.received(carol, &camera).packets,
        world.received(carol, &microphone).packets,
    );
    world.run_ms(1000);
    assert!(
        world.received(carol, &camera).packets > video + 100,
        "the room goes on"
    );
    assert_eq!(world.received(carol, &microphone).packets, audio);
    assert_eq!(world.shard.footprint()[..3], [1, 2, 1]);
    world.command(Command::CloseRoom { room: "r".into() });
    world.run_ms(1000);
    assert_eq!(world.shard.footprint(), [0; 7]);
}

#[test]
fn forged_and_foreign_datagrams_are_dropped_by_reason() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    world.run_ms(1000);
    let server = common::SERVER.parse().unwrap();
    let stranger = "192.0.2.99:1".parse().unwrap();
    let address = world.clients[alice].address;
    for (source, datagram) in [
        (stranger, &[0x80, 96, 0, 1][..]),
        (stranger, &[22, 1, 2]),
        (stranger, &[0, 1, 0, 0]),
        (stranger, &[]),
        (stranger, &[70]),
        (address, &[0x80, 200, 0, 6, 0, 0, 0, 1]),
    ] {
        world.shard.receive(world.now, source, server, datagram);
    }
    let dropped = world.shard.stats().datagrams_dropped;
    for (reason, count) in [
        ("unknown_source", 2),
        ("malformed_stun", 1),
        ("unknown_protocol", 2),
        ("srtcp_rejected", 1),
    ] {
        assert_eq!(dropped.get(reason), Some(&count), "{reason} in {dropped:?}");
    }
    assert_eq!(states(&world, "alice"), [TransportState::Connected]);
}
