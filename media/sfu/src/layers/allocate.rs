//! A limited bandwidth shared out among the video that somebody receives. Audio is not asked: it
//! always flows.

/// A stream comes back, or goes up, only with this much to spare, so that it does not flap.
const HEADROOM: f64 = 0.9;

/// One video stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Bits per second of each layer that flows, from the smallest; `None` for what does not.
    pub rates: [Option<u64>; 3],
    /// The largest layer that is wanted.
    pub wanted: u8,
    /// Shared screens come before faces.
    pub is_screen: bool,
    /// What it has now; `None` = nothing.
    pub current: Option<u8>,
}

impl Demand {
    fn layers(&self) -> impl DoubleEndedIterator<Item = (u8, f64)> + '_ {
        (0..3u8).filter_map(|layer| Some((layer, self.rates[usize::from(layer)]? as f64)))
    }

    /// Wanted layers that flow, or the smallest there is.
    fn choices(&self) -> Vec<(u8, f64)> {
        let wanted: Vec<_> = self
            .layers()
            .filter(|(layer, _)| *layer <= self.wanted)
            .collect();
        if wanted.is_empty() {
            self.layers().take(1).collect()
        } else {
            wanted
        }
    }

    /// What this layer must find free: a little more than its rate if it is not there already.
    fn needs(&self, layer: u8, rate: f64) -> f64 {
        if self.current.is_some_and(|current| layer <= current) {
            rate
        } else {
            rate / HEADROOM
        }
    }
}

/// A layer for each demand, `None` = nothing fits. Screens get all they want first; then everybody
/// the smallest layer, in the given order but those that flow before those that do not; then what
/// is left goes layer by layer to all in turn.
pub fn allocate(bits_per_second: f64, demands: &[Demand]) -> Vec<Option<u8>> {
    let mut left = bits_per_second;
    let mut given: Vec<Option<u8>> = vec![None; demands.len()];
    let choices: Vec<Vec<(u8, f64)>> = demands.iter().map(Demand::choices).collect();
    for (at, demand) in demands.iter().enumerate().filter(|(_, d)| d.is_screen) {
        let best = choices[at]
            .iter()
            .rev()
            .find(|(layer, rate)| demand.needs(*layer, *rate) <= left);
        if let Some((layer, rate)) = best {
            given[at] = Some(*layer);
            left -= rate;
        }
    }
    let mut tiles: Vec<usize> = (0..demands.len())
        .filter(|at| !demands[*at].is_screen)
        .collect();
    tiles.sort_by_key(|at| demands[*at].current.is_none());
    for step in 0..3 {
        for &at in &tiles {
            let Some(&(layer, rate)) = choices[at].get(step) else {
                continue;
            };
            let has = match step {
                0 => 0.0,
                _ if given[at] == Some(choices[at][step - 1].0) => choices[at][step - 1].1,
                // What did not get the smaller one does not get the larger.
                _ => continue,
            };
            if demands[at].needs(layer, rate) - has <= left {
                given[at] = Some(layer);
                left -= rate - has;
            }
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIMULCAST: [Option<u64>; 3] = [Some(100_000), Some(400_000), Some(1_600_000)];

    fn tile(current: Option<u8>) -> Demand {
        Demand {
            rates: SIMULCAST,
            wanted: 2,
            is_screen: false,
            current,
        }
    }

    fn screen() -> Demand {
        Demand {
            rates: [None, None, Some(1_000_000)],
            is_screen: true,
            ..tile(None)
        }
    }

    #[test]
    fn screens_first_then_a_small_picture_of_everybody_then_better_ones() {
        let demands = [tile(None), tile(None), screen()];
        assert_eq!(allocate(10e6, &demands), [Some(2), Some(2), Some(2)]);
        assert_eq!(allocate(2.2e6, &demands), [Some(1), Some(1), Some(2)]);
        assert_eq!(allocate(1.5e6, &demands), [Some(0), Some(0), Some(2)]);
        assert_eq!(allocate(1.2e6, &demands), [Some(0), None, Some(2)]);
        assert_eq!(allocate(0.5e6, &demands), [Some(0), Some(0), None]);
        assert_eq!(allocate(0.0, &demands), [None, None, None]);
    }

    #[test]
    fn nobody_gets_more_than_is_wanted() {
        let small = Demand {
            wanted: 0,
            ..tile(None)
        };
        assert_eq!(allocate(10e6, &[small]), [Some(0)]);
        let upper_only = Demand {
            rates: [None, Some(400_000), Some(1_600_000)],
            wanted: 0,
            ..tile(None)
        };
        assert_eq!(
            allocate(10e6, &[upper_only]),
            [Some(1)],
            "the smallest there is"
        );
        let silent = Demand {
            rates: [None; 3],
            ..tile(None)
        };
        assert_eq!(allocate(10e6, &[silent]), [None]);
    }

    #[test]
    fn what_flows_stays_and_what_does_not_waits_for_room() {
        assert_eq!(allocate(105_000.0, &[tile(Some(0))]), [Some(0)]);
        assert_eq!(allocate(105_000.0, &[tile(None)]), [None]);
        assert_eq!(
            allocate(105_000.0, &[tile(None), tile(Some(2))]),
            [None, Some(0)]
        );
        assert_eq!(allocate(410_000.0, &[tile(Some(1))]), [Some(1)]);
        assert_eq!(allocate(410_000.0, &[tile(Some(0))]), [Some(0)]);
    }

    proptest! {
        #[test]
        fn no_more_is_given_than_there_is(
            budget in 0u64..5_000_000,
            tiles in proptest::collection::vec(
                (proptest::array::uniform3(proptest::option::of(0u64..2_000_000)), 0u8..4, any::<bool>(),
                 proptest::option::of(0u8..3)),
                0..12,
            ),
        ) {
            let demands: Vec<_> = tiles
                .into_iter()
                .map(|(rates, wanted, is_screen, current)| Demand { rates, wanted, is_screen, current })
                .collect();
            let given = allocate(budget as f64, &demands);
            let mut used = 0;
            for (demand, layer) in demands.iter().zip(given) {
                if let Some(layer) = layer {
                    used += demand.rates[usize::from(layer)].unwrap();
                }
            }
            prop_assert!(used <= budget);
        }
    }
}
