//! Pictures of which the end has not come: for how long a driver is told to wait for the rest.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::World;
use conclave_sfu::{Kind, TrackId};

/// What is waited at most.
const LIMIT: Duration = Duration::from_millis(2);

struct Meeting {
    world: World,
    cameras: Vec<TrackId>,
}

/// Publishers of a camera each, and of a microphone too if wanted; the last client watches.
fn meeting(publishers: usize, has_sound: bool, is_watched: bool) -> Meeting {
    let mut world = World::new();
    let mut cameras = Vec::new();
    let mut others = Vec::new();
    for n in 0..publishers {
        let publisher = world.join("r", &format!("publisher{n}"));
        cameras.push(world.publish(publisher, &format!("camera{n}"), Kind::Video));
        if has_sound {
            others.push(world.publish(publisher, &format!("microphone{n}"), Kind::Audio));
        }
    }
    let viewer = world.join("r", "viewer");
    for track in cameras.iter().chain(&others).filter(|_| is_watched) {
        world.subscribe(viewer, track);
    }
    world.run_ms(1500);
    Meeting { world, cameras }
}

impl Meeting {
    /// The media packets of the next picture of a publisher, as they leave it.
    fn picture(&mut self, publisher: usize, name: &str) -> Vec<Vec<u8>> {
        let client = &mut self.world.clients[publisher];
        let camera = client.sending.iter().find(|s| s.name == name).unwrap();
        let at = camera.next;
        self.world.now = self.world.now.max(at);
        let now = self.world.now;
        self.world.shard.advance(now);
        self.world.shard.transmits().for_each(drop);
        for other in &mut self.world.clients[publisher].sending {
            other.is_on = other.name == name;
            other.next = now;
        }
        self.world.clients[publisher].advance(now);
        let out = self.world.clients[publisher].take_out();
        let is_media = |datagram: &Vec<u8>| matches!(datagram[..], [128..=191, kind, ..] if !(192..=223).contains(&kind));
        out.into_iter().map(|(_, d)| d).filter(is_media).collect()
    }

    fn receive(&mut self, at: Instant, publisher: usize, datagrams: &[Vec<u8>]) {
        let source = self.world.clients[publisher].address;
        let server: SocketAddr = common::SERVER.parse().unwrap();
        for datagram in datagrams {
            self.world.shard.receive(at, source, server, datagram);
        }
        self.world.shard.advance(at);
    }

    fn sent(&mut self) -> usize {
        self.world.shard.transmits().count()
    }

    fn until(&self) -> Option<Instant> {
        self.world.shard.incomplete_until()
    }
}

#[test]
fn a_picture_is_waited_for_until_its_last_packet_and_leaves_in_one_piece() {
    let mut meeting = meeting(1, false, true);
    for _ in 0..3 {
        let packets = meeting.picture(0, "camera0");
        let start = meeting.world.now;
        meeting.receive(start, 0, &packets[..1]);
        assert_eq!(meeting.until(), Some(start + LIMIT));
        meeting.receive(start + LIMIT / 4, 0, &packets[1..3]);
        assert_eq!(
            meeting.until(),
            Some(start + LIMIT),
            "from its first packet on"
        );
        meeting.receive(start + LIMIT / 2, 0, &packets[3..]);
        assert_eq!(meeting.until(), None);
        assert!(meeting.sent() >= packets.len());
    }
}

#[test]
fn a_picture_without_an_end_is_waited_for_no_longer_than_the_limit() {
    let mut meeting = meeting(1, false, true);
    let packets = meeting.picture(0, "camera0");
    let start = meeting.world.now;
    meeting.receive(start, 0, &packets[..1]);
    assert!(meeting.until().is_some());
    meeting.world.shard.advance(start + LIMIT);
    assert_eq!(meeting.until(), None);
    assert!(meeting.sent() >= 1);
    // What comes later is too late, and goes as it comes.
    meeting.receive(start + LIMIT * 2, 0, &packets[1..2]);
    assert_eq!(meeting.until(), None);
    assert!(meeting.sent() >= 1);

    // Neither do pictures without an end, one after the other, add up.
    let first = meeting.picture(0, "camera0");
    let second = meeting.picture(0, "camera0");
    let start = meeting.world.now;
    meeting.receive(start, 0, &first[..1]);
    meeting.receive(start + LIMIT / 2, 0, &second[..1]);
    assert_eq!(meeting.until(), Some(start + LIMIT));
}

#[test]
fn packets_that_come_late_or_twice_begin_no_picture() {
    let mut meeting = meeting(1, false, true);
    let first = meeting.picture(0, "camera0");
    let start = meeting.world.now;
    // The last packet overtakes the others.
    meeting.receive(start, 0, &first[3..]);
    assert_eq!(meeting.until(), None);
    meeting.receive(start, 0, &first[..2]);
    assert_eq!(meeting.until(), None);
    let second = meeting.picture(0, "camera0");
    meeting.receive(meeting.world.now, 0, &second);
    meeting.receive(meeting.world.now, 0, &first[2..]);
    meeting.receive(meeting.world.now, 0, &second[..1]);
    assert_eq!(meeting.until(), None);
}

#[test]
fn of_two_publishers_each_one_s_picture_is_waited_for() {
    let mut meeting = meeting(2, false, true);
    let one = meeting.picture(0, "camera0");
    let two = meeting.picture(1, "camera1");
    let start = meeting.world.now;
    meeting.receive(start, 0, &one[..2]);
    meeting.receive(start + LIMIT / 2, 1, &two[..2]);
    assert_eq!(meeting.until(), Some(start + LIMIT), "the older one's");
    meeting.receive(start + LIMIT / 2, 0, &one[2..]);
    assert_eq!(meeting.until(), Some(start + LIMIT + LIMIT / 2));
    meeting.receive(start + LIMIT, 1, &two[2..]);
    assert_eq!(meeting.until(), None);
    assert!(meeting.sent() >= one.len() + two.len());
}

#[test]
fn sound_is_not_waited_for_and_may_leave_while_a_picture_is() {
    let mut meeting = meeting(1, true, true);
    let sound = meeting.picture(0, "microphone0");
    let start = meeting.world.now;
    meeting.receive(start, 0, &sound);
    assert_eq!(meeting.until(), None);
    assert!(meeting.sent() >= 1);
    let picture = meeting.picture(0, "camera0");
    let sound = meeting.picture(0, "microphone0");
    let start = meeting.world.now;
    meeting.receive(start, 0, &picture[..1]);
    meeting.receive(start, 0, &sound);
    assert_eq!(meeting.until(), Some(start + LIMIT));
    // To the driver it is a permission to wait, no duty.
    assert!(meeting.sent() >= 2);
}

#[test]
fn what_nobody_takes_is_not_waited_for() {
    let mut meeting = meeting(1, false, false);
    let packets = meeting.picture(0, "camera0");
    let start = meeting.world.now;
    meeting.receive(start, 0, &packets[..1]);
    assert_eq!(meeting.until(), None);

    // Nor anything of a track that has ended meanwhile, beyond the limit.
    let mut meeting = self::meeting(1, false, true);
    let packets = meeting.picture(0, "camera0");
    let start = meeting.world.now;
    meeting.receive(start, 0, &packets[..1]);
    let track = meeting.cameras[0].clone();
    let participant = meeting.world.clients[0].id.clone();
    let command = conclave_sfu::Command::RemoveTrack { participant, track };
    meeting.world.shard.command(start, command);
    meeting.world.shard.advance(start + LIMIT);
    assert_eq!(meeting.until(), None);
}
