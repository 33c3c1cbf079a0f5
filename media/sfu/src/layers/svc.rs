//! Which frames of a scalable stream (VP9 SVC, AV1) one subscriber gets: the best decode target that
//! is wanted, made, and can be decoded from what was sent before.
//!
//! One decision for each frame, kept for all its packets. A target can be decoded when its chain is
//! whole: none of the frames that it needs was left out. What the network lost may still come, so it
//! counts as sent.

use super::dependency::{Dependency, Indication};
use super::numbering::extend;
use super::selector::Limit;

/// Frames whose decision is remembered: several seconds.
const REMEMBERED: u64 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Unknown,
    Sent,
    LeftOut,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub is_sent: bool,
    /// Last packet of its picture, as the subscriber sees it.
    pub ends_picture: bool,
    /// Something better is wanted than can be decoded: a key frame would help.
    pub needs_key_frame: bool,
    /// The targets that the subscriber gets, where that is to be said.
    pub active: Option<u32>,
}

#[derive(Debug, Default)]
pub struct Chooser {
    decisions: Vec<Decision>,
    highest: Option<u64>,
    /// The limit that holds for the present picture.
    limit: Limit,
    picture: Option<u32>,
    /// Layers of the target in use.
    current: Option<(u8, u8)>,
    has_key_frame: bool,
}

impl Chooser {
    /// The stream broke off: go on with a key frame.
    pub fn interrupt(&mut self) {
        self.has_key_frame = false;
        self.current = None;
    }

    /// `timestamp` tells pictures apart: a wish counts from the next one on.
    pub fn choose(&mut self, limit: Limit, dependency: &Dependency, timestamp: u32) -> Choice {
        let number = self.number(dependency.frame_number);
        let is_newer = |before: u32| (timestamp.wrapping_sub(before) as i32) > 0;
        if self.picture.is_none_or(is_newer) {
            self.picture = Some(timestamp);
            self.limit = limit;
        }
        if dependency.has_structure && dependency.spatial == 0 && !self.has_key_frame {
            self.has_key_frame = true;
        }
        let nothing = Choice {
            is_sent: false,
            ends_picture: false,
            needs_key_frame: true,
            active: None,
        };
        if !self.has_key_frame {
            self.decide(number, Decision::LeftOut);
            return nothing;
        }
        let wanted = self.best(dependency, |_| true);
        let usable = self.best(dependency, |target| {
            let chain = dependency.structure.targets[target].chain;
            chain.is_none_or(|chain| self.is_whole(number, dependency, chain))
        });
        let needs_key_frame = usable != wanted;
        let known = self.decision(number);
        let is_sent = match known {
            Decision::Sent => true,
            Decision::LeftOut => false,
            Decision::Unknown => usable.is_some_and(|target| {
                dependency.indications[target] != Indication::NotPresent
                    && dependency
                        .frame_diffs
                        .iter()
                        .all(|diff| self.before(number, *diff) != Decision::LeftOut)
            }),
        };
        self.decide(
            number,
            if is_sent {
                Decision::Sent
            } else {
                Decision::LeftOut
            },
        );
        let Some(target) = usable.filter(|_| is_sent) else {
            return Choice {
                needs_key_frame,
                ..nothing
            };
        };
        let layers = dependency.structure.targets[target];
        let now = Some((layers.spatial, layers.temporal));
        let is_changed = std::mem::replace(&mut self.current, now) != now;
        Choice {
            is_sent,
            ends_picture: dependency.is_end && dependency.spatial == layers.spatial,
            needs_key_frame,
            active: (is_changed || dependency.has_structure)
                .then(|| targets_within(dependency, layers.spatial, layers.temporal)),
        }
    }

    /// The largest target within the limit, or the smallest of all, of those that are made.
    fn best(&self, dependency: &Dependency, is_possible: impl Fn(usize) -> bool) -> Option<usize> {
        let targets = &dependency.structure.targets;
        let rank = |target: &usize| (targets[*target].spatial, targets[*target].temporal);
        let made = (0..targets.len())
            .filter(|target| dependency.active >> target & 1 == 1 && is_possible(*target));
        let within = made.clone().filter(|target| {
            targets[*target].spatial <= self.limit.spatial
                && targets[*target].temporal <= self.limit.temporal
        });
        within.max_by_key(rank).or_else(|| made.min_by_key(rank))
    }

