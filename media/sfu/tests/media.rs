//! The packet path: loss, late subscribers, key frames, mute, pause, bandwidth, long streams.

mod common;

use std::time::Duration;

use common::{World, everything};
use conclave_sfu::{Command, Event, Kind, TrackId};

/// Alice publishes a camera that bob watches.
fn watched(world: &mut World) -> (usize, usize, TrackId) {
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1000);
    (alice, bob, camera)
}

#[test]
fn loss_is_repaired_on_both_legs() {
    let mut world = World::new();
    world.jitter = Duration::from_millis(4);
    let (_, bob, camera) = watched(&mut world);
    world.loss = 0.05;
    world.run_ms(6000);
    world.loss = 0.0;
    world.run_ms(1000);
    let stats = world.shard.stats();
    let video = world.received(bob, &camera);
    assert!(video.packets > 700, "{}", video.packets);
    assert!(stats.rtx_in > 10 && stats.rtx_out > 10, "{stats:?}");
    // A packet may be lost four times in a row.
    assert!(
        video.missing() <= 3,
        "{} of {}",
        video.missing(),
        video.packets
    );
}

#[test]
fn a_late_subscriber_starts_with_a_key_frame_at_once() {
    let mut world = World::new();
    let (alice, _, camera) = watched(&mut world);
    world.run_ms(2000);
    let key_frames = world.clients[alice].sending[0].key_frames;
    let carol = world.open("r", "carol", everything());
    world.subscribe(carol, &camera);
    let joined = world.now;
    world.offer(carol);
    world.run_ms(1000);
    let video = world.received(carol, &camera);
    assert_eq!(video.first_is_key, Some(true));
    let waited = video.first_at.unwrap() - joined;
    assert!(waited < Duration::from_millis(250), "{waited:?}");
    let asked = world.clients[alice].sending[0].key_frames - key_frames;
    assert!((1..=3).contains(&asked), "{asked}");
}

/// The encoder works while the newcomer still agrees on addresses and keys with us: encoders answer
/// a second request only some hundred milliseconds after the first, so the answer is kept.
#[test]
fn the_key_frame_for_a_newcomer_waits_until_they_are_connected() {
    let (world, requests) = newcomer_cut_off_for(60);
    assert_eq!(requests, (1, 1), "asked for once, before they could see it");
    let video = world.received(2, &"TR_camera".into());
    assert_eq!(video.first_is_key, Some(true));
    assert_eq!(video.missing(), 0);
    assert!(video.packets > 100, "and it goes on: {}", video.packets);
}

#[test]
fn a_newcomer_who_needs_long_to_connect_gets_another_key_frame() {
    let (world, (before, all)) = newcomer_cut_off_for(1_000);
    assert_eq!(before, 1);
    assert!(all >= 2, "the first picture is too old by then");
    let video = world.received(2, &"TR_camera".into());
    assert_eq!(video.first_is_key, Some(true));
    assert_eq!(video.missing(), 0);
}

/// Key frame requests on behalf of carol: while nothing reached her, and in the end.
fn newcomer_cut_off_for(ms: u64) -> (World, (u64, u64)) {
    let mut world = World::new();
    let (alice, _, camera) = watched(&mut world);
    world.run_ms(1_000);
    let requests = world.clients[alice].key_frame_requests;
    let carol = world.open("r", "carol", everything());
    world.clients[carol].add_receivers(1, 1);
    world.subscribe(carol, &camera);
    world.cut.push(carol);
    world.offer(carol);
    world.run_ms(ms);
    let before = world.clients[alice].key_frame_requests - requests;
    world.cut.clear();
    world.run_ms(2_000);
    let all = world.clients[alice].key_frame_requests - requests;
    (world, (before, all))
}

#[test]
fn key_frame_requests_are_throttled() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    world.run_ms(1000);
    let before = world.clients[alice].sending[0].key_frames;
    for _ in 0..20 {
        let mid = world.clients[bob].mid_of(&camera);
        world.clients[bob].wants_key.push(mid);
        world.run_ms(100);
    }
    let asked = world.clients[alice].sending[0].key_frames - before;
    assert!((3..=6).contains(&asked), "{asked} in two seconds");
    assert!(world.shard.stats().plis_in >= 15);
}

#[test]
fn a_muted_track_is_not_forwarded() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &microphone);
    world.run_ms(2000);
    let mute = |muted| Command::MuteTrack {
        participant: "PA_alice".into(),
        track: microphone.clone(),
        muted,
    };
    world.command(mute(true));
    let last = |world: &World| match world
        .events
        .iter()
        .rev()
        .find(|e| matches!(e, Event::Speakers { .. }))
    {
        Some(Event::Speakers { speakers, .. }) => (speakers[0].level, speakers[0].active),
        _ => panic!("nobody spoke"),
    };
    assert_eq!(last(&world), (0.0, false), "at once");
    world.run_ms(50);
    let at_mute = world.received(bob, &microphone).packets;
    world.run_ms(1000);
    assert_eq!(world.received(bob, &microphone).packets, at_mute);
    world.command(mute(false));
    world.run_ms(1500);
    let audio = world.received(bob, &microphone);
    assert!(audio.packets > at_mute + 60);
    assert_eq!(audio.missing(), 0, "numbering has no gap");
    assert!(last(&world).1);
}

