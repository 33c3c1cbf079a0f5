//! When a published track sends which packet: frames, key frames, sizes and pacing.
//!
//! Pure: driven by the time handed in, random by the seed handed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::payload::{self, Stamp, Vp8Position};

/// What a track sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    Video {
        bits_per_second: u32,
        frames_per_second: u32,
        /// Largest payload of a packet in bytes.
        packet_size: usize,
        /// A key frame at least this often; `None`: only on request.
        keyframe_interval: Option<Duration>,
        /// The packets of a frame leave spread over this time.
        burst: Duration,
        width: u16,
        height: u16,
    },
    /// One Opus packet every 20 ms.
    Audio { bits_per_second: u32 },
}

impl Shape {
    pub fn is_video(&self) -> bool {
        matches!(self, Shape::Video { .. })
    }
}

const AUDIO_FRAME: Duration = Duration::from_millis(20);
const AUDIO_TICKS: u32 = 960;
/// A key frame has this many times the bytes of the average frame; later frames pay it back.
const KEYFRAME_FACTOR: i64 = 4;
/// Key frames on request at most this often, as encoders do.
const KEYFRAME_SPACING: Duration = Duration::from_millis(300);

/// The layer of a track with one encoding.
pub const ONLY: u8 = 2;
/// The rids of a simulcast track's layers, as browsers name them.
pub const RIDS: [&str; 3] = ["q", "h", "f"];
/// Width, height and bits per second of the two smaller layers.
const SMALLER: [(u16, u16, u32); 2] = [(320, 180, 150_000), (640, 360, 500_000)];

/// The encodings of a track, the smallest first; one alone unless it is simulcast video.
pub fn encodings(shape: Shape, is_simulcast: bool) -> Vec<Shape> {
    let smaller = SMALLER.map(|(w, h, bits)| match shape {
        Shape::Video {
            frames_per_second,
            packet_size,
            keyframe_interval,
            burst,
            bits_per_second,
            ..
        } if is_simulcast => Some(Shape::Video {
            bits_per_second: bits.min(bits_per_second),
            frames_per_second,
            packet_size,
            keyframe_interval,
            burst,
            width: w,
            height: h,
        }),
        _ => None,
    });
    smaller.into_iter().flatten().chain([shape]).collect()
}

/// One packet that is due.
pub struct Due {
    pub payload: Vec<u8>,
    /// As in its stamp.
    pub sequence: u32,
    pub marker: bool,
    /// RTP timestamp.
    pub time: u32,
    pub sent_us: u64,
}

struct Planned {
    at: Instant,
    size: usize,
    position: Option<Vp8Position>,
    marker: bool,
    time: u32,
}

pub struct Source {
    shape: Shape,
    track: u32,
    layer: u8,
    is_paused: bool,
    random: fastrand::Rng,
    next_frame: Instant,
    planned: VecDeque<Planned>,
    sequence: u32,
    time: u32,
    picture_id: u16,
    tl0_index: u8,
    /// Bytes by which key frames were larger than the average.
    debt: i64,
    last_keyframe: Option<Instant>,
    is_keyframe_wanted: bool,
    pub keyframes: u64,
}

