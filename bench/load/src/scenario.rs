//! Which participants a run has, from the options: who joins where and when, publishes what and
//! must receive what. Pure but for reading options and the token file.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use crate::meter::Window;
use crate::options::Options;
use crate::peer::Credentials;
use crate::signal::Endpoint;
use crate::source::{self, Shape};
use crate::token::{self, Grant};

/// A participant that comes and goes: mean times, varied by half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Churn {
    pub stay: Duration,
    pub away: Duration,
}

/// What a participant publishes.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Unique in the run.
    pub number: u32,
    /// One, or the layers of a simulcast track, the smallest first.
    pub encodings: Vec<Shape>,
}

/// A track of somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub track: u32,
    /// There is a choice of layers.
    pub is_layered: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub room: String,
    pub identity: String,
    pub tracks: Vec<Track>,
    /// The tracks it must receive before the measurement begins.
    pub expects: Vec<Expected>,
    pub subscribes: bool,
    pub starts_after: Duration,
    pub churn: Option<Churn>,
    /// A token that was given instead of minted.
    pub token: Option<String>,
}

/// What all workers share.
pub struct Shared {
    pub endpoint: Endpoint,
    pub credentials: Credentials,
    pub gzip: bool,
    pub seed: u64,
    /// Receiving sections in the first offer: audio, video.
    pub first_sections: (u32, u32),
    /// One peer connection to send and one to receive.
    pub is_dual: bool,
    pub is_dynacast: bool,
    /// Layer that subscribers want.
    pub wanted_layer: u8,
    /// They change it this often while measured.
    pub switch_every: Option<Duration>,
    pub gap_limit_us: u64,
    pub key: String,
    pub secret: String,
    pub token_lifetime: u64,
    pub measured: OnceLock<Window>,
}

impl Shared {
    pub fn window(&self) -> Option<&Window> {
        self.measured.get()
    }

    pub fn token(&self, spec: &Spec, epoch: u64) -> String {
        if let Some(token) = &spec.token {
            return token.clone();
        }
        let grant = Grant {
            room: &spec.room,
            identity: &spec.identity,
            can_publish: !spec.tracks.is_empty(),
            can_subscribe: spec.subscribes,
        };
        token::mint(&self.key, &self.secret, &grant, epoch, self.token_lifetime)
    }
}

/// The participants of a run, in the order in which they join.
pub fn participants(options: &Options) -> Vec<Spec> {
    let mut shapes = Vec::new();
    if options.has_audio() {
        shapes.push(Shape::Audio {
            bits_per_second: options.audio_bitrate,
        });
    }
    if options.has_video() {
        shapes.push(Shape::Video {
            bits_per_second: options.video_bitrate,
            frames_per_second: options.fps,
            packet_size: options.packet_size,
            keyframe_interval: options.keyframe_interval(),
            burst: Duration::from_millis(options.burst_ms),
            width: 1280,
            height: 720,
        });
    }
    let churn = options.churn.then(|| Churn {
        stay: Duration::from_secs_f64(options.stay),
        away: Duration::from_secs_f64(options.away),
    });
    let mut specs = Vec::new();
    let mut next_track = 0;
    for room in 0..options.rooms {
        let room_name = format!("{}-{room}", options.room);
        let kinds = [
            ("pub", options.publishers, true, false),
            ("both", options.participants, true, true),
            ("sub", options.subscribers, false, true),
        ];
        for (kind, count, publishes, subscribes) in kinds {
            for number in 0..count {
                let published = if publishes { &shapes[..] } else { &[] };
                let tracks = published
                    .iter()
                    .map(|&shape| {
                        next_track += 1;
                        Track {
                            number: next_track,
                            encodings: source::encodings(shape, options.simulcast),
                        }
                    })
                    .collect();
                specs.push(Spec {
                    room: room_name.clone(),
                    identity: format!("{kind}-{room}-{number}"),
                    tracks,
                    expects: Vec::new(),
                    subscribes,
                    starts_after: Duration::ZERO,
                    churn,
                    token: None,
                });
            }
        }
    }
    if churn.is_none() {
        expect(&mut specs);
    }
    // Rooms fill side by side, as they would; within a room publishers come first.
    interleave(&mut specs, options.rooms as usize);
    let step = Duration::from_secs_f64(options.ramp) / specs.len().max(1) as u32;
    for (at, spec) in specs.iter_mut().enumerate() {
        spec.starts_after = step * at as u32;
    }
    specs
}

