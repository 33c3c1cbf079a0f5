//! Which layer a participant wants of the others' video, and when it wants another.
//!
//! Pure but for the clock that is handed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::meter::Window;
use crate::proto::{ParticipantInfo, TrackType, UpdateTrackSettings};
use crate::publishing::track_of;

const LOW: u8 = 0;
const HIGH: u8 = 2;
/// No change so late in the window that its answer could not be waited for.
const CALM_END_US: u64 = 1_000_000;

pub struct Wishes {
    identity: String,
    /// Sids of the others' video tracks, by the number in their packets.
    sids: HashMap<u32, String>,
    wanted: u8,
    every: Option<Duration>,
    /// Part of `every` after which the first change comes, so that not all ask at once.
    phase: f64,
    next: Option<Instant>,
}

impl Wishes {
    pub fn new(identity: &str, wanted: u8, every: Option<Duration>, phase: f64) -> Self {
        Wishes {
            identity: identity.to_owned(),
            sids: HashMap::new(),
            wanted,
            every,
            phase,
            next: None,
        }
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.next
    }

    /// Others' tracks; what is to be said of those that are new. Without a word, servers send the
    /// high layer.
    pub fn learn(&mut self, participants: &[ParticipantInfo]) -> Option<UpdateTrackSettings> {
        let others = participants
            .iter()
            .filter(|it| it.identity != self.identity);
        let mut new = Vec::new();
        for info in others.flat_map(|it| &it.tracks) {
            if info.r#type != i32::from(TrackType::Video) {
                continue;
            }
            let Some(track) = track_of(&info.name) else {
                continue;
            };
            if self.sids.insert(track, info.sid.clone()).as_ref() != Some(&info.sid) {
                new.push(info.sid.clone());
            }
        }
        (self.wanted != HIGH && !new.is_empty()).then(|| settings(new, self.wanted))
    }

    /// The other layer, when it is time to ask for it, and of which tracks.
    pub fn change(
        &mut self,
        now: Instant,
        now_us: u64,
        window: Option<&Window>,
    ) -> Option<(UpdateTrackSettings, Vec<u32>)> {
        let (every, window) = (self.every?, window?);
        let next = *self
            .next
            .get_or_insert_with(|| now + every.mul_f64(self.phase));
        if next > now || self.sids.is_empty() {
            return None;
        }
        self.next = Some(next + every);
        if now_us + CALM_END_US > window.end_us {
            return None;
        }
        self.wanted = if self.wanted == HIGH { LOW } else { HIGH };
        let tracks = self.sids.keys().copied().collect();
        let sids = self.sids.values().cloned().collect();
        Some((settings(sids, self.wanted), tracks))
    }
}

fn settings(track_sids: Vec<String>, quality: u8) -> UpdateTrackSettings {
    UpdateTrackSettings {
        track_sids,
        quality: quality.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::TrackInfo;

    fn participant(identity: &str, number: u32, kind: TrackType) -> ParticipantInfo {
        let info = TrackInfo {
            sid: format!("TR_{number}"),
            r#type: kind.into(),
            name: format!("{identity}-{number}"),
        };
        ParticipantInfo {
            identity: identity.into(),
            tracks: vec![info],
            ..Default::default()
        }
    }

    fn room() -> [ParticipantInfo; 3] {
        [
            participant("a", 1, TrackType::Video),
            participant("me", 2, TrackType::Video),
            participant("b", 3, TrackType::Audio),
        ]
    }

    #[test]
    fn another_layer_than_the_high_one_is_said_once_of_each_others_video() {
        let mut low = Wishes::new("me", LOW, None, 0.0);
        let said = low.learn(&room()).unwrap();
        assert_eq!((said.track_sids, said.quality), (vec!["TR_1".into()], 0));
        assert!(low.learn(&room()).is_none());
        assert!(Wishes::new("me", HIGH, None, 0.0).learn(&room()).is_none());
    }

    #[test]
    fn layers_alternate_in_the_window_alone_and_not_at_its_end() {
        let start = Instant::now();
        let window = Window {
            start_us: 0,
            end_us: 5_000_000,
        };
        let mut wishes = Wishes::new("me", HIGH, Some(Duration::from_secs(2)), 0.5);
        wishes.learn(&room());
        assert!(wishes.change(start, 0, None).is_none());
        let mut asked = Vec::new();
        for tenth in 0..100u64 {
            let now = start + Duration::from_millis(tenth * 100);
            if let Some((settings, tracks)) = wishes.change(now, tenth * 100_000, Some(&window)) {
                assert_eq!(tracks, [1]);
                asked.push((tenth, settings.quality));
            }
        }
        assert_eq!(asked, [(10, 0), (30, 2)]);
    }
}
