//! Offers of real clients, and everything that is not quite one.

mod common;

use common::{World, everything};
use conclave_sfu::{
    CodecName, Command, Event, ExpectedTrack, Kind, ParticipantId, Stream, TrackId,
};
use proptest::prelude::*;

const JOIN: &str = include_str!("offers/chromium-join.sdp");
const PUBLISH: &str = include_str!("offers/chromium-publish.sdp");
const SIMULCAST: &str = include_str!("offers/chromium-simulcast.sdp");
const DATA_ONLY: &str = include_str!("offers/chromium-data-only.sdp");
const FIREFOX: &str = include_str!("offers/firefox-publish.sdp");
const AUDIO_CID: &str = "11111111-aaaa-4aaa-8aaa-111111111111";
const VIDEO_CID: &str = "22222222-bbbb-4bbb-8bbb-222222222222";

fn announce(
    world: &mut World,
    participant: &ParticipantId,
    name: &str,
    cid: &str,
    kind: Kind,
) -> TrackId {
    let track: TrackId = name.into();
    let expected = ExpectedTrack {
        track: track.clone(),
        cid: cid.into(),
        kind,
        stream: Stream::Camera,
        muted: false,
        stereo: name.contains("stereo"),
        dtx: !name.contains("stereo"),
        codec: name.contains("h264").then_some(CodecName::H264),
        shown_as: None,
    };
    world.shard.command(
        world.now,
        Command::AddTrack {
            participant: participant.clone(),
            track: expected,
        },
    );
    track
}

/// What the shard says to an offer of a fresh participant.
fn offered(world: &mut World, participant: &ParticipantId, sdp: &str) -> Event {
    world.shard.command(
        world.now,
        Command::Offer {
            participant: participant.clone(),
            offer_id: 1,
            sdp: sdp.to_owned(),
        },
    );
    let mut events = world.shard.events();
    let event = events.find(|e| matches!(e, Event::Answer { .. } | Event::OfferRejected { .. }));
    event.expect("every offer is answered or rejected")
}

fn fresh(world: &mut World, name: &str) -> ParticipantId {
    let index = world.open("r", name, everything());
    world.clients[index].id.clone()
}

fn answer(event: Event) -> (String, Vec<(String, TrackId)>) {
    match event {
        Event::Answer {
            sdp, mid_to_track, ..
        } => (sdp, mid_to_track),
        other => panic!("{other:?}"),
    }
}

/// The lines of the m section with this mid.
fn section<'a>(sdp: &'a str, mid: &str) -> Vec<&'a str> {
    let sections = sdp.split("\r\nm=").skip(1);
    let found = sections
        .map(|s| s.split("\r\n").collect::<Vec<_>>())
        .find(|s| s.contains(&&*format!("a=mid:{mid}")));
    found.unwrap_or_else(|| panic!("no section {mid} in {sdp}"))
}

