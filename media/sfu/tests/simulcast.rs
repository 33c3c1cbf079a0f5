//! Layers of simulcast in a simulated room: chosen, switched, lost, stopped, resent.

mod common;

use std::time::Duration;

use common::World;
use conclave_sfu::{Command, Event, Kind, TrackId};

const Q: usize = 300;
const H: usize = 600;
const F: usize = 1100;

/// Alice publishes three layers, bob watches.
fn watched(world: &mut World) -> (usize, usize, TrackId) {
    let alice = world.join("r", "alice");
    let camera = world.publish_simulcast(alice, "camera");
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1000);
    (alice, bob, camera)
}

#[test]
fn the_largest_layer_comes_unless_less_is_wanted() {
    let mut world = World::new();
    let (_, bob, camera) = watched(&mut world);
    let layers = world.received(bob, &camera).layers();
    assert_eq!(layers.last(), Some(&F), "{layers:?}");
    for (spatial, size) in [(0, Q), (1, H), (2, F), (0, Q), (7, F)] {
        world.limit(bob, &camera, spatial, 3);
        let asked = world.now;
        world.run_ms(1000);
        let video = world.received(bob, &camera);
        let waited = video.shown(size, asked).expect("shown") - asked;
        assert!(waited < Duration::from_millis(200), "{size}: {waited:?}");
        assert_eq!(video.layers().last(), Some(&size));
    }
    let video = world.received(bob, &camera);
    video.assert_decodable(false);
    assert_eq!(video.padding, 0);
    // What is asked for is asked of one layer, and once.
    let requests = world.clients[0].key_frame_requests;
    assert!(requests <= 8, "{requests}");
}

#[test]
fn each_subscriber_has_its_own_layer() {
    let mut world = World::new();
    let (_, bob, camera) = watched(&mut world);
    let carol = world.join("r", "carol");
    world.subscribe(carol, &camera);
    world.limit(carol, &camera, 0, 3);
    world.run_ms(2000);
    assert_eq!(world.received(carol, &camera).layers(), [Q]);
    assert_eq!(world.received(bob, &camera).layers().last(), Some(&F));
    world.received(carol, &camera).assert_decodable(false);
    world.received(bob, &camera).assert_decodable(false);
}

#[test]
fn fewer_temporal_layers_are_fewer_pictures_without_holes() {
    let mut world = World::new();
    let (_, bob, camera) = watched(&mut world);
    for (temporal, low, high) in [(1, 13, 17), (0, 6, 9), (3, 28, 31), (0, 6, 9), (2, 28, 31)] {
        world.limit(bob, &camera, 2, temporal);
        world.run_ms(500);
        let since = world.now;
        world.run_ms(1000);
        let pictures = world.received(bob, &camera).pictures_since(since);
        assert!((low..=high).contains(&pictures), "{temporal}: {pictures}");
    }
    let video = world.received(bob, &camera);
    video.assert_decodable(false);
    assert_eq!(video.missing(), 0);
}

#[test]
fn switches_survive_loss_and_reordering_on_both_legs() {
    let mut world = World::new();
    world.jitter = Duration::from_millis(12);
    let (_, bob, camera) = watched(&mut world);
    world.loss = 0.05;
    for round in 0..40 {
        world.limit(bob, &camera, round % 3, u8::from(round % 2 == 0) * 3);
        world.run_ms(700);
    }
    world.loss = 0.0;
    world.limit(bob, &camera, 2, 3);
    world.run_ms(2000);
    let stats = world.shard.stats();
    let video = world.received(bob, &camera);
    assert!(stats.rtx_in > 20 && stats.rtx_out > 20, "{stats:?}");
    video.assert_decodable(true);
    // A packet may be lost four times in a row.
    assert!(video.missing() <= 8, "{} missing", video.missing());
    assert!(
        video.padding > 0,
        "late packets of layers not wanted fill their places"
    );
    let layers = video.layers();
    assert!(layers.len() > 20 && layers.last() == Some(&F), "{layers:?}");
}

#[test]
fn a_layer_that_stops_is_replaced_and_taken_again_when_it_comes_back() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    world.clients[alice].layer("camera", "f").is_on = false;
    let stopped = world.now;
    world.run_ms(2000);
    let waited = world
        .received(bob, &camera)
        .shown(H, stopped)
        .expect("shown")
        - stopped;
    assert!(waited < Duration::from_millis(1100), "{waited:?}");
    world.clients[alice].layer("camera", "f").is_on = true;
    let back = world.now;
    world.run_ms(1000);
    let waited = world.received(bob, &camera).shown(F, back).expect("shown") - back;
    assert!(waited < Duration::from_millis(200), "{waited:?}");
    world.received(bob, &camera).assert_decodable(false);
}