impl Source {
    pub fn new(shape: Shape, track: u32, layer: u8, seed: u64, now: Instant) -> Self {
        let seed = seed ^ u64::from(track) << 32;
        // An encoder makes all layers of a picture at the same time.
        let phase = fastrand::Rng::with_seed(seed).u64(0..20_000);
        let mut random = fastrand::Rng::with_seed(seed ^ u64::from(layer + 1) << 24);
        Source {
            shape,
            track,
            layer,
            is_paused: false,
            next_frame: now + Duration::from_micros(phase),
            planned: VecDeque::new(),
            sequence: 0,
            time: random.u32(..),
            picture_id: random.u16(0..0x8000),
            tl0_index: random.u8(..),
            debt: 0,
            last_keyframe: None,
            is_keyframe_wanted: true,
            keyframes: 0,
            random,
        }
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn track(&self) -> u32 {
        self.track
    }

    pub fn is_video(&self) -> bool {
        self.shape.is_video()
    }

    pub fn layer(&self) -> u8 {
        self.layer
    }

    /// A layer that nobody wants is not encoded; it begins again with a key frame.
    pub fn pause(&mut self, is_paused: bool) {
        self.is_keyframe_wanted |= self.is_paused && !is_paused;
        self.is_paused = is_paused;
    }

    /// A receiver asked for a key frame: the next frame is one.
    pub fn request_keyframe(&mut self) {
        self.is_keyframe_wanted = true;
    }

    /// When `next` has something to send.
    pub fn next_due(&self) -> Instant {
        self.planned
            .front()
            .map_or(self.next_frame, |planned| planned.at.min(self.next_frame))
    }

    /// The next packet that is due at `now`; `now_us` becomes its stamp.
    pub fn next(&mut self, now: Instant, now_us: u64) -> Option<Due> {
        if self.planned.is_empty() && self.next_frame <= now {
            self.plan(now);
        }
        if self.planned.front()?.at > now {
            return None;
        }
        let planned = self.planned.pop_front()?;
        let stamp = Stamp {
            track: self.track,
            layer: self.layer,
            sequence: self.sequence,
            sent_us: now_us,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let payload = match &planned.position {
            Some(position) => payload::vp8(planned.size, position, &stamp),
            None => payload::opus(planned.size, &stamp),
        };
        Some(Due {
            payload,
            sequence: stamp.sequence,
            marker: planned.marker,
            time: planned.time,
            sent_us: now_us,
        })
    }

    fn plan(&mut self, now: Instant) {
        // After a stall go on from now instead of sending everything that was missed at once.
        if now.duration_since(self.next_frame) > Duration::from_millis(500) {
            self.next_frame = now;
        }
        let at = self.next_frame;
        match self.shape {
            Shape::Audio { bits_per_second } => {
                let average = (bits_per_second / 8 / 50) as usize;
                let size = average * self.random.usize(80..=120) / 100;
                let marker = self.sequence == 0;
                self.planned.push_back(Planned {
                    at,
                    size,
                    position: None,
                    marker,
                    time: self.time,
                });
                self.time = self.time.wrapping_add(AUDIO_TICKS);
                self.next_frame = at + AUDIO_FRAME;
            }
            Shape::Video {
                frames_per_second, ..
            } => {
                if !self.is_paused {
                    self.plan_frame(at);
                }
                self.time = self.time.wrapping_add(90_000 / frames_per_second);
                self.next_frame = at + Duration::from_secs(1) / frames_per_second;
            }
        }
    }

    fn plan_frame(&mut self, at: Instant) {
        let Shape::Video {
            bits_per_second,
            frames_per_second,
            packet_size,
            keyframe_interval,
            burst,
            width,
            height,
        } = self.shape
        else {
            return;
        };
        let average = i64::from(bits_per_second / 8 / frames_per_second);
        let age = self.last_keyframe.map(|last| at.duration_since(last));
        let is_requested = self.is_keyframe_wanted && age.is_none_or(|age| age >= KEYFRAME_SPACING);
        let is_due = age
            .zip(keyframe_interval)
            .is_some_and(|(age, interval)| age >= interval);
        let keyframe = is_requested || is_due;
        let size = if keyframe {
            self.last_keyframe = Some(at);
            self.is_keyframe_wanted = false;
            self.keyframes += 1;
            self.debt += average * (KEYFRAME_FACTOR - 1);
            average * KEYFRAME_FACTOR
        } else {
            let payback = self.debt.min(average * 3 / 10);
            self.debt -= payback;
            average * self.random.i64(80..=120) / 100 - payback
        };
        let size = size.max(1) as usize;
        let count = size.div_ceil(packet_size).max(1);
        let spacing = burst / count as u32;
        for index in 0..count {
            let position = Vp8Position {
                starts_frame: index == 0,
                keyframe,
                picture_id: self.picture_id,
                tl0_index: self.tl0_index,
                width,
                height,
            };
            self.planned.push_back(Planned {
                at: at + spacing * index as u32,
                size: size / count,
                position: Some(position),
                marker: index + 1 == count,
                time: self.time,
            });
        }
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        self.tl0_index = self.tl0_index.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video() -> Shape {
        Shape::Video {
            bits_per_second: 2_000_000,
            frames_per_second: 30,
            packet_size: 1_100,
            keyframe_interval: Some(Duration::from_secs(5)),
            burst: Duration::from_millis(10),
            width: 1280,
            height: 720,
        }
    }

    /// Run a source for some seconds of its own time, a step a millisecond.
    fn run(source: &mut Source, start: Instant, from_ms: u64, to_ms: u64) -> Vec<Due> {
        let mut sent = Vec::new();
        for ms in from_ms..to_ms {
            while let Some(due) = source.next(start + Duration::from_millis(ms), ms * 1_000) {
                sent.push(due);
            }
        }
        sent
    }

    #[test]
    fn video_keeps_its_bitrate_and_packet_size() {
        let start = Instant::now();
        let mut source = Source::new(video(), 1, ONLY, 42, start);
        let sent = run(&mut source, start, 0, 20_000);
        let bits = sent.iter().map(|due| due.payload.len() * 8).sum::<usize>();
        let rate = bits as f64 / 20.0;
        assert!((rate - 2_000_000.0).abs() < 100_000.0, "{rate}");
        assert!(sent.iter().all(|due| due.payload.len() <= 1_100));
        let frames = sent.iter().filter(|due| due.marker).count();
        assert!((598..=601).contains(&frames), "{frames}");
    }

    #[test]
    fn keyframes_come_first_then_by_interval_and_on_request_but_not_in_a_storm() {
        let start = Instant::now();
        let mut source = Source::new(video(), 1, ONLY, 42, start);
        let sent = run(&mut source, start, 0, 4_000);
        assert!(payload::vp8_facts(&sent[0].payload).starts_keyframe);
        assert_eq!(source.keyframes, 1);
        source.request_keyframe();
        run(&mut source, start, 4_000, 4_100);
        assert_eq!(source.keyframes, 2);
        for tenth in 0..10 {
            source.request_keyframe();
            run(&mut source, start, 4_100 + tenth * 30, 4_130 + tenth * 30);
        }
        assert!(source.keyframes <= 3);
        let before = source.keyframes;
        run(&mut source, start, 4_400, 9_800);
        assert!(source.keyframes > before);
    }

    #[test]
    fn audio_is_a_packet_every_twenty_milliseconds() {
        let start = Instant::now();
        let mut source = Source::new(
            Shape::Audio {
                bits_per_second: 40_000,
            },
            2,
            ONLY,
            42,
            start,
        );
        let sent = run(&mut source, start, 0, 10_000);
        assert!((498..=501).contains(&sent.len()), "{}", sent.len());
        assert!(
            sent.windows(2)
                .all(|pair| pair[1].time.wrapping_sub(pair[0].time) == 960)
        );
        assert!(
            sent.iter()
                .all(|due| (80..=120).contains(&due.payload.len()))
        );
    }

    #[test]
    fn sequences_have_no_gap_and_a_stall_is_not_made_up_for() {
        let start = Instant::now();
        let mut source = Source::new(video(), 3, ONLY, 42, start);
        let mut sent = run(&mut source, start, 0, 1_000);
        let resumed = run(&mut source, start, 5_000, 5_100);
        assert!(resumed.len() < 80, "{}", resumed.len());
        sent.extend(resumed);
        for (sequence, due) in sent.iter().enumerate() {
            assert_eq!(
                payload::read(&due.payload).unwrap().sequence,
                sequence as u32
            );
        }
    }

    #[test]
    fn the_same_seed_sends_the_same_packets() {
        let start = Instant::now();
        let sizes = |seed| {
            let mut source = Source::new(video(), 4, ONLY, seed, start);
            run(&mut source, start, 0, 2_000)
                .iter()
                .map(|due| due.payload.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(1), sizes(1));
        assert_ne!(sizes(1), sizes(2));
    }

    #[test]
    fn a_simulcast_track_has_three_encodings_and_any_other_one() {
        let layers = encodings(video(), true);
        let rates: Vec<u32> = layers
            .iter()
            .map(|it| match it {
                Shape::Video {
                    bits_per_second, ..
                } => *bits_per_second,
                Shape::Audio { .. } => 0,
            })
            .collect();
        assert_eq!(rates, [150_000, 500_000, 2_000_000]);
        assert_eq!(encodings(video(), false), [video()]);
        let audio = Shape::Audio {
            bits_per_second: 40_000,
        };
        assert_eq!(encodings(audio, true), [audio]);
    }

    #[test]
    fn layers_have_numbers_of_their_own_and_pictures_at_the_same_time() {
        let start = Instant::now();
        let mut low = Source::new(video(), 5, 0, 42, start);
        let mut high = Source::new(video(), 5, 2, 42, start);
        assert_eq!(low.next_due(), high.next_due());
        let first = |source: &mut Source| run(source, start, 0, 100).remove(0);
        let (low, high) = (first(&mut low), first(&mut high));
        assert_ne!(low.time, high.time);
        assert_eq!(payload::read(&low.payload).unwrap().layer, 0);
        assert_eq!(payload::read(&high.payload).unwrap().layer, 2);
        assert_ne!(
            payload::vp8_facts(&low.payload).picture_id,
            payload::vp8_facts(&high.payload).picture_id
        );
    }

    #[test]
    fn a_paused_layer_sends_nothing_and_comes_back_with_a_key_frame() {
        let start = Instant::now();
        let mut source = Source::new(video(), 6, 0, 42, start);
        let sent = run(&mut source, start, 0, 1_000);
        source.pause(true);
        // What was planned is still sent.
        run(&mut source, start, 1_000, 1_040);
        assert!(run(&mut source, start, 1_040, 3_000).is_empty());
        source.pause(false);
        let again = run(&mut source, start, 3_000, 3_200);
        assert!(payload::vp8_facts(&again[0].payload).starts_keyframe);
        assert!(again[0].sequence >= sent.len() as u32);
    }
}
