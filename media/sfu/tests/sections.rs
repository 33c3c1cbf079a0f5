//! Media sections: asked for, bound, released, recycled.

mod common;

use common::{World, everything};
use conclave_sfu::{Command, Event, Kind};

#[test]
fn missing_sections_are_asked_for_in_one_go() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let tracks: Vec<_> = (0..5)
        .map(|n| world.announce(alice, &format!("camera{n}"), Kind::Video))
        .collect();
    for n in 0..5 {
        world.clients[alice].add_sender(&format!("camera{n}"), Kind::Video);
    }
    world.offer(alice);
    world.run_ms(500);
    world.auto_negotiate = false;
    let bob = world.join("r", "bob");
    world.run_ms(500);
    let participant = world.clients[bob].id.clone();
    for track in &tracks {
        world.shard.command(
            world.now,
            Command::Subscribe {
                participant: participant.clone(),
                track: track.clone(),
            },
        );
    }
    world.settle();
    let needed: Vec<_> = world
        .events
        .iter()
        .filter(|e| matches!(e, Event::SectionsNeeded { .. }))
        .collect();
    assert_eq!(
        needed,
        [&Event::SectionsNeeded {
            participant: participant.clone(),
            audio: 0,
            video: 2
        }]
    );
    world.run_ms(2000);
    assert_eq!(
        world.count(|e| matches!(e, Event::SectionsNeeded { .. })),
        1,
        "not again while the client is busy"
    );
    world.run_ms(2000);
    assert_eq!(
        world.count(|e| matches!(e, Event::SectionsNeeded { .. })),
        2,
        "but when it does not react"
    );
    world.clients[bob].add_receivers(0, 2);
    world.offer(bob);
    world.run_ms(1500);
    for track in &tracks {
        assert_eq!(world.received(bob, track).first_is_key, Some(true));
    }
    assert_eq!(world.count(|e| matches!(e, Event::Subscribed { .. })), 5);
}

#[test]
fn free_sections_need_an_offer_only() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let bob = world.join("r", "bob");
    world.run_ms(500);
    let camera = world.publish(alice, "camera", Kind::Video);
    world.auto_negotiate = false;
    world.subscribe(bob, &camera);
    let needed = Event::SectionsNeeded {
        participant: "PA_bob".into(),
        audio: 0,
        video: 0,
    };
    assert_eq!(world.count(|e| *e == needed), 1);
    world.clients[bob].wants_offer = true;
    world.offer(bob);
    world.run_ms(1000);
    assert!(world.received(bob, &camera).packets > 50);
}

#[test]
fn unsubscribed_and_subscribed_again() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    world.command(Command::Unsubscribe {
        participant: "PA_bob".into(),
        track: camera.clone(),
    });
    assert!(
        !world.clients[bob].last_answer.contains("a=sendonly"),
        "the client saw the track end"
    );
    world.run_ms(20);
    let at_stop = world.received(bob, &camera).packets;
    world.run_ms(500);
    assert_eq!(world.received(bob, &camera).packets, at_stop);
    world.clients[bob].received.clear();
    world.subscribe(bob, &camera);
    world.run_ms(1000);
    let video = world.received(bob, &camera);
    assert_eq!(video.first_is_key, Some(true));
    assert!(video.packets > 50);
    assert_eq!(
        world.clients[bob].last_answer.matches("m=video").count(),
        3,
        "the section was used again"
    );
}

#[test]
fn unpublished_and_published_again() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    world.clients[alice].stop_sending("camera");
    world.offer(alice);
    let ended = Event::TrackEnded {
        participant: "PA_alice".into(),
        track: camera.clone(),
    };
    assert_eq!(world.count(|e| *e == ended), 1);
    world.command(Command::RemoveTrack {
        participant: "PA_alice".into(),
        track: camera.clone(),
    });
    world.run_ms(1500);
    let again = world.publish(alice, "camera2", Kind::Video);
    world.subscribe(bob, &again);
    world.run_ms(1500);
    assert!(world.received(bob, &again).packets > 50);
    assert_eq!(world.received(bob, &again).first_is_key, Some(true));
}

#[test]
fn a_stopped_section_is_recycled() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.join("r", "bob");
    world.subscribe(bob, &camera);
    world.run_ms(1500);
    let mid = world.clients[alice].sending[0].mid.unwrap();
    world.clients[alice].stop_section(mid);
    world.offer(alice);
    let ended = Event::TrackEnded {
        participant: "PA_alice".into(),
        track: camera,
    };
    assert_eq!(world.count(|e| *e == ended), 1);
    let answer = &world.clients[alice].last_answer;
    assert!(answer.contains("m=video 0 "), "{answer}");
    let bundle = answer
        .lines()
        .find(|l| l.starts_with("a=group:BUNDLE"))
        .unwrap();
    assert!(!bundle.contains(&*mid), "{bundle}");
    let again = world.publish(alice, "camera2", Kind::Video);
    world.subscribe(bob, &again);
    world.run_ms(1500);
    assert!(world.received(bob, &again).packets > 50);
}