    /// Was the frame before this one in the chain sent?
    fn is_whole(&self, number: u64, dependency: &Dependency, chain: u8) -> bool {
        match dependency.chain_diffs.get(usize::from(chain)) {
            Some(0) => true,
            Some(diff) => self.before(number, *diff) != Decision::LeftOut,
            None => false,
        }
    }

    fn before(&self, number: u64, diff: u16) -> Decision {
        match number.checked_sub(u64::from(diff)) {
            Some(earlier) => self.decision(earlier),
            None => Decision::LeftOut,
        }
    }

    fn decision(&self, number: u64) -> Decision {
        match self.highest {
            Some(highest) if number + REMEMBERED <= highest => Decision::LeftOut,
            Some(highest) if number <= highest => {
                let at = (number % REMEMBERED) as usize;
                self.decisions.get(at).copied().unwrap_or(Decision::Unknown)
            }
            _ => Decision::Unknown,
        }
    }

    fn decide(&mut self, number: u64, decision: Decision) {
        if self.decisions.is_empty() {
            // Most subscriptions are of other streams.
            self.decisions = vec![Decision::Unknown; REMEMBERED as usize];
        }
        let highest = *self.highest.get_or_insert(number);
        if number > highest {
            for skipped in (highest + 1..number).rev().take(REMEMBERED as usize) {
                self.decisions[(skipped % REMEMBERED) as usize] = Decision::Unknown;
            }
            self.highest = Some(number);
        } else if number + REMEMBERED <= highest {
            return;
        }
        self.decisions[(number % REMEMBERED) as usize] = decision;
    }

    fn number(&self, frame_number: u16) -> u64 {
        // Away from zero, so that an early frame's predecessors have numbers too.
        extend(frame_number, 16, self.highest.unwrap_or(1 << 17))
    }
}

fn targets_within(dependency: &Dependency, spatial: u8, temporal: u8) -> u32 {
    let targets = dependency.structure.targets.iter().enumerate();
    targets
        .filter(|(_, target)| target.spatial <= spatial && target.temporal <= temporal)
        .fold(0, |set, (at, _)| set | 1 << at)
}

#[cfg(test)]
mod tests {
    use super::super::dependency::Reader;
    use super::super::dependency::tests::{descriptor, head, key_frame_structure};
    use super::*;

    /// An encoder with L3T1_KEY.
    struct Encoder {
        reader: Reader,
        frame: u16,
        timestamp: u32,
    }

    impl Encoder {
        fn new() -> Self {
            Encoder {
                reader: Reader::default(),
                frame: 65_500,
                timestamp: u32::MAX - 10_000,
            }
        }

        /// The three frames of a picture.
        fn picture(&mut self, is_key: bool) -> Vec<(Dependency, u32)> {
            self.timestamp = self.timestamp.wrapping_add(3_000);
            (0..3u8)
                .map(|layer| {
                    let template = 5 + 2 * layer + u8::from(!is_key);
                    let mut writer = head(true, true, template, self.frame);
                    self.frame = self.frame.wrapping_add(1);
                    if is_key && layer == 0 {
                        key_frame_structure(&mut writer);
                    }
                    let read = self.reader.read(&descriptor(writer)).unwrap();
                    (read, self.timestamp)
                })
                .collect()
        }
    }

    fn limit(spatial: u8) -> Limit {
        Limit {
            spatial,
            temporal: 3,
        }
    }

    /// Layers that were sent, the layer with the picture's end, and whether a key frame is needed.
    fn shown(
        chooser: &mut Chooser,
        encoder: &mut Encoder,
        is_key: bool,
        spatial: u8,
    ) -> (Vec<u8>, Option<u8>, bool) {
        let (mut sent, mut end, mut needs) = (Vec::new(), None, false);
        for (dependency, timestamp) in encoder.picture(is_key) {
            let choice = chooser.choose(limit(spatial), &dependency, timestamp);
            if choice.is_sent {
                sent.push(dependency.spatial);
            }
            if choice.ends_picture {
                end = Some(dependency.spatial);
            }
            needs |= choice.needs_key_frame;
            let again = chooser.choose(limit(spatial), &dependency, timestamp);
            assert_eq!(again.is_sent, choice.is_sent, "one decision for each frame");
        }
        (sent, end, needs)
    }

