//! Clients of two connections: they offer on one and answer on the other.

mod common;

use std::time::Duration;

use common::dual::Dual;
use common::{World, everything};
use conclave_sfu::{
    Command, Event, Grant, Kind, ParticipantId, SubscriptionError, TrackId, TransportState,
};

fn states(world: &World, id: &ParticipantId) -> Vec<TransportState> {
    let of = |event: &Event| match event {
        Event::Transport { participant, state } if participant == id => Some(*state),
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

fn id(world: &World, dual: Dual) -> ParticipantId {
    world.clients[dual.publisher].id.clone()
}

fn restart(world: &mut World, dual: Dual) {
    let participant = id(world, dual);
    world.command(Command::RestartIce { participant });
}

/// Somebody with one connection, a microphone and a camera.
fn publisher(world: &mut World) -> (usize, TrackId, TrackId) {
    let alice = world.join("r", "alice");
    let microphone = world.publish(alice, "mic", Kind::Audio);
    let camera = world.publish(alice, "camera", Kind::Video);
    world.run_ms(500);
    (alice, microphone, camera)
}

/// The lines of one section of a description.
fn section<'a>(sdp: &'a str, mid: &str) -> &'a str {
    sdp.split("\r\nm=")
        .find(|s| s.contains(&format!("\r\na=mid:{mid}\r\n")))
        .unwrap_or_else(|| panic!("no section {mid} in {sdp}"))
}

#[test]
fn receives_on_one_connection_and_publishes_on_the_other() {
    let mut world = World::new();
    let (alice, microphone, camera) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &microphone);
    world.subscribe(bob.publisher, &camera);
    let mine = world.publish(bob.publisher, "bobs", Kind::Video);
    world.subscribe(alice, &mine);
    world.run_ms(3000);

    assert_eq!(world.server_offers(bob.subscriber).len(), 1, "all in one");
    let (offer_id, offer) = &world.server_offers(bob.subscriber)[0];
    assert_eq!(*offer_id, 1);
    assert!(offer.contains("\r\na=group:BUNDLE 0 1 2\r\n"), "{offer}");
    assert!(offer.contains("a=ice-lite\r\n") && offer.contains("a=extmap-allow-mixed\r\n"));
    assert_eq!(offer.matches("a=setup:actpass\r\n").count(), 3);
    let data = offer.split("\r\nm=").nth(1).unwrap();
    assert!(data.starts_with("application ") && data.contains("a=sctp-port:5000"));
    let video = section(offer, "2");
    assert!(video.contains("a=sendonly\r\na=msid:PA_alice|camera TR_camera\r\n"));
    assert!(video.contains("a=ssrc-group:FID ") && video.contains("a=rtcp-fb:96 nack pli\r\n"));

    for track in [&microphone, &camera] {
        let received = world.received(bob.subscriber, track);
        assert!(received.packets > 100, "{track}: {}", received.packets);
        assert_eq!(received.missing(), 0);
        assert_eq!(received.ssrcs.len(), 1);
    }
    assert_eq!(
        world.received(bob.subscriber, &camera).first_is_key,
        Some(true)
    );
    assert!(world.received(bob.subscriber, &microphone).levels > 100);
    assert!(world.received(alice, &mine).frames.len() > 50);
    let bob_id = id(&world, bob);
    assert_eq!(states(&world, &bob_id), [TransportState::Connected]);
    let subscribed =
        |e: &Event| matches!(e, Event::Subscribed { participant, .. } if *participant == bob_id);
    assert_eq!(world.count(subscribed), 2);
    assert_eq!(
        world.count(
            |e| matches!(e, Event::SectionsNeeded { participant, .. } if *participant == bob_id)
        ),
        0
    );
    assert_eq!(world.shard.stats().participants, 2);
}