#[test]
fn another_track_in_the_same_section_ends_the_first() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let one = world.publish(alice, "one", Kind::Video);
    world.run_ms(500);
    let offer = world.clients[alice].last_offer.clone();
    let two = world.announce(alice, "two", Kind::Video);
    // As after replacing the sender's track in a reused transceiver.
    let changed = offer.replace("stream one", "stream two");
    world.shard.command(
        world.now,
        Command::Offer {
            participant: "PA_alice".into(),
            offer_id: 9,
            sdp: changed,
        },
    );
    let events: Vec<_> = world.shard.events().collect();
    assert!(events.contains(&Event::TrackEnded {
        participant: "PA_alice".into(),
        track: one
    }));
    let Some(Event::Answer { mid_to_track, .. }) =
        events.iter().find(|e| matches!(e, Event::Answer { .. }))
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        mid_to_track.iter().map(|(_, t)| t).collect::<Vec<_>>(),
        [&two]
    );
}

#[test]
fn offers_that_cannot_be_applied_change_nothing() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    world.run_ms(500);
    let offer = world.clients[alice].last_offer.clone();
    let cut = &offer[..offer.rfind("m=").unwrap()];
    for sdp in ["", "v=0", cut, "nonsense\n"] {
        let participant = world.clients[alice].id.clone();
        world.shard.command(
            world.now,
            Command::Offer {
                participant,
                offer_id: 7,
                sdp: sdp.to_owned(),
            },
        );
        let events: Vec<_> = world.shard.events().collect();
        assert!(
            matches!(&events[..], [Event::OfferRejected { offer_id: 7, .. }]),
            "{events:?}"
        );
    }
    let camera = world.publish(alice, "camera", Kind::Video);
    let bob = world.open("r", "bob", everything());
    world.subscribe(bob, &camera);
    world.offer(bob);
    world.run_ms(1000);
    assert!(world.received(bob, &camera).packets > 20);
}

#[test]
fn answers_name_the_streams_before_their_first_packet() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let bob = world.join("r", "bob");
    let track = world.publish(alice, "camera", Kind::Video);
    world.subscribe(bob, &track);
    world.run_ms(500);
    let receiver = &world.clients[bob].id;
    let sdp = world
        .events
        .iter()
        .rev()
        .find_map(|e| match e {
            Event::Answer {
                participant, sdp, ..
            } if participant == receiver => Some(sdp),
            _ => None,
        })
        .expect("an answer");
    let section = sdp
        .split("m=video")
        .find(|s| s.contains("a=sendonly"))
        .expect("a section that sends");
    let group = section
        .lines()
        .find_map(|l| l.strip_prefix("a=ssrc-group:FID "))
        .expect("a stream and its repair");
    for ssrc in group.split(' ') {
        assert!(
            section.contains(&format!("a=ssrc:{ssrc} cname:")),
            "{section}"
        );
    }
}

#[test]
fn a_section_whose_retransmissions_were_stripped_can_publish() {
    let mut world = World::new();
    world.auto_negotiate = false;
    let alice = world.join("r", "alice");
    let track = world.announce(alice, "camera", Kind::Video);
    world.clients[alice].add_sender("camera", Kind::Video);
    let (offer_id, sdp) = world.clients[alice].make_offer().expect("an offer");
    let mut sections: Vec<String> = sdp.split("\r\nm=").map(str::to_owned).collect();
    let sending = sections
        .iter_mut()
        .find(|s| s.starts_with("video") && s.contains("a=sendonly"))
        .expect("a section that sends");
    let repairs: Vec<String> = sending
        .lines()
        .filter(|l| l.ends_with(" rtx/90000"))
        .filter_map(|l| l.strip_prefix("a=rtpmap:")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert!(!repairs.is_empty());
    let mut lines: Vec<String> = sending.lines().map(str::to_owned).collect();
    lines[0] = lines[0]
        .split(' ')
        .filter(|pt| !repairs.iter().any(|r| r == pt))
        .collect::<Vec<_>>()
        .join(" ");
    lines.retain(|l| {
        !l.starts_with("a=ssrc")
            && !repairs.iter().any(|r| {
                l.starts_with(&format!("a=rtpmap:{r} ")) || l.starts_with(&format!("a=fmtp:{r} "))
            })
    });
    *sending = lines.join("\r\n");
    let sdp = format!("{}\r\n", sections.join("\r\nm="));
    let participant = world.clients[alice].id.clone();
    world.shard.command(
        world.now,
        Command::Offer {
            participant,
            offer_id,
            sdp,
        },
    );
    world.settle();
    let bound = world.events.iter().any(|e| {
        matches!(e, Event::Answer { mid_to_track, .. } if mid_to_track.iter().any(|(_, t)| *t == track))
    });
    assert!(bound, "{:?}", world.events);
}