    #[test]
    fn a_target_is_its_key_frames_layers_and_then_itself_alone() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        assert_eq!(
            shown(&mut chooser, &mut encoder, true, 2),
            (vec![0, 1, 2], Some(2), false)
        );
        for _ in 0..40 {
            assert_eq!(
                shown(&mut chooser, &mut encoder, false, 2),
                (vec![2], Some(2), false)
            );
        }
        assert_eq!(
            shown(&mut chooser, &mut encoder, true, 1),
            (vec![0, 1], Some(1), false)
        );
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 1),
            (vec![1], Some(1), false)
        );
    }

    #[test]
    fn layers_change_with_key_frames_and_the_old_one_goes_on_until_then() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        shown(&mut chooser, &mut encoder, true, 1);
        shown(&mut chooser, &mut encoder, false, 1);
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 2),
            (vec![1], Some(1), true)
        );
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 0),
            (vec![1], Some(1), true)
        );
        assert_eq!(
            shown(&mut chooser, &mut encoder, true, 0),
            (vec![0], Some(0), false)
        );
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 2),
            (vec![0], Some(0), true)
        );
    }

    #[test]
    fn nothing_is_sent_before_a_key_frame() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        encoder.picture(true);
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 2),
            (vec![], None, true)
        );
        shown(&mut chooser, &mut encoder, true, 2);
        chooser.interrupt();
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 2),
            (vec![], None, true)
        );
        assert_eq!(shown(&mut chooser, &mut encoder, true, 2).0, [0, 1, 2]);
    }

    #[test]
    fn what_the_network_lost_breaks_nothing() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        shown(&mut chooser, &mut encoder, true, 2);
        let late = encoder.picture(false);
        assert_eq!(
            shown(&mut chooser, &mut encoder, false, 2),
            (vec![2], Some(2), false)
        );
        let (dependency, timestamp) = &late[2];
        assert!(chooser.choose(limit(2), dependency, *timestamp).is_sent);
    }

    #[test]
    fn a_wish_counts_from_the_next_picture_on() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        let picture = encoder.picture(true);
        let sent: Vec<bool> = picture
            .iter()
            .zip([2, 0, 0])
            .map(|((dependency, at), spatial)| {
                chooser.choose(limit(spatial), dependency, *at).is_sent
            })
            .collect();
        assert_eq!(sent, [true, true, true]);
    }

    #[test]
    fn what_is_not_made_is_not_waited_for() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        let mut picture = encoder.picture(true);
        for (dependency, timestamp) in &mut picture {
            dependency.active = 0b001;
            let choice = chooser.choose(limit(2), dependency, *timestamp);
            assert_eq!(choice.is_sent, dependency.spatial == 0);
            assert!(!choice.needs_key_frame);
        }
    }

    #[test]
    fn the_targets_are_named_when_they_change() {
        let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
        let mut named = Vec::new();
        for (is_key, spatial) in [(true, 1), (false, 1), (true, 2), (false, 2)] {
            for (dependency, timestamp) in encoder.picture(is_key) {
                let choice = chooser.choose(limit(spatial), &dependency, timestamp);
                named.extend(choice.active);
            }
        }
        assert_eq!(named, [0b011, 0b111]);
    }

    proptest::proptest! {
        /// Any series: no panic, and no frame is sent whose reference was left out.
        #[test]
        fn nothing_sent_leans_on_what_was_left_out(
            steps in proptest::collection::vec((proptest::prelude::any::<bool>(), 0u8..4, 0u8..8), 1..120),
        ) {
            let (mut chooser, mut encoder) = (Chooser::default(), Encoder::new());
            encoder.picture(true);
            let mut sent = std::collections::HashMap::new();
            for (is_key, spatial, lost) in steps {
                for (at, (dependency, timestamp)) in encoder.picture(is_key).into_iter().enumerate() {
                    if lost >> at & 1 == 1 {
                        continue;
                    }
                    let choice = chooser.choose(limit(spatial), &dependency, timestamp);
                    let number = dependency.frame_number;
                    sent.insert(number, choice.is_sent);
                    for diff in dependency.frame_diffs.iter().filter(|_| choice.is_sent) {
                        let reference = sent.get(&number.wrapping_sub(*diff));
                        proptest::prop_assert_ne!(reference, Some(&false));
                    }
                }
            }
        }
    }
}