#[test]
fn a_still_screen_stops_no_layer() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    for _ in 0..8 {
        world.clients[alice].sending[0].is_on = false;
        world.run_ms(1000);
        world.clients[alice].sending[0].is_on = true;
        world.run_ms(40);
    }
    let layers = world.received(bob, &camera).layers();
    assert_eq!(&layers[layers.len() - 1..], [F]);
    assert!(layers.len() <= 3, "{layers:?}");
}

#[test]
fn key_frames_that_never_come_are_not_asked_for_without_end() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    world.clients[alice].ignores_key_frame_requests = true;
    let before = world.clients[alice].key_frame_requests;
    world.limit(bob, &camera, 0, 3);
    world.run_ms(30_000);
    let asked = world.clients[alice].key_frame_requests - before;
    assert!((10..=25).contains(&asked), "{asked}");
    assert_eq!(
        world.received(bob, &camera).layers().last(),
        Some(&F),
        "meanwhile the old one"
    );
}

#[test]
fn a_newcomer_gets_a_small_picture_rather_than_none() {
    let mut world = World::new();
    let (alice, _, camera) = watched(&mut world);
    // The encoder of the largest layer is overloaded: it answers no request.
    world.clients[alice].layer("camera", "f").is_deaf = true;
    let carol = world.join("r", "carol");
    world.subscribe(carol, &camera);
    world.run_ms(300);
    world.clients[alice].layer("camera", "q").wants_key = true;
    let since = world.now;
    world.run_ms(300);
    assert_eq!(world.received(carol, &camera).layers(), [Q]);
    world.clients[alice].layer("camera", "f").is_deaf = false;
    world.run_ms(2000);
    assert_eq!(world.received(carol, &camera).layers(), [Q, F]);
    assert!(world.received(carol, &camera).shown(Q, since).is_some());
}

#[test]
fn a_limited_bandwidth_lowers_layers_before_it_stops_pictures() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    let screen = world.publish(alice, "screen", Kind::Video);
    world.subscribe(bob, &screen);
    world.run_ms(2000);
    let limit = |world: &mut World, bits| {
        world.command(Command::SetBandwidth {
            participant: world.clients[bob].id.clone(),
            bits_per_second: bits,
        });
        world.run_ms(4000);
    };
    // The screen takes about 1.1 Mbit/s, the camera 0.3, 0.6 or 1.1.
    limit(&mut world, Some(1_900_000));
    assert_eq!(world.received(bob, &camera).layers().last(), Some(&H));
    limit(&mut world, Some(1_500_000));
    assert_eq!(world.received(bob, &camera).layers().last(), Some(&Q));
    let since = world.now;
    limit(&mut world, Some(1_250_000));
    let paused = |events: &[Event], id: &TrackId| {
        let mut states = events.iter().filter_map(|event| match event {
            Event::StreamState { track, paused, .. } if track == id => Some(*paused),
            _ => None,
        });
        states.next_back()
    };
    assert_eq!(
        paused(&world.events, &camera),
        Some(true),
        "the tile goes first"
    );
    assert_eq!(paused(&world.events, &screen), None, "the screen stays");
    assert!(world.received(bob, &screen).pictures_since(since) > 100);
    limit(&mut world, None);
    assert_eq!(paused(&world.events, &camera), Some(false));
    assert_eq!(world.received(bob, &camera).layers().last(), Some(&F));
    world.received(bob, &camera).assert_decodable(false);
}

#[test]
fn numbers_pass_their_ends() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish_simulcast(alice, "camera");
    for (rid, ahead) in [("q", 40u32), ("h", 55), ("f", 70)] {
        let layer = world.clients[alice].layer("camera", rid);
        layer.sequence = 65_536 - u64::from(ahead);
        layer.frame = 0x8000 - ahead;
        layer.tl0 = 250;
        layer.timestamp = u32::MAX - 3000 * ahead;
    }
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    for round in 0..12 {
        world.limit(bob, &camera, round % 3, 3);
        world.run_ms(500);
    }
    let video = world.received(bob, &camera);
    video.assert_decodable(false);
    assert_eq!(video.missing(), 0);
}

#[test]
fn many_switches_leave_nothing_behind_and_lose_nothing() {
    let mut world = World::new();
    let (_, bob, camera) = watched(&mut world);
    for round in 0..300u64 {
        world.limit(bob, &camera, (round % 3) as u8, (round % 4) as u8);
        world.run_ms(20 + round % 90);
    }
    world.run_ms(500);
    let video = world.received(bob, &camera);
    video.assert_decodable(false);
    assert_eq!(video.missing(), 0);
}
