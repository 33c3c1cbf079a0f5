//! What a forwarded packet costs in the core, without sockets:
//! `cargo test --release -p conclave-sfu --test speed -- --ignored --nocapture`

mod common;

use std::time::{Duration, Instant};

use common::World;
use conclave_sfu::Kind;

const SUBSCRIBERS: usize = 20;
const BURST: usize = 20;
const LISTENERS: usize = 50;
const FRAMES: u64 = 280;

/// CPU time of this thread in nanoseconds.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

#[test]
#[ignore = "measures; needs --release"]
fn cost_of_a_forwarded_packet() {
    let mut world = World::new();
    let publisher = world.join("r", "publisher");
    let camera = world.publish(publisher, "camera", Kind::Video);
    for n in 0..SUBSCRIBERS {
        let subscriber = world.join("r", &format!("subscriber{n}"));
        world.subscribe(subscriber, &camera);
    }
    world.run_ms(2000);
    world.clients[publisher].sending[0].packets_per_frame = BURST;

    let before = world.shard.stats();
    let (mut nanos, mut sent, mut bytes) = (0, 0, 0);
    for _ in 0..FRAMES {
        world.now += Duration::from_micros(33_333);
        let now = world.now;
        world.clients[publisher].advance(now);
        let source = world.clients[publisher].address;
        let datagrams = world.clients[publisher].take_out();
        let start = cpu_nanos();
        for (destination, datagram) in &datagrams {
            world.shard.receive(now, source, *destination, datagram);
        }
        world.shard.advance(now);
        nanos += cpu_nanos() - start;
        for transmit in world.shard.transmits() {
            sent += 1;
            bytes += transmit.payload.len();
        }
        world.shard.events().for_each(drop);
    }
    let after = world.shard.stats();
    let forwarded = after.packets_out - before.packets_out;
    assert!(forwarded >= FRAMES * (BURST * SUBSCRIBERS) as u64);
    println!(
        "{sent} datagrams ({bytes} bytes) to {SUBSCRIBERS} subscribers: {:.2} us each, {:.2} us per packet in",
        nanos as f64 / 1000.0 / forwarded as f64,
        nanos as f64 / 1000.0 / (after.packets_in - before.packets_in) as f64,
    );
}

/// As it is beside other programs: by the next packet they have had the caches.
#[test]
#[ignore = "measures; needs --release"]
fn cost_of_sound_with_cold_caches() {
    let mut world = World::new();
    let publisher = world.join("r", "publisher");
    let microphone = world.publish(publisher, "mic", Kind::Audio);
    for n in 0..LISTENERS {
        let listener = world.join("r", &format!("listener{n}"));
        world.subscribe(listener, &microphone);
    }
    world.run_ms(2000);

    let mut others = vec![0_u8; 64 << 20];
    let (mut nanos, mut sent) = (Vec::new(), 0);
    for _ in 0..FRAMES {
        world.now += Duration::from_millis(20);
        let now = world.now;
        world.clients[publisher].advance(now);
        let source = world.clients[publisher].address;
        let datagrams = world.clients[publisher].take_out();
        for line in others.chunks_mut(64) {
            line[0] = line[0].wrapping_add(1);
        }
        let start = Instant::now();
        for (destination, datagram) in &datagrams {
            world.shard.receive(now, source, *destination, datagram);
        }
        world.shard.advance(now);
        nanos.push(start.elapsed().as_nanos() as f64);
        sent += world.shard.transmits().count();
        world.shard.events().for_each(drop);
    }
    assert!(sent >= FRAMES as usize * LISTENERS);
    nanos.sort_unstable_by(f64::total_cmp);
    println!(
        "sound to {LISTENERS} listeners with cold caches: {:.2} us each (median)",
        nanos[nanos.len() / 2] / 1000.0 / LISTENERS as f64
    );
}