#[test]
fn two_of_them_meet_also_as_dtls_servers_and_with_loss() {
    let mut world = World::new();
    let alice = world.open_dual("r", "alice", everything());
    let bob = world.open_dual("r", "bob", everything());
    for dual in [alice, bob] {
        let answers = world.clients[dual.subscriber].answers.as_mut().unwrap();
        answers.is_passive = true;
    }
    let sound = world.publish(alice.publisher, "mic", Kind::Audio);
    let picture = world.publish(bob.publisher, "camera", Kind::Video);
    world.subscribe(bob.publisher, &sound);
    world.subscribe(alice.publisher, &picture);
    world.run_ms(1500);
    world.loss = 0.03;
    world.run_ms(3000);
    assert!(world.received(bob.subscriber, &sound).packets > 150);
    let video = world.received(alice.subscriber, &picture);
    assert!(video.frames.len() > 90, "{}", video.frames.len());
    assert!(world.shard.stats().rtx_out > 0, "repaired");
}

#[test]
fn one_offer_at_a_time_and_the_rest_after_its_answer() {
    let mut world = World::new();
    let (_, microphone, camera) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", everything());
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    world.run_ms(20);
    assert_eq!(
        world.server_offers(bob.subscriber).len(),
        1,
        "for data alone"
    );
    world.subscribe(bob.publisher, &microphone);
    world.run_ms(100);
    world.subscribe(bob.publisher, &camera);
    world.run_ms(1000);
    assert_eq!(world.server_offers(bob.subscriber).len(), 1);

    let (first, offer) = world.server_offers(bob.subscriber)[0].clone();
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = false;
    let answer = world.clients[bob.subscriber].accept_offer(&offer, &[]);
    // An answer to an offer that was never made is none.
    world.answer(bob.subscriber, first + 1, answer.clone());
    world.run_ms(200);
    assert_eq!(world.server_offers(bob.subscriber).len(), 1);
    world.answer(bob.subscriber, first, answer.clone());
    world.run_ms(2000);
    let ids: Vec<u32> = world
        .server_offers(bob.subscriber)
        .iter()
        .map(|o| o.0)
        .collect();
    assert_eq!(ids, [1, 2], "both tracks in the second");
    // Once more the first answer, late: passed over.
    world.answer(bob.subscriber, first, answer);
    world.run_ms(500);
    assert!(world.received(bob.subscriber, &microphone).packets > 50);
    assert!(world.received(bob.subscriber, &camera).packets > 50);
}

#[test]
fn sections_are_used_again_once_they_were_inactive() {
    let mut world = World::new();
    let (alice, _, camera) = publisher(&mut world);
    let screen = world.publish(alice, "screen", Kind::Video);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &camera);
    world.run_ms(1000);
    let unsubscribe = |world: &mut World, track: &TrackId| {
        let participant = id(world, bob);
        let track = track.clone();
        world.command(Command::Unsubscribe { participant, track });
    };
    // In the same moment: the old track's section is not the new one's.
    unsubscribe(&mut world, &camera);
    world.subscribe(bob.publisher, &screen);
    world.run_ms(1000);
    let (_, offer) = world.server_offers(bob.subscriber).last().unwrap().clone();
    assert!(section(&offer, "1").contains("a=inactive\r\n"));
    assert!(section(&offer, "2").contains("a=msid:PA_alice|screen TR_screen\r\n"));
    let before = world.received(bob.subscriber, &camera).packets;
    assert!(world.received(bob.subscriber, &screen).packets > 30);

    world.subscribe(bob.publisher, &camera);
    world.run_ms(1000);
    let (_, offer) = world.server_offers(bob.subscriber).last().unwrap().clone();
    assert!(section(&offer, "1").contains("a=msid:PA_alice|camera TR_camera\r\n"));
    assert_eq!(offer.matches("\r\nm=").count(), 3);
    assert!(world.received(bob.subscriber, &camera).packets > before + 30);
    assert_eq!(world.received(bob.subscriber, &camera).ssrcs.len(), 2);

    // The publisher leaves: everything goes inactive.
    let participant = world.clients[alice].id.clone();
    world.command(Command::Close { participant });
    world.run_ms(500);
    let (_, offer) = world.server_offers(bob.subscriber).last().unwrap().clone();
    assert_eq!(offer.matches("a=inactive\r\n").count(), 2);
    let quiet = world.server_offers(bob.subscriber).len();
    world.run_ms(3000);
    assert_eq!(
        world.server_offers(bob.subscriber).len(),
        quiet,
        "and then rests"
    );
}