#[test]
fn a_paused_subscription_resumes_with_a_key_frame() {
    let mut world = World::new();
    let (_, bob, camera) = watched(&mut world);
    let pause = |paused| Command::Pause {
        participant: "PA_bob".into(),
        track: camera.clone(),
        paused,
    };
    world.command(pause(true));
    world.run_ms(50);
    let (at_pause, key_frames) = (
        world.received(bob, &camera).packets,
        world.received(bob, &camera).key_frames,
    );
    let last_timestamp = world.received(bob, &camera).last_timestamp;
    world.run_ms(2000);
    assert_eq!(world.received(bob, &camera).packets, at_pause);
    world.command(pause(false));
    world.run_ms(1000);
    let video = world.received(bob, &camera);
    assert_eq!(video.key_frames, key_frames + 1);
    assert_eq!(video.missing(), 0);
    assert!(video.packets > at_pause + 60);
    let ahead = video.last_timestamp.wrapping_sub(last_timestamp) / 90;
    assert!(
        (2800..3300).contains(&ahead),
        "time passed meanwhile: {ahead} ms"
    );
}

#[test]
fn narrow_bandwidth_pauses_cameras_before_screens() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let screen = world.publish(alice, "screen", Kind::Video);
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let bob = world.join("r", "bob");
    for track in [&camera, &screen, &microphone] {
        world.subscribe(bob, track);
    }
    world.run_ms(2500);
    let limit = |bits| Command::SetBandwidth {
        participant: "PA_bob".into(),
        bits_per_second: bits,
    };
    // Each video has about 1.1 Mbit/s.
    world.command(limit(Some(1_600_000)));
    world.run_ms(100);
    let paused = |track: &TrackId, paused| Event::StreamState {
        participant: "PA_bob".into(),
        track: track.clone(),
        paused,
    };
    assert!(world.events.contains(&paused(&camera, true)));
    assert!(!world.events.contains(&paused(&screen, true)));
    let (cameras, screens) = (
        world.received(bob, &camera).packets,
        world.received(bob, &screen).packets,
    );
    world.run_ms(1000);
    assert_eq!(world.received(bob, &camera).packets, cameras);
    assert!(world.received(bob, &screen).packets > screens + 60);
    world.command(limit(Some(500_000)));
    world.run_ms(100);
    assert!(world.events.contains(&paused(&screen, true)));
    let sounds = world.received(bob, &microphone).packets;
    world.run_ms(1000);
    assert!(
        world.received(bob, &microphone).packets > sounds + 40,
        "audio always flows"
    );
    world.command(limit(None));
    world.run_ms(1500);
    assert!(
        world.events.contains(&paused(&camera, false))
            && world.events.contains(&paused(&screen, false))
    );
    let video = world.received(bob, &camera);
    assert!(video.packets > cameras + 60);
    assert_eq!(video.missing(), 0);
}

#[test]
fn numbering_passes_the_wrap_end_to_end() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    // 90 packets a frame at 30 frames a second.
    world.clients[alice].sending[0].packets_per_frame = 90;
    while world.received(bob, &camera).highest < 66_000 {
        world.run_ms(500);
    }
    let video = world.received(bob, &camera);
    assert_eq!(video.missing(), 0);
    assert_eq!(video.key_frames, 1, "nobody needed another one");
}

#[test]
fn the_publisher_may_change_its_ssrc() {
    let mut world = World::new();
    let (alice, bob, camera) = watched(&mut world);
    world.run_ms(500);
    world.clients[alice].change_ssrc("camera");
    world.run_ms(1500);
    let video = world.received(bob, &camera);
    assert_eq!(video.ssrcs.len(), 1, "subscribers see one stream");
    assert_eq!(video.missing(), 0);
    assert!(video.packets > 200, "{}", video.packets);
}

#[test]
fn quality_follows_loss() {
    let mut world = World::new();
    let (_, _, _) = watched(&mut world);
    world.run_ms(6000);
    let told = |world: &World| match world
        .events
        .iter()
        .rev()
        .find(|e| matches!(e, Event::Quality { .. }))
    {
        Some(Event::Quality { qualities, .. }) => qualities.clone(),
        _ => Vec::new(),
    };
    assert!(
        told(&world)
            .iter()
            .all(|(_, q, _)| *q == conclave_sfu::Quality::Excellent)
    );
    assert_eq!(told(&world).len(), 2);
    world.loss = 0.08;
    world.run_ms(12_000);
    let bob = world.events.iter().any(|e| match e {
        Event::Quality { qualities, .. } => qualities
            .iter()
            .any(|(p, q, _)| **p == *"PA_bob" && *q != conclave_sfu::Quality::Excellent),
        _ => false,
    });
    assert!(bob);
}

#[test]
fn who_loses_what_they_send_is_said_to_and_not_who_receives_it() {
    let mut world = World::new();
    let (alice, bob, _) = watched(&mut world);
    world.publish(alice, "mic", Kind::Audio);
    world.subscribe(bob, &"TR_mic".into());
    world.run_ms(6_000);
    world.uplink_loss = Some((alice, 0.2));
    world.events.clear();
    world.run_ms(16_000);
    let worst = |index: usize| {
        let id = &world.clients[index].id;
        let told = world.events.iter().filter_map(|event| match event {
            Event::Quality { qualities, .. } => qualities.iter().find(|(who, ..)| who == id),
            _ => None,
        });
        told.map(|(_, _, value)| *value).fold(5.0, f32::min)
    };
    assert!(worst(alice) < 2.0, "{}", worst(alice));
    assert!(worst(bob) > 4.0, "{}", worst(bob));
}
