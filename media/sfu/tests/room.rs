//! Whole rooms: publishing, subscribing, and what goes on between.

mod common;

use common::World;
use conclave_sfu::{Event, Kind, TransportState};

#[test]
fn two_participants_hear_and_see_each_other() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.open(
        "r",
        "bob",
        conclave_sfu::Grant {
            can_publish: true,
            can_subscribe: true,
            can_publish_data: true,
        },
    );
    world.subscribe(bob, &microphone);
    world.subscribe(bob, &camera);
    world.offer(bob);
    world.run_ms(3000);
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
    assert_eq!(world.clients[bob].offers, 1, "bound in the first answer");
    let video = world.received(bob, &camera);
    assert_eq!(video.first_is_key, Some(true));
    assert!(video.packets > 200);
    assert_eq!(video.missing(), 0);
    assert!(world.received(bob, &microphone).packets > 100);
}

#[test]
fn data_goes_to_the_others_with_the_senders_identity() {
    let mut world = World::new();
    let (alice, bob, carol) = (
        world.join("r", "alice"),
        world.join("r", "bob"),
        world.join("r", "carol"),
    );
    world.run_ms(1500);
    // DataPacket { chat_message: "hi", participant_identity: "mallory", sequence: 1 }
    let packet = [
        &[0x4a, 2][..],
        b"hi",
        &[0x22, 7],
        b"mallory",
        &[0x80, 0x01, 0x01],
    ]
    .concat();
    assert!(world.clients[alice].send_data("_reliable", &packet));
    assert!(
        world.clients[alice].send_data("_reliable", &packet),
        "again, as after a resume"
    );
    world.run_ms(500);
    let expected = [
        &[0x4a, 2][..],
        b"hi",
        &[0x80, 0x01, 0x01, 0x22, 5],
        b"alice",
        &[0x8a, 1, 8],
        b"PA_alice",
    ]
    .concat();
    for receiver in [bob, carol] {
        assert_eq!(
            world.clients[receiver].data,
            [("_reliable".to_owned(), expected.clone())]
        );
    }
    assert!(world.clients[alice].data.is_empty());
}