#[test]
fn sections_of_other_tracks_are_used_again_when_there_are_many() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let bob = world.open_dual("r", "bob", everything());
    for round in 0..40 {
        world.clients[alice].poke();
        let track = world.publish(alice, &format!("mic{round}"), Kind::Audio);
        world.subscribe(bob.publisher, &track);
        world.run_ms(400);
        assert!(
            world.received(bob.subscriber, &track).packets > 5,
            "{round}"
        );
        let (_, offer) = world.server_offers(bob.subscriber).last().unwrap().clone();
        let sections = offer.matches("\r\nm=").count();
        let stream = if round < 31 { "camera" } else { &*track };
        assert!(
            offer.contains(&format!("a=msid:PA_alice|{stream} {track}\r\n")),
            "{round}: {offer}"
        );
        assert_eq!(sections, 32.min(round + 2));
        world.clients[alice].stop_sending(&format!("mic{round}"));
        world.offer(alice);
        let participant = world.clients[alice].id.clone();
        world.command(Command::RemoveTrack { participant, track });
        world.run_ms(300);
    }
}

#[test]
fn unsubscribed_and_subscribed_again_while_an_offer_is_under_way() {
    let mut world = World::new();
    let (_, microphone, camera) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &camera);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    world.run_ms(100);
    let (first, offer) = world.server_offers(bob.subscriber)[0].clone();
    let participant = id(&world, bob);
    for _ in 0..3 {
        let track = camera.clone();
        world.command(Command::Unsubscribe {
            participant: participant.clone(),
            track,
        });
        world.run_ms(5);
        world.subscribe(bob.publisher, &camera);
    }
    world.subscribe(bob.publisher, &microphone);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = false;
    let mids = [("1".to_owned(), camera.clone())];
    let answer = world.clients[bob.subscriber].accept_offer(&offer, &mids);
    world.answer(bob.subscriber, first, answer);
    world.run_ms(2500);
    assert!(world.received(bob.subscriber, &camera).packets > 100);
    assert!(world.received(bob.subscriber, &microphone).packets > 50);
    assert_eq!(world.shard.stats().panics, 0);
}

#[test]
fn who_answers_no_offer_is_given_up() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let bob = world.open_dual("r", "bob", everything());
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    let bob_id = id(&world, bob);
    let failed = |e: &Event| matches!(e, Event::ParticipantFailed { participant, .. } if *participant == bob_id);
    world.run_ms(14_500);
    assert_eq!(world.count(failed), 0);
    world.run_ms(1000);
    assert_eq!(world.count(failed), 1);
    assert_eq!(world.shard.stats().participants, 1);
    let participant = world.clients[alice].id.clone();
    world.command(Command::Close { participant });
    assert_eq!(world.shard.footprint(), [0; 7]);
}

#[test]
fn a_lost_answer_is_mended_by_a_restart() {
    let mut world = World::new();
    let (_, microphone, _) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &microphone);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    world.run_ms(1000);
    let (first, offer) = world.server_offers(bob.subscriber)[0].clone();
    // The client has taken it, and its answer never came.
    let mids = [("1".to_owned(), microphone.clone())];
    let lost = world.clients[bob.subscriber].accept_offer(&offer, &mids);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = false;
    restart(&mut world, bob);
    world.run_ms(100);
    world.answer(bob.subscriber, first, lost);
    world.run_ms(1500);
    let ids: Vec<u32> = world
        .server_offers(bob.subscriber)
        .iter()
        .map(|o| o.0)
        .collect();
    assert_eq!(ids, [1, 2]);
    assert!(world.received(bob.subscriber, &microphone).packets > 50);
    let bob_id = id(&world, bob);
    assert_eq!(states(&world, &bob_id), [TransportState::Connected]);
}

