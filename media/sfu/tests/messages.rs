//! Data channels across a room.

mod common;

use std::collections::HashMap;

use common::World;
use conclave_sfu::{Command, Event};

/// DataPacket { chat_message: text, sequence }
fn chat(text: &str, sequence: u8) -> Vec<u8> {
    [
        &[0x4a, text.len() as u8][..],
        text.as_bytes(),
        &[0x80, 0x01, sequence],
    ]
    .concat()
}

fn signed(mut packet: Vec<u8>, name: &str) -> Vec<u8> {
    let sid = format!("PA_{name}");
    packet.extend([0x22, name.len() as u8]);
    packet.extend(name.as_bytes());
    packet.extend([0x8a, 0x01, sid.len() as u8]);
    packet.extend(sid.as_bytes());
    packet
}

fn three() -> (World, [usize; 3]) {
    let mut world = World::new();
    let all = [
        world.join("r", "alice"),
        world.join("r", "bob"),
        world.join("r", "carol"),
    ];
    world.run_ms(1500);
    (world, all)
}

#[test]
fn reliable_packets_reach_the_others_once_with_the_senders_identity() {
    let (mut world, [alice, bob, carol]) = three();
    // Claims to be mallory.
    let packet = [chat("hi", 1), vec![0x22, 7], b"mallory".to_vec()].concat();
    assert!(world.clients[alice].send_data("_reliable", &packet));
    assert!(
        world.clients[alice].send_data("_reliable", &packet),
        "again, as after a resume"
    );
    world.run_ms(500);
    for receiver in [bob, carol] {
        assert_eq!(
            world.clients[receiver].data,
            [("_reliable".to_owned(), signed(chat("hi", 1), "alice"))]
        );
    }
    assert!(world.clients[alice].data.is_empty());
    let told = Event::ReliableSequence {
        participant: "PA_alice".into(),
        sequence: 1,
    };
    assert_eq!(world.count(|e| *e == told), 1);
}

#[test]
fn lossy_packets_and_destinations() {
    let (mut world, [alice, bob, carol]) = three();
    let packet = [chat("psst", 0), vec![0x2a, 3], b"bob".to_vec()].concat();
    assert!(world.clients[alice].send_data("_lossy", &packet));
    // A frame of a data track is no DataPacket and passes as it is.
    assert!(world.clients[alice].send_data("_data_track", &[0xff, 0xff, 1]));
    world.run_ms(500);
    assert_eq!(
        world.clients[bob].data,
        [
            ("_lossy".to_owned(), signed(packet, "alice")),
            ("_data_track".to_owned(), vec![0xff, 0xff, 1])
        ]
    );
    assert_eq!(
        world.clients[carol].data,
        [("_data_track".to_owned(), vec![0xff, 0xff, 1])]
    );
}

#[test]
fn malformed_packets_are_counted_and_dropped() {
    let (mut world, [alice, bob, _]) = three();
    for packet in [&[0x4a, 9, 1][..], &[0x0b], &[0xff; 20]] {
        assert!(world.clients[alice].send_data("_reliable", packet));
    }
    assert!(world.clients[alice].send_data("_reliable", &chat("still here", 3)));
    world.run_ms(500);
    assert_eq!(world.shard.stats().data_dropped, 3);
    assert_eq!(world.clients[bob].data.len(), 1);
}

#[test]
fn large_messages_pass_in_order() {
    let (mut world, [alice, bob, _]) = three();
    let big: Vec<Vec<u8>> = (1..=6u8)
        .map(|n| {
            [
                vec![0x6a, 0xb0, 0xea, 0x01],
                vec![n; 30_000],
                vec![0x80, 0x01, n],
            ]
            .concat()
        })
        .collect();
    for packet in &big {
        while !world.clients[alice].send_data("_reliable", packet) {
            world.run_ms(100);
        }
    }
    world.run_ms(10_000);
    let got: Vec<_> = world.clients[bob]
        .data
        .iter()
        .map(|(_, d)| d.clone())
        .collect();
    assert_eq!(
        got,
        big.iter()
            .map(|p| signed(p.clone(), "alice"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_server_speaks_to_all_or_some() {
    let (mut world, [alice, bob, carol]) = three();
    let send = |packet: &[u8], destinations: &[&str]| Command::SendData {
        room: "r".into(),
        packet: packet.to_vec(),
        reliable: true,
        destinations: destinations.iter().map(|d| (*d).into()).collect(),
    };
    world.command(send(b"all", &[]));
    world.command(send(b"carol", &["PA_carol"]));
    world.run_ms(500);
    let texts = |i: usize| {
        world.clients[i]
            .data
            .iter()
            .map(|(_, d)| d.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(alice), [b"all".to_vec()]);
    assert_eq!(texts(bob), [b"all".to_vec()]);
    assert_eq!(texts(carol), [b"all".to_vec(), b"carol".to_vec()]);
}

#[test]
fn missed_packets_are_replayed() {
    let (mut world, [alice, bob, _]) = three();
    for n in 1..=5 {
        world.clients[alice].send_data("_reliable", &chat("m", n));
    }
    world.run_ms(500);
    world.clients[bob].data.clear();
    let last = HashMap::from([("PA_alice".into(), 3)]);
    world.command(Command::ReplayData {
        participant: "PA_bob".into(),
        last,
    });
    world.run_ms(500);
    let got: Vec<_> = world.clients[bob]
        .data
        .iter()
        .map(|(_, d)| d.clone())
        .collect();
    assert_eq!(
        got,
        [signed(chat("m", 4), "alice"), signed(chat("m", 5), "alice")]
    );
    // Somebody who came later was never meant.
    let dave = world.join("r", "dave");
    world.run_ms(1000);
    world.command(Command::ReplayData {
        participant: "PA_dave".into(),
        last: HashMap::new(),
    });
    world.run_ms(500);
    assert!(world.clients[dave].data.is_empty());
}