/// Everyone who subscribes expects every track of the others in the room.
fn expect(specs: &mut [Spec]) {
    let of = |spec: &Spec| -> Vec<Expected> {
        let tracks = spec.tracks.iter().map(|track| Expected {
            track: track.number,
            is_layered: track.encodings.len() > 1,
        });
        tracks.collect()
    };
    let mut by_room: HashMap<String, Vec<Expected>> = HashMap::new();
    for spec in specs.iter() {
        let room = by_room.entry(spec.room.clone()).or_default();
        room.extend(of(spec));
    }
    for spec in specs.iter_mut().filter(|spec| spec.subscribes) {
        let own = of(spec);
        let all = by_room.get(&spec.room).into_iter().flatten();
        spec.expects = all.copied().filter(|track| !own.contains(track)).collect();
    }
}

fn interleave(specs: &mut Vec<Spec>, rooms: usize) {
    let per_room = specs.len() / rooms.max(1);
    let mut order: Vec<(usize, Spec)> = specs
        .drain(..)
        .enumerate()
        .map(|(at, spec)| (at % per_room.max(1) * rooms + at / per_room.max(1), spec))
        .collect();
    order.sort_by_key(|(at, _)| *at);
    specs.extend(order.into_iter().map(|(_, spec)| spec));
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn options(extra: &[&str]) -> Options {
        let base = [
            "conclave-load",
            "--url",
            "ws://127.0.0.1:1",
            "--api-key",
            "k",
        ];
        Options::parse_from(base.iter().chain(extra))
    }

    #[test]
    fn one_publisher_and_subscribers_expect_its_tracks() {
        let specs = participants(&options(&[
            "--publishers",
            "1",
            "--subscribers",
            "20",
            "--media",
            "video",
        ]));
        assert_eq!(specs.len(), 21);
        assert_eq!(specs[0].identity, "pub-0-0");
        assert!(!specs[0].subscribes && specs[0].expects.is_empty());
        assert_eq!(specs[0].tracks.len(), 1);
        let expected = Expected {
            track: specs[0].tracks[0].number,
            is_layered: false,
        };
        assert!(specs[1..].iter().all(|spec| spec.expects == [expected]));
    }

    #[test]
    fn participants_expect_all_but_their_own() {
        let specs = participants(&options(&["--participants", "10", "--rooms", "2"]));
        assert_eq!(specs.len(), 20);
        for spec in &specs {
            assert_eq!(spec.tracks.len(), 2);
            assert_eq!(spec.expects.len(), 18);
            assert!(
                spec.tracks
                    .iter()
                    .all(|own| spec.expects.iter().all(|it| it.track != own.number))
            );
        }
        let mut tracks: Vec<u32> = specs
            .iter()
            .flat_map(|it| &it.tracks)
            .map(|it| it.number)
            .collect();
        tracks.sort_unstable();
        tracks.dedup();
        assert_eq!(tracks.len(), 40);
    }

    #[test]
    fn rooms_fill_side_by_side_within_the_ramp() {
        let specs = participants(&options(&[
            "--participants",
            "2",
            "--rooms",
            "2",
            "--ramp",
            "4",
        ]));
        let rooms: Vec<&str> = specs.iter().map(|spec| spec.room.as_str()).collect();
        assert_eq!(rooms, ["load-0", "load-1", "load-0", "load-1"]);
        let starts: Vec<u64> = specs
            .iter()
            .map(|spec| spec.starts_after.as_secs())
            .collect();
        assert_eq!(starts, [0, 1, 2, 3]);
    }

    #[test]
    fn who_comes_and_goes_expects_nothing() {
        let specs = participants(&options(&["--participants", "3", "--churn"]));
        assert!(
            specs
                .iter()
                .all(|spec| spec.churn.is_some() && spec.expects.is_empty())
        );
    }

    #[test]
    fn only_video_has_layers() {
        let specs = participants(&options(&["--participants", "2", "--simulcast"]));
        let encodings: Vec<(bool, usize)> = specs[0]
            .tracks
            .iter()
            .map(|track| (track.encodings[0].is_video(), track.encodings.len()))
            .collect();
        assert_eq!(encodings, [(false, 1), (true, 3)]);
        let layered: Vec<bool> = specs[1].expects.iter().map(|it| it.is_layered).collect();
        assert_eq!(layered, [false, true]);
    }
}