#[test]
fn ice_restarts_on_both_connections_while_media_flows() {
    let mut world = World::new();
    let (alice, microphone, camera) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &microphone);
    world.subscribe(bob.publisher, &camera);
    let mine = world.publish(bob.publisher, "bobs", Kind::Audio);
    world.subscribe(alice, &mine);
    world.run_ms(1500);
    let ufrag = |sdp: &str| {
        let line = sdp.lines().find(|l| l.starts_with("a=ice-ufrag:"));
        line.unwrap().to_owned()
    };
    let before = ufrag(&world.server_offers(bob.subscriber)[0].1);
    world.clients[bob.publisher].restart_ice();
    world.offer(bob.publisher);
    restart(&mut world, bob);
    world.clients[bob.subscriber].change_address("203.0.113.77:7000".parse().unwrap());
    world.run_ms(3000);
    let (_, offer) = world.server_offers(bob.subscriber).last().unwrap().clone();
    assert_ne!(ufrag(&offer), before);
    for track in [&microphone, &camera] {
        let last = world.received(bob.subscriber, track).last_at.unwrap();
        assert!(
            world.now - last < Duration::from_millis(200),
            "{track} flows"
        );
    }
    let last = world.received(alice, &mine).last_at.unwrap();
    assert!(world.now - last < Duration::from_millis(200));
    let bob_id = id(&world, bob);
    assert_eq!(states(&world, &bob_id), [TransportState::Connected]);
    // Restarted twice before anything is answered: what works goes on working.
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    restart(&mut world, bob);
    world.run_ms(100);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = false;
    restart(&mut world, bob);
    world.run_ms(3000);
    let last = world.received(bob.subscriber, &camera).last_at.unwrap();
    assert!(world.now - last < Duration::from_millis(200));
    assert_eq!(states(&world, &bob_id), [TransportState::Connected]);
}

#[test]
fn data_goes_out_on_the_one_and_comes_in_on_the_other() {
    let mut world = World::new();
    let alice = world.join("r", "alice");
    let bob = world.open_dual("r", "bob", everything());
    world.offer(bob.publisher);
    world.run_ms(1500);
    assert_eq!(world.clients[bob.subscriber].open_channels.len(), 3);
    let user = |text: &[u8]| {
        let mut packet = vec![0x12, text.len() as u8 + 2, 0x12, text.len() as u8];
        packet.extend_from_slice(text);
        packet
    };
    assert!(world.clients[alice].send_data("_reliable", &user(b"to bob")));
    assert!(world.clients[bob.publisher].send_data("_reliable", &user(b"to alice")));
    assert!(world.clients[bob.publisher].send_data("_lossy", &user(b"soon")));
    assert!(world.clients[alice].send_data("_data_track", b"frame"));
    world.run_ms(500);
    let got = |index: usize, label: &str, text: &[u8]| {
        world.clients[index]
            .data
            .iter()
            .filter(|(l, m)| l == label && m.windows(text.len()).any(|w| w == text))
            .count()
    };
    assert_eq!(got(bob.subscriber, "_reliable", b"to bob"), 1);
    assert_eq!(got(bob.subscriber, "_data_track", b"frame"), 1);
    assert_eq!(got(alice, "_reliable", b"to alice"), 1);
    assert_eq!(got(alice, "_lossy", b"soon"), 1);
    assert!(world.clients[bob.publisher].data.is_empty());
    world.command(Command::SendData {
        room: "r".into(),
        packet: user(b"from the server"),
        reliable: true,
        destinations: vec![id(&world, bob)],
    });
    world.run_ms(300);
    assert_eq!(world.clients[bob.subscriber].data.len(), 3);
    assert_eq!(world.clients[alice].data.len(), 2);
}

