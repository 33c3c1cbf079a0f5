//! Which encoding of a simulcast track one subscriber gets, and which of its temporal layers.
//!
//! Three layers matter: the largest that is wanted (`limit`, and what the bandwidth allows), the
//! target (the best of those that flow), and the current one. Going from one to the other happens
//! with a key frame only; until then the current one goes on. Whichever encoding comes first shows
//! the first picture, and is left for the target as soon as that has a key frame.

use super::{MAX_SPATIAL, MAX_TEMPORAL, Marks};

/// A set of spatial layers, as bits.
pub type Layers = u8;

/// What becomes of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Send it on.
    Pass,
    /// Of the current encoding, but of a temporal layer that is not wanted: numbers close up.
    LeaveOut,
    /// Of another encoding.
    Ignore,
    /// Of the target, which is waited for: a key frame is needed.
    Wait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub spatial: u8,
    pub temporal: u8,
}

impl Default for Limit {
    fn default() -> Self {
        Limit {
            spatial: MAX_SPATIAL,
            temporal: MAX_TEMPORAL,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selector {
    limit: Limit,
    /// The largest layer that the bandwidth allows.
    allowed: Option<u8>,
    current: Option<u8>,
    temporal: u8,
}

impl Selector {
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// What is wanted and what the bandwidth allows of it.
    pub fn within(&self) -> Limit {
        let spatial = self.limit.spatial.min(self.allowed.unwrap_or(MAX_SPATIAL));
        Limit {
            spatial,
            ..self.limit
        }
    }

    /// What the subscriber wants from now on. True when that changed.
    pub fn set_limit(&mut self, limit: Limit) -> bool {
        std::mem::replace(&mut self.limit, limit) != limit
    }

    /// What the bandwidth allows from now on; `None` = everything. True when that changed.
    pub fn allow(&mut self, allowed: Option<u8>) -> bool {
        std::mem::replace(&mut self.allowed, allowed) != allowed
    }

    pub fn allowed(&self) -> Option<u8> {
        self.allowed
    }

    /// The encoding that is shown; `None` while a key frame is awaited.
    pub fn current(&self) -> Option<u8> {
        self.current
    }

    /// The stream broke off: go on with a key frame, of whichever wanted encoding.
    pub fn interrupt(&mut self) {
        self.current = None;
    }

    /// The best of the layers that flow: the largest wanted one, else the smallest there is.
    pub fn target(&self, flowing: Layers) -> Option<u8> {
        let wanted = flowing & self.wanted();
        if wanted != 0 {
            Some(7 - wanted.leading_zeros() as u8)
        } else {
            (flowing != 0).then(|| flowing.trailing_zeros() as u8)
        }
    }

    fn wanted(&self) -> Layers {
        let largest = self.allowed.map_or(self.limit.spatial, |allowed| {
            allowed.min(self.limit.spatial)
        });
        ((2u16 << largest.min(MAX_SPATIAL)) - 1) as Layers
    }

    /// A packet of the encoding `spatial`, which is among those that flow.
    pub fn take(&mut self, spatial: u8, flowing: Layers, marks: &Marks) -> Take {
        let is_flowing = |layer: u8| flowing >> layer & 1 == 1;
        if self.current != Some(spatial) {
            let is_target = self.target(flowing) == Some(spatial);
            // Somebody who sees nothing takes what comes.
            let is_stopgap = self.current.is_none_or(|current| !is_flowing(current))
                && self.wanted() >> spatial & 1 == 1;
            if !is_target && !is_stopgap {
                return Take::Ignore;
            }
            if !marks.starts_key_frame {
                return if is_target { Take::Wait } else { Take::Ignore };
            }
            self.current = Some(spatial);
            self.temporal = self.limit.temporal;
        } else if marks.starts_picture {
            // Up one by one, where nothing of the layer before is needed; down at once.
            let is_next = marks.temporal == self.temporal.saturating_add(1);
            if marks.starts_key_frame || (is_next && marks.is_sync) {
                self.temporal = self.temporal.max(marks.temporal);
            }
            if marks.starts_key_frame || self.temporal > self.limit.temporal {
                self.temporal = self.limit.temporal;
            }
            self.temporal = self.temporal.min(self.limit.temporal);
        }
        if marks.temporal > self.temporal {
            Take::LeaveOut
        } else {
            Take::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const Q: u8 = 0;
    const H: u8 = 1;
    const F: u8 = 2;
    const ALL: Layers = 0b111;

    fn key() -> Marks {
        Marks {
            starts_key_frame: true,
            starts_picture: true,
            ..Marks::default()
        }
    }

    fn delta(temporal: u8, is_sync: bool) -> Marks {
        Marks {
            starts_picture: true,
            temporal,
            is_sync,
            ..Marks::default()
        }
    }

    fn limited(spatial: u8) -> Selector {
        let mut selector = Selector::default();
        selector.set_limit(Limit {
            spatial,
            temporal: MAX_TEMPORAL,
        });
        selector
    }

    #[test]
    fn the_first_layer_seen_is_a_stopgap_only() {
        let mut selector = Selector::default();
        assert_eq!(selector.take(Q, 0b001, &delta(0, false)), Take::Wait);
        assert_eq!(selector.take(Q, 0b111, &delta(0, false)), Take::Ignore);
        assert_eq!(selector.take(Q, ALL, &key()), Take::Pass);
        assert_eq!(
            selector.take(H, ALL, &key()),
            Take::Ignore,
            "only the target"
        );
        assert_eq!(selector.take(F, ALL, &delta(0, false)), Take::Wait);
        assert_eq!(selector.take(Q, ALL, &delta(0, false)), Take::Pass);
        assert_eq!(selector.take(F, ALL, &key()), Take::Pass);
        assert_eq!(selector.take(Q, ALL, &key()), Take::Ignore);
    }

    #[test]
    fn down_with_the_next_key_frame_and_not_before() {
        let mut selector = Selector::default();
        selector.take(F, ALL, &key());
        assert!(selector.set_limit(Limit {
            spatial: Q,
            temporal: MAX_TEMPORAL
        }));
        assert_eq!(selector.take(F, ALL, &delta(0, false)), Take::Pass);
        assert_eq!(selector.take(H, ALL, &key()), Take::Ignore);
        assert_eq!(selector.take(Q, ALL, &delta(0, false)), Take::Wait);
        assert_eq!(selector.take(Q, ALL, &key()), Take::Pass);
        assert_eq!(selector.take(F, ALL, &key()), Take::Ignore);
        assert_eq!(selector.current(), Some(Q));
    }

    #[test]
    fn a_layer_that_stops_is_left_and_one_that_comes_back_taken() {
        let mut selector = Selector::default();
        selector.take(F, ALL, &key());
        assert_eq!(selector.target(0b011), Some(H));
        assert_eq!(
            selector.take(Q, 0b011, &key()),
            Take::Pass,
            "anything is better than nothing"
        );
        assert_eq!(selector.take(H, 0b011, &key()), Take::Pass);
        assert_eq!(selector.take(F, ALL, &delta(0, false)), Take::Wait);
        assert_eq!(selector.take(F, ALL, &key()), Take::Pass);
    }

    #[test]
    fn without_a_wanted_layer_the_smallest_is_shown() {
        let mut selector = limited(Q);
        assert_eq!(selector.target(0b110), Some(H));
        assert_eq!(selector.take(F, 0b110, &key()), Take::Ignore);
        assert_eq!(selector.take(H, 0b110, &key()), Take::Pass);
        assert_eq!(selector.target(0), None);
    }

    #[test]
    fn bandwidth_lowers_what_is_wanted_and_never_raises_it() {
        let mut selector = limited(H);
        assert!(selector.allow(Some(Q)));
        assert_eq!(selector.target(ALL), Some(Q));
        selector.allow(Some(F));
        assert_eq!(selector.target(ALL), Some(H));
        selector.allow(None);
        assert_eq!(selector.target(ALL), Some(H));
    }

    #[test]
    fn temporal_layers_go_down_at_once_and_up_where_they_can() {
        let mut selector = Selector::default();
        selector.take(F, ALL, &key());
        assert_eq!(selector.take(F, ALL, &delta(2, false)), Take::Pass);
        selector.set_limit(Limit {
            spatial: F,
            temporal: 0,
        });
        let mut rest = delta(2, false);
        rest.starts_picture = false;
        assert_eq!(
            selector.take(F, ALL, &rest),
            Take::Pass,
            "the rest of a picture"
        );
        assert_eq!(selector.take(F, ALL, &delta(1, true)), Take::LeaveOut);
        assert_eq!(selector.take(F, ALL, &delta(0, false)), Take::Pass);
        selector.set_limit(Limit::default());
        assert_eq!(
            selector.take(F, ALL, &delta(2, true)),
            Take::LeaveOut,
            "not over one"
        );
        assert_eq!(selector.take(F, ALL, &delta(1, false)), Take::LeaveOut);
        assert_eq!(selector.take(F, ALL, &delta(1, true)), Take::Pass);
        assert_eq!(selector.take(F, ALL, &delta(2, true)), Take::Pass);
        assert_eq!(selector.take(F, ALL, &key()), Take::Pass);
    }

    proptest! {
        /// Whatever comes: nothing passes but of the current encoding, and that changes with a key
        /// frame only.
        #[test]
        fn changes_need_key_frames(
            steps in proptest::collection::vec(
                (0u8..3, 0u8..8, any::<bool>(), any::<bool>(), 0u8..4, any::<bool>(), 0u8..4, 0u8..5),
                1..200,
            ),
        ) {
            let mut selector = Selector::default();
            for (spatial, flowing, starts_key_frame, starts_picture, temporal, is_sync, limit, t) in steps {
                selector.set_limit(Limit { spatial: limit, temporal: t });
                let marks = Marks { starts_key_frame, starts_picture, temporal, is_sync };
                let before = selector.current();
                let taken = selector.take(spatial, flowing | 1 << spatial, &marks);
                if selector.current() != before {
                    prop_assert!(starts_key_frame && selector.current() == Some(spatial));
                }
                if matches!(taken, Take::Pass | Take::LeaveOut) {
                    prop_assert_eq!(selector.current(), Some(spatial));
                }
            }
        }
    }
}
