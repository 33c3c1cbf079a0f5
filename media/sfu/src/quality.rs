//! Connection quality from loss in both directions. Never says that a connection is lost: clients
//! tear themselves down on that word, and a quiet one proves nothing.

use std::time::Duration;

use crate::Quality;

pub const INTERVAL: Duration = Duration::from_secs(5);

/// Points (of 100) that one per cent of loss costs: video suffers at once, Opus hides some.
const VIDEO_WEIGHT: f32 = 10.0;
const AUDIO_WEIGHT: f32 = 5.0;
const EXCELLENT_FROM: f32 = 80.0;
const GOOD_FROM: f32 = 40.0;

/// Worst of what was seen in one interval.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    points: f32,
}

impl Default for Score {
    fn default() -> Self {
        Score { points: 100.0 }
    }
}

impl Score {
    /// `loss` from 0 to 1 of one stream.
    pub fn loss(&mut self, loss: f32, is_video: bool) {
        let weight = if is_video { VIDEO_WEIGHT } else { AUDIO_WEIGHT };
        self.points = self
            .points
            .min(100.0 - 100.0 * loss.clamp(0.0, 1.0) * weight)
            .max(0.0);
    }

    /// The client does not answer at the moment.
    pub fn unreachable(&mut self) {
        self.points = 0.0;
    }

    /// From 0 to 5.
    pub fn value(self) -> f32 {
        self.points / 20.0
    }

    pub fn quality(self) -> Quality {
        match self.points {
            p if p >= EXCELLENT_FROM => Quality::Excellent,
            p if p >= GOOD_FROM => Quality::Good,
            _ => Quality::Poor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_lowers_quality() {
        let of = |loss, video| {
            let mut score = Score::default();
            score.loss(loss, video);
            score.quality()
        };
        assert_eq!(of(0.0, true), Quality::Excellent);
        assert_eq!(of(0.03, false), Quality::Excellent);
        assert_eq!(of(0.03, true), Quality::Good);
        assert_eq!(of(0.2, true), Quality::Poor);
        assert_eq!(Score::default().value(), 5.0);
    }
}
