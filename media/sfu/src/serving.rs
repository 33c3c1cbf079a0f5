//! The state of our offers to a client of two connections, on the one on which it receives.
//!
//! Changes that come together make one offer, and one offer at a time is under way. Only dates and
//! marks are here; what an offer holds is the shard's.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use str0m::IceCreds;

use crate::TrackId;
use crate::transport::ice::{IceLite, Path};

/// Nothing changed for this long: offer.
const IDLE: Duration = Duration::from_millis(10);
/// …but do not wait longer than this after the first change.
const MAX_WAIT: Duration = Duration::from_millis(150);
/// A client that has not answered by then cannot be served any more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Checks kept until then, one for each address of the client, and their size: ours is an attribute
/// or two over a hundred bytes.
const MAX_EARLY: usize = 8;
const EARLY_SIZE: usize = 512;

/// First and last of the changes that no offer holds yet.
#[derive(Debug, Clone, Copy)]
struct Changes {
    first: Instant,
    last: Instant,
}

#[derive(Debug)]
pub struct Serving {
    opened_at: Instant,
    /// Id of the last offer.
    offers: u32,
    in_flight: Option<Instant>,
    changes: Option<Changes>,
    /// Something may have to be offered: look at it.
    pub is_changed: bool,
    /// New ICE credentials are to be offered.
    pub is_restarting: bool,
    /// Our end of ICE before the first answer makes a transport of it.
    pub ice: Option<IceLite>,
    /// Of the client, by its first answer.
    pub fingerprint: String,
    /// Sections that the offer under way calls inactive.
    pub inactive: Vec<usize>,
    /// The first track that each section carried.
    pub carried: FxHashMap<usize, TrackId>,
    /// The last check from each address that came before the first answer.
    pub early: Vec<(Path, Vec<u8>)>,
}

impl Serving {
    pub fn new(now: Instant) -> Self {
        Serving {
            opened_at: now,
            offers: 0,
            in_flight: None,
            changes: None,
            is_changed: true,
            is_restarting: false,
            ice: Some(IceLite::new()),
            fingerprint: String::new(),
            inactive: Vec::new(),
            carried: FxHashMap::default(),
            early: Vec::new(),
        }
    }

    /// A check that cannot be answered yet. Anybody may have sent it: it is looked at later.
    pub fn hold(&mut self, path: Path, datagram: &[u8]) {
        self.early.retain(|(other, _)| *other != path);
        if datagram.len() <= EARLY_SIZE {
            if self.early.len() >= MAX_EARLY {
                self.early.remove(0);
            }
            self.early.push((path, datagram.to_vec()));
        }
    }

    pub fn has_offered(&self) -> bool {
        self.offers > 0
    }

    pub fn local_credentials(&self) -> Option<&IceCreds> {
        self.ice.as_ref().map(IceLite::local)
    }

    /// Take note that something has (or has no more) to be offered.
    pub fn note(&mut self, now: Instant, needs_offer: bool) {
        let is_changed = std::mem::take(&mut self.is_changed);
        if !needs_offer {
            self.changes = None;
        } else if is_changed || self.changes.is_none() {
            let first = self.changes.map_or(now, |changes| changes.first);
            self.changes = Some(Changes { first, last: now });
        }
    }

    pub fn is_overdue(&self, now: Instant) -> bool {
        self.in_flight
            .is_some_and(|since| now.saturating_duration_since(since) >= ANSWER_TIMEOUT)
    }

    pub fn is_offer_due(&self, now: Instant) -> bool {
        self.in_flight.is_none() && self.offer_due().is_some_and(|due| due <= now)
    }

    fn offer_due(&self) -> Option<Instant> {
        self.changes
            .map(|changes| (changes.last + IDLE).min(changes.first + MAX_WAIT))
    }

    /// When it must be looked at although nothing happens.
    pub fn due(&self) -> Option<Instant> {
        if self.is_changed {
            return Some(self.opened_at);
        }
        match self.in_flight {
            Some(since) => Some(since + ANSWER_TIMEOUT),
            None => self.offer_due(),
        }
    }

    /// An offer goes out; its id.
    pub fn offered(&mut self, now: Instant) -> u32 {
        self.offers = self.offers.wrapping_add(1).max(1);
        self.in_flight = Some(now);
        self.changes = None;
        self.offers
    }

    /// An answer came. False: to no offer that counts.
    pub fn answered(&mut self, offer_id: u32) -> bool {
        let is_expected = self.in_flight.is_some() && (offer_id == 0 || offer_id == self.offers);
        if is_expected {
            self.in_flight = None;
            self.is_changed = true;
        }
        is_expected
    }

    /// The client may never have seen the offer under way: another one takes its place.
    pub fn restart(&mut self) {
        self.in_flight = None;
        self.inactive.clear();
        self.is_restarting = true;
        self.is_changed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_come_together_make_one_offer() {
        let now = Instant::now();
        let ms = |n| now + Duration::from_millis(n);
        let mut serving = Serving::new(now);
        serving.note(now, true);
        assert_eq!(serving.due(), Some(ms(10)));
        for n in (5..400).step_by(5) {
            serving.is_changed = true;
            serving.note(ms(n), true);
        }
        assert_eq!(serving.due(), Some(ms(150)), "no longer than that");
        assert!(serving.is_offer_due(ms(150)));
        assert_eq!(serving.offered(ms(150)), 1);
        serving.is_changed = true;
        serving.note(ms(160), true);
        assert!(!serving.is_offer_due(ms(1000)), "one at a time");
        assert!(!serving.answered(7), "another offer's");
        assert!(serving.answered(1));
        serving.note(ms(1000), true);
        assert!(serving.is_offer_due(ms(1000)), "what waited goes at once");
        serving.note(ms(1000), false);
        assert_eq!(serving.due(), None);
    }

    #[test]
    fn who_never_answers_is_overdue_and_a_restart_begins_anew() {
        let now = Instant::now();
        let mut serving = Serving::new(now);
        serving.note(now, true);
        serving.offered(now);
        assert!(!serving.is_overdue(now + ANSWER_TIMEOUT - Duration::from_millis(1)));
        assert!(serving.is_overdue(now + ANSWER_TIMEOUT));
        serving.restart();
        assert!(!serving.is_overdue(now + ANSWER_TIMEOUT));
        assert!(!serving.answered(1), "the offer before the restart is void");
        serving.note(now, true);
        assert_eq!(serving.offered(now), 2);
        assert!(serving.answered(0), "clients without ids");
    }
}
