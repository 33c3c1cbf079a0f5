//! Who speaks: levels that clients put into packets (RFC 6464), as LiveKit weighs them.

use std::time::Duration;

use crate::{ParticipantId, Speaker};

/// Time between looks.
pub const WINDOW: Duration = Duration::from_millis(400);
/// -dBov; larger numbers are quieter.
const THRESHOLD: u8 = 35;
/// Part of the window in which the threshold must be passed.
const ACTIVE_SHARE: f32 = 0.4;
/// Windows over which a level is smoothed.
const SMOOTHING: f32 = 2.0;
/// A packet stands for at most this long (after a pause in transmission the gap is no speech).
const MAX_PACKET_MS: u32 = 120;
const DEFAULT_PACKET_MS: u32 = 20;
/// Levels are reported in steps, so that events mean something.
const STEPS: f32 = 8.0;

/// The level of one audio track.
#[derive(Debug, Default)]
pub struct Level {
    loudest: Option<u8>,
    active_ms: u32,
    has_packets: bool,
    last_timestamp: Option<u32>,
    smoothed: f32,
}

impl Level {
    /// `level`: as in the header extension, -dBov in the lower seven bits. `timestamp`: 48 kHz.
    pub fn record(&mut self, level: u8, timestamp: u32) {
        let level = level & 0x7f;
        self.has_packets = true;
        let ms = match self.last_timestamp {
            Some(last) => timestamp.wrapping_sub(last) / 48,
            None => DEFAULT_PACKET_MS,
        };
        self.last_timestamp = Some(timestamp);
        if level <= THRESHOLD {
            self.active_ms += if (1..=MAX_PACKET_MS).contains(&ms) {
                ms
            } else {
                DEFAULT_PACKET_MS
            };
            self.loudest = Some(self.loudest.map_or(level, |l| l.min(level)));
        }
    }

    pub fn reset(&mut self) {
        *self = Level::default();
    }

    /// Smoothed, from 0 (silent) to 1.
    pub fn value(&self) -> f32 {
        self.smoothed
    }

    /// Something to look at in the next window as well.
    pub fn is_busy(&self) -> bool {
        self.has_packets || self.smoothed > 0.0
    }

    /// End of a window: the smoothed level, 0 when silent.
    pub fn close_window(&mut self) -> f32 {
        let window_ms = WINDOW.as_millis() as f32;
        let active = (self.active_ms as f32).min(window_ms);
        let target = match self.loudest {
            Some(loudest) if active >= ACTIVE_SHARE * window_ms => {
                // Short speech counts for less.
                let level = f32::from(loudest) - 20.0 * (active / window_ms).log10();
                10f32.powf(-level / 20.0)
            }
            _ => 0.0,
        };
        self.smoothed += (target - self.smoothed) * 2.0 / (SMOOTHING + 1.0);
        if self.smoothed < 10f32.powf(-f32::from(THRESHOLD) / 20.0) {
            self.smoothed = 0.0;
        }
        self.loudest = None;
        self.active_ms = 0;
        self.has_packets = false;
        self.smoothed
    }
}

/// What a room was told last.
#[derive(Debug, Default)]
pub struct Speakers {
    told: Vec<Speaker>,
}

impl Speakers {
    /// `now`: everybody with a level above 0. The changes since the last call, level 0 for those
    /// who stopped.
    pub fn update(&mut self, now: Vec<(ParticipantId, f32)>) -> Vec<Speaker> {
        let now: Vec<Speaker> = now
            .into_iter()
            .map(|(participant, level)| Speaker {
                participant,
                level: ((level * STEPS).ceil() / STEPS).min(1.0),
                active: true,
            })
            .collect();
        let mut changes: Vec<Speaker> = now
            .iter()
            .filter(|s| !self.told.contains(s))
            .cloned()
            .collect();
        for old in &self.told {
            if !now.iter().any(|s| s.participant == old.participant) {
                changes.push(Speaker {
                    participant: old.participant.clone(),
                    level: 0.0,
                    active: false,
                });
            }
        }
        self.told = now;
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(level: &mut Level, from: u32, packets: u32, dbov: u8) -> f32 {
        for n in 0..packets {
            level.record(dbov, (from + n) * 960);
        }
        level.close_window()
    }

    #[test]
    fn speech_needs_the_share_of_the_window() {
        let mut level = Level::default();
        assert_eq!(window(&mut level, 0, 20, 60), 0.0, "too quiet");
        assert_eq!(window(&mut level, 20, 5, 20), 0.0, "too short");
        let first = window(&mut level, 40, 20, 20);
        assert!(first > 0.05);
        let second = window(&mut level, 60, 20, 20);
        assert!(second > first && second < 0.11, "smoothed towards 0.1");
        for n in 0..6 {
            window(&mut level, 80 + n * 20, 20, 127);
        }
        assert!(level.close_window() == 0.0 && !level.is_busy());
    }

    #[test]
    fn only_changes_are_told() {
        let mut speakers = Speakers::default();
        let alice = || vec![(ParticipantId::from("PA_a"), 0.1)];
        assert_eq!(speakers.update(alice()).len(), 1);
        assert_eq!(speakers.update(alice()).len(), 0);
        let stop = speakers.update(vec![]);
        assert_eq!((stop.len(), stop[0].level, stop[0].active), (1, 0.0, false));
        assert!(speakers.update(vec![]).is_empty());
    }
}
