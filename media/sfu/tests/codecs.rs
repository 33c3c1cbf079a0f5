//! A track in a second codec: receivers see one track, whichever of the two they get.

mod common;

use common::World;
use conclave_sfu::{Command, Event, Kind, TrackId};

/// Somebody whose camera comes twice; the second time in packets of another size.
fn publisher(world: &mut World) -> (usize, TrackId, TrackId) {
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let second = world.announce_as(alice, "second", Kind::Video, Some(camera.clone()));
    world.clients[alice].add_sender("second", Kind::Video);
    world.clients[alice].sending[1].encodings[0].size = 500;
    world.offer(alice);
    world.run_ms(500);
    (alice, camera, second)
}

fn exchange(world: &mut World, index: usize, from: &TrackId, to: &TrackId) {
    world.command(Command::Exchange {
        participant: world.clients[index].id.clone(),
        from: from.clone(),
        to: to.clone(),
    });
}

fn answers(world: &World, index: usize) -> usize {
    let id = &world.clients[index].id;
    world.count(|e| matches!(e, Event::Answer { participant, .. } if participant == id))
}

#[test]
fn a_receiver_goes_on_in_the_other_codec() {
    let mut world = World::new();
    let (_, camera, second) = publisher(&mut world);
    let bob = world.join("r", "bob");
    let carol = world.join("r", "carol");
    world.subscribe(bob, &camera);
    world.subscribe(carol, &camera);
    world.run_ms(2000);
    let (before, at) = (answers(&world, bob), world.now);

    exchange(&mut world, bob, &camera, &second);
    world.run_ms(1000);

    let received = world.received(bob, &camera);
    received.assert_decodable(false);
    assert_eq!(received.layers(), [1100, 500]);
    let shown = received.shown(500, at).expect("the second came");
    assert!((shown - at).as_millis() < 200, "a key frame was asked for");
    assert_eq!(received.ssrcs.len(), 1);
    assert_eq!(answers(&world, bob), before, "nothing to negotiate");
    assert_eq!(world.received(carol, &camera).layers(), [1100]);

    let at = world.now;
    exchange(&mut world, bob, &second, &camera);
    world.run_ms(1000);
    let received = world.received(bob, &camera);
    received.assert_decodable(false);
    assert!(received.shown(1100, at).is_some(), "and back");
}

#[test]
fn the_second_alone_is_seen_as_the_track() {
    let mut world = World::new();
    let (_, camera, second) = publisher(&mut world);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &second);
    world.run_ms(1000);
    assert_eq!(world.received(bob, &camera).layers(), [500]);
    assert!(
        world.clients[bob]
            .last_answer
            .contains("a=msid:PA_alice|camera TR_camera")
    );
    let id = &world.clients[bob].id;
    assert_eq!(
        world.count(
            |e| matches!(e, Event::Subscribed { participant, track, .. } if participant == id && *track == second)
        ),
        1,
        "the control plane hears which it is"
    );
}

#[test]
fn a_receiver_of_two_connections_goes_on_too() {
    let mut world = World::new();
    let (_, camera, second) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", common::everything());
    world.subscribe(bob.publisher, &camera);
    world.run_ms(2000);
    world.command(Command::Exchange {
        participant: world.clients[bob.publisher].id.clone(),
        from: camera.clone(),
        to: second.clone(),
    });
    world.run_ms(1000);
    let received = world.received(bob.subscriber, &camera);
    received.assert_decodable(false);
    assert_eq!(received.layers(), [1100, 500]);
    assert_eq!(world.server_offers(bob.subscriber).len(), 1);
}

#[test]
fn what_is_no_second_codec_is_no_exchange() {
    let mut world = World::new();
    let (alice, camera, second) = publisher(&mut world);
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let bob = world.join("r", "bob");
    let bobs = world.publish(bob, "bobs", Kind::Video);
    let carol = world.join("r", "carol");
    world.subscribe(carol, &camera);
    world.run_ms(1000);

    exchange(&mut world, carol, &camera, &camera);
    exchange(&mut world, carol, &camera, &"TR_unknown".into());
    exchange(&mut world, carol, &"TR_unknown".into(), &"TR_none".into());
    // Of another kind, of another publisher: these are subscriptions.
    exchange(&mut world, carol, &camera, &microphone);
    exchange(&mut world, carol, &camera, &bobs);
    // One's own.
    exchange(&mut world, alice, &camera, &second);
    world.run_ms(1000);

    let received = world.received(carol, &camera);
    received.assert_decodable(false);
    assert!(received.packets > 0);
    assert!(world.received(carol, &microphone).packets > 0);
    assert!(world.received(carol, &bobs).packets > 0);
    assert_eq!(
        world.count(|e| matches!(e, Event::ParticipantFailed { .. })),
        0
    );
}

#[test]
fn the_publisher_takes_the_second_back() {
    let mut world = World::new();
    let (alice, camera, second) = publisher(&mut world);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1000);
    exchange(&mut world, bob, &camera, &second);
    world.run_ms(500);
    world.clients[alice].stop_sending("second");
    world.offer(alice);
    world.run_ms(300);
    assert_eq!(
        world.count(|e| matches!(e, Event::TrackEnded { track, .. } if *track == second)),
        1
    );
    // The control plane goes back before it removes it.
    exchange(&mut world, bob, &second, &camera);
    world.command(Command::RemoveTrack {
        participant: world.clients[alice].id.clone(),
        track: second,
    });
    world.run_ms(1000);
    let received = world.received(bob, &camera);
    received.assert_decodable(false);
    assert_eq!(received.layers(), [1100, 500, 1100]);
}