#[test]
fn who_may_not_subscribe_lives_on_the_publishing_connection() {
    let mut world = World::new();
    let (alice, microphone, _) = publisher(&mut world);
    let grant = Grant {
        can_subscribe: false,
        ..everything()
    };
    let bob = world.open_dual("r", "bob", grant);
    world.offer(bob.publisher);
    world.subscribe(bob.publisher, &microphone);
    world.run_ms(1500);
    assert!(world.server_offers(bob.subscriber).is_empty());
    let bob_id = id(&world, bob);
    assert_eq!(states(&world, &bob_id), [TransportState::Connected]);
    assert!(world.clients[alice].send_data("_reliable", &[0x12, 4, 0x12, 2, b'h', b'i']));
    world.run_ms(300);
    assert_eq!(world.clients[bob.publisher].data.len(), 1);
    // The right comes later, and with it the first offer.
    world.command(Command::SetGrant {
        participant: bob_id.clone(),
        grant: everything(),
    });
    world.subscribe(bob.publisher, &microphone);
    world.run_ms(1500);
    assert!(world.received(bob.subscriber, &microphone).packets > 20);
    assert_eq!(states(&world, &bob_id), [TransportState::Connected]);
    // And goes again.
    world.command(Command::SetGrant {
        participant: bob_id,
        grant,
    });
    world.run_ms(500);
    let packets = world.received(bob.subscriber, &microphone).packets;
    world.run_ms(500);
    assert_eq!(world.received(bob.subscriber, &microphone).packets, packets);
}

#[test]
fn either_connection_takes_the_participant_with_it() {
    for end in 0..2 {
        let mut world = World::new();
        let (alice, microphone, _) = publisher(&mut world);
        let bob = world.open_dual("r", "bob", everything());
        world.subscribe(bob.publisher, &microphone);
        let mine = world.publish(bob.publisher, "bobs", Kind::Audio);
        world.subscribe(alice, &mine);
        world.run_ms(1500);
        world.cut.push(bob.publisher + end);
        world.run_ms(17_000);
        let bob_id = id(&world, bob);
        use TransportState::{Connected, Disconnected, Failed};
        assert_eq!(
            states(&world, &bob_id),
            [Connected, Disconnected, Failed],
            "{end}"
        );
        // The network comes back in time: so does the participant.
        world.cut.clear();
        world.run_ms(3000);
        world.command(Command::InjectFault {
            participant: bob_id.clone(),
        });
        world.run_ms(3000);
        assert_eq!(world.shard.stats().panics, 1);
        assert_eq!(world.shard.stats().participants, 1);
        let participant = world.clients[alice].id.clone();
        world.command(Command::Close { participant });
        assert_eq!(world.shard.footprint(), [0; 7]);
    }
}

#[test]
fn closing_says_goodbye_on_both() {
    let mut world = World::new();
    let alice = world.open_dual("r", "alice", everything());
    world.offer(alice.publisher);
    world.run_ms(1500);
    let participant = id(&world, alice);
    world.command(Command::Close { participant });
    assert_eq!(world.shard.footprint(), [0; 7]);
    world.run_ms(200);
    for end in [alice.publisher, alice.subscriber] {
        assert!(!world.clients[end].rtc.is_alive(), "{end}");
    }
    // Opened anew under the same sid: the two before are gone.
    let again = world.open_dual("r", "alice", everything());
    let once_more = world.open_dual("r", "alice", everything());
    assert_eq!(world.shard.stats().participants, 1);
    let _ = (again, once_more);
}

#[test]
fn what_a_client_declines_is_told_and_the_rest_flows() {
    let mut world = World::new();
    let (_, microphone, camera) = publisher(&mut world);
    let bob = world.open_dual("r", "bob", everything());
    world.subscribe(bob.publisher, &microphone);
    world.subscribe(bob.publisher, &camera);
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = true;
    world.run_ms(100);
    let (first, offer) = world.server_offers(bob.subscriber)[0].clone();
    let mids = [("1".to_owned(), microphone.clone())];
    let answer = world.clients[bob.subscriber].accept_offer(&offer, &mids);
    let (rest, video) = answer.split_once("m=video 9").unwrap();
    let rest = rest.replace("BUNDLE 0 1 2", "BUNDLE 0 1");
    let answer = format!("{rest}m=video 0{video}");
    world.clients[bob.subscriber]
        .answers
        .as_mut()
        .unwrap()
        .is_silent = false;
    world.answer(bob.subscriber, first, answer);
    world.run_ms(1500);
    let reason = SubscriptionError::CodecUnsupported;
    let told = |e: &Event| matches!(e, Event::SubscriptionFailed { track, reason: r, .. } if *track == camera && *r == reason);
    assert_eq!(world.count(told), 1);
    assert!(world.received(bob.subscriber, &microphone).packets > 50);
}