#[test]
fn chromium_joins_with_its_first_offer() {
    let mut world = World::new();
    let alice = fresh(&mut world, "alice");
    let (sdp, tracks) = answer(offered(&mut world, &alice, JOIN));
    assert!(tracks.is_empty());
    assert_eq!(
        sdp.matches("\r\nm=").count(),
        JOIN.matches("\r\nm=").count()
    );
    let bundle = |text: &str| {
        text.lines()
            .find(|l| l.starts_with("a=group:BUNDLE"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(bundle(&sdp), bundle(JOIN));
    assert_eq!(sdp.matches("a=inactive\r\n").count(), 6);
    assert_eq!(sdp.matches("a=setup:passive\r\n").count(), 7);
    assert_eq!(
        sdp.matches("a=candidate:1 1 udp 2130706431 198.51.100.1 7882 typ host\r\n")
            .count(),
        1
    );
    assert!(sdp.contains("a=sctp-port:5000\r\na=max-message-size:64000\r\n"));
    assert!(!sdp.contains("red/48000"));
    assert!(sdp.contains("VP9/90000") && sdp.contains("AV1/90000"));
    // Of VP9 and AV1 the main profile only.
    assert!(!sdp.contains("profile-id=2") && !sdp.contains("profile=1"));
}

#[test]
fn chromium_publishes_and_receives() {
    let mut world = World::new();
    let (alice, bob) = (fresh(&mut world, "alice"), fresh(&mut world, "bob"));
    let remote = announce(&mut world, &bob, "TR_bob", "x", Kind::Video);
    let microphone = announce(&mut world, &alice, "TR_mic", AUDIO_CID, Kind::Audio);
    let camera = announce(&mut world, &alice, "TR_camera", VIDEO_CID, Kind::Video);
    world.shard.command(
        world.now,
        Command::Subscribe {
            participant: alice.clone(),
            track: remote.clone(),
        },
    );
    let (sdp, tracks) = answer(offered(&mut world, &alice, PUBLISH));
    let of = |track: &TrackId| {
        tracks
            .iter()
            .find(|(_, t)| t == track)
            .map(|(mid, _)| mid.clone())
            .unwrap()
    };

    let audio = section(&sdp, &of(&microphone));
    assert_eq!(audio[0], "audio 9 UDP/TLS/RTP/SAVPF 111");
    assert!(
        audio.contains(&"a=recvonly")
            && audio.contains(&"a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1")
    );
    assert!(audio.contains(&"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"));
    assert!(audio.contains(&"a=rtcp-fb:111 transport-cc"));

    let video = section(&sdp, &of(&camera));
    assert!(
        video[0].starts_with("video 9 UDP/TLS/RTP/SAVPF 96 97 "),
        "{}",
        video[0]
    );
    for line in [
        "a=recvonly",
        "a=rtcp-fb:96 nack pli",
        "a=fmtp:97 apt=96",
        "a=rtcp-fb:96 transport-cc",
    ] {
        assert!(video.contains(&line), "{line}");
    }
    assert!(
        video
            .iter()
            .all(|l| !l.contains("profile-level-id=64") && !l.contains("packetization-mode=0"))
    );

    let received = section(&sdp, &of(&remote));
    for line in [
        "a=sendonly",
        "a=msid:PA_bob|camera TR_bob",
        "a=rtcp-fb:96 nack",
    ] {
        assert!(received.contains(&line), "{line} in {received:?}");
    }
    assert!(received.iter().all(|l| !l.contains("goog-remb")));
    assert!(received.iter().all(|l| !l.contains("profile-level-id=64")));
}

#[test]
fn stereo_is_answered_when_asked_for() {
    let mut world = World::new();
    let alice = fresh(&mut world, "alice");
    let track = announce(&mut world, &alice, "TR_stereo", AUDIO_CID, Kind::Audio);
    let (sdp, tracks) = answer(offered(&mut world, &alice, PUBLISH));
    assert_eq!(tracks[0].1, track);
    let fmtp = "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1";
    assert!(section(&sdp, &tracks[0].0).contains(&fmtp));
}

#[test]
fn a_publisher_sends_with_the_codec_that_it_announced() {
    let mut world = World::new();
    for (name, first) in [("TR_any", "VP8"), ("TR_h264", "H264")] {
        let alice = fresh(&mut world, name);
        let camera = announce(&mut world, &alice, name, VIDEO_CID, Kind::Video);
        let (sdp, tracks) = answer(offered(&mut world, &alice, PUBLISH));
        let (mid, _) = tracks.iter().find(|(_, track)| *track == camera).unwrap();
        let lines = section(&sdp, mid);
        let formats: Vec<_> = lines[0].split(' ').skip(3).collect();
        let map = format!("a=rtpmap:{} {first}/90000", formats[0]);
        assert!(lines.contains(&map.as_str()), "{name}: {lines:?}");
    }
}

#[test]
fn all_layers_of_simulcast_are_taken() {
    let mut world = World::new();
    // Browsers name the smallest first, the Rust SDK the largest.
    for (name, order, want) in [
        ("alice", "send q;h;f", "q;h;f"),
        ("bob", "send f;h;q", "f;h;q"),
        ("carol", "send f;~h,q", "f;h"),
        ("dave", "send a;b;c;d;e", "a;b;c"),
        ("erin", "send q;q;~q", "q"),
    ] {
        let participant = fresh(&mut world, name);
        let offer = SIMULCAST.replace("send q;h;f", order);
        let (sdp, _) = answer(offered(&mut world, &participant, &offer));
        let rids: String = want
            .split(';')
            .map(|r| format!("a=rid:{r} recv\r\n"))
            .collect();
        let lines = format!("{rids}a=simulcast:recv {want}\r\n");
        assert!(sdp.contains(&lines), "{sdp}");
        assert!(
            sdp.contains("sdes:rtp-stream-id\r\n")
                && sdp.contains("sdes:repaired-rtp-stream-id\r\n")
        );
    }
}

#[test]
fn media_may_come_after_an_offer_of_data_only() {
    let mut world = World::new();
    let alice = fresh(&mut world, "alice");
    answer(offered(&mut world, &alice, DATA_ONLY));
    // The same session as Chromium goes on with it.
    let head = PUBLISH.find("m=").unwrap();
    let data = DATA_ONLY.find("m=").unwrap();
    let media = PUBLISH[head..].split("m=application").next().unwrap();
    let credentials = |text: &str, name: &str| {
        text.lines()
            .find(|l| l.starts_with(name))
            .unwrap()
            .trim_end()
            .to_owned()
    };
    let mut later = format!("{}{}", &DATA_ONLY[..data], &DATA_ONLY[data..]) + media;
    for name in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
        later = later.replace(&credentials(PUBLISH, name), &credentials(DATA_ONLY, name));
    }
    let mids: Vec<_> = later
        .lines()
        .filter_map(|l| l.strip_prefix("a=mid:"))
        .collect();
    let bundle = format!("a=group:BUNDLE {}", mids.join(" "));
    let later = later.replace(&credentials(DATA_ONLY, "a=group:BUNDLE"), &bundle);
    announce(&mut world, &alice, "TR_camera", VIDEO_CID, Kind::Video);
    let (sdp, tracks) = answer(offered(&mut world, &alice, &later));
    assert_eq!(tracks.len(), 1, "{sdp}");
    assert!(section(&sdp, &tracks[0].0).contains(&"a=recvonly"));
}

#[test]
fn firefox_is_answered_with_its_payload_types() {
    let mut world = World::new();
    let alice = fresh(&mut world, "alice");
    let microphone = announce(&mut world, &alice, "TR_mic", AUDIO_CID, Kind::Audio);
    announce(&mut world, &alice, "TR_camera", VIDEO_CID, Kind::Video);
    let (sdp, tracks) = answer(offered(&mut world, &alice, FIREFOX));
    assert_eq!(tracks.len(), 2);
    let audio = section(
        &sdp,
        &tracks.iter().find(|(_, t)| *t == microphone).unwrap().0,
    );
    assert_eq!(audio[0], "audio 9 UDP/TLS/RTP/SAVPF 109");
    assert!(
        audio.contains(&"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
        "{audio:?}"
    );
    assert!(sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 120 124"), "{sdp}");
}

#[test]
fn bad_offers_are_rejected_with_a_reason() {
    let mut world = World::new();
    let too_long = "a=x:".to_owned() + &"y".repeat(5000) + "\r\n";
    let many = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(201);
    for (index, (sdp, reason)) in [
        (String::new(), "empty"),
        ("hello".into(), "x=…"),
        (JOIN.replace("a=ice-ufrag", "a=other"), "user fragment"),
        (JOIN.replace("a=ice-pwd", "a=other"), "password"),
        (JOIN.replace("a=fingerprint", "a=other"), "fingerprint"),
        (
            JOIN.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 "),
            "SHA-256",
        ),
        (
            JOIN.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz"),
            "unreadable",
        ),
        (JOIN.replace("a=setup:actpass", "a=setup:passive"), "active"),
        (JOIN.replace("a=group:BUNDLE", "a=group:OTHER"), "bundled"),
        (JOIN.replace("a=mid:0", "a=mid:1"), "twice"),
        (JOIN.replace("a=mid:0", "a=mid:way too long and odd"), "mid"),
        (JOIN.replace("a=mid:0\r\n", ""), "no mid"),
        (format!("{JOIN}{too_long}"), "too long"),
        (format!("{JOIN}{many}"), "too many sections"),
        (
            format!("{JOIN}{}", "a=b\r\n".repeat(70_000)),
            "too many lines",
        ),
        (format!("{JOIN}{}", " ".repeat(3 << 20)), "too large"),
        (JOIN.replace("m=audio 9", "m=audio nine"), "m line"),
    ]
    .into_iter()
    .enumerate()
    {
        let participant = fresh(&mut world, &format!("p{index}"));
        match offered(&mut world, &participant, &sdp) {
            Event::OfferRejected { reason: told, .. } => {
                assert!(told.contains(reason), "{reason}: {told}")
            }
            other => panic!("{reason}: {other:?}"),
        }
    }
    assert_eq!(world.shard.stats().panics, 0);
}

/// Cut, repeat and twist lines and bytes.
fn mutate(sdp: &str, changes: &[(u16, u8, u8)]) -> String {
    let mut lines: Vec<String> = sdp.split("\r\n").map(str::to_owned).collect();
    for &(place, kind, byte) in changes {
        if lines.is_empty() {
            break;
        }
        let at = usize::from(place) % lines.len();
        match kind % 6 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines[at].push(char::from(byte)),
            3 => {
                let cut = usize::from(byte) % (lines[at].len() + 1);
                let cut = (0..=cut)
                    .rev()
                    .find(|c| lines[at].is_char_boundary(*c))
                    .unwrap_or(0);
                lines[at].truncate(cut);
            }
            4 => {
                let other = usize::from(byte) * 3 % lines.len();
                lines.swap(at, other);
            }
            _ => {
                lines[at] = lines[at].replace(
                    char::from(byte % 10 + b'0'),
                    &format!("{}", u32::from(byte) * 7919),
                )
            }
        }
    }
    lines.join("\r\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn twisted_offers_never_panic(
        which in 0usize..4,
        first in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 0..6),
        then in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 0..6),
    ) {
        let mut world = World::new();
        let alice = fresh(&mut world, "alice");
        announce(&mut world, &alice, "TR_camera", VIDEO_CID, Kind::Video);
        let sdp = [JOIN, PUBLISH, SIMULCAST, FIREFOX][which];
        offered(&mut world, &alice, &mutate(sdp, &first));
        offered(&mut world, &alice, &mutate(sdp, &then));
        world.shard.advance(world.now);
        prop_assert_eq!(world.shard.stats().panics, 0);
        prop_assert_eq!(world.shard.stats().participants, 1);
    }

    #[test]
    fn any_text_is_survived(sdp in "(v=0\r\n)?([a-z]=[ -~]{0,40}\r?\n){0,30}") {
        let mut world = World::new();
        let alice = fresh(&mut world, "alice");
        offered(&mut world, &alice, &sdp);
        prop_assert_eq!(world.shard.stats().panics, 0);
    }
}
