//! Subscriptions: wanted, bound to sections, paused, and fitted into a bandwidth.

use std::time::{Duration, Instant};

use super::Shard;
use crate::layers::MAX_SPATIAL;
use crate::layers::allocate::{Demand, allocate};
use crate::layers::selector::{Limit, Selector};
use crate::participant::{Asked, Subscription};
use crate::track::{ParticipantIndex, Subscriber, TrackIndex};
use crate::{Event, Kind, Stream, SubscriptionError, TrackId};

/// A client that did not offer what it was asked for is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);
/// Between looks at a limited participant's bandwidth.
const BANDWIDTH_INTERVAL: Duration = Duration::from_secs(1);

impl Shard {
    pub(super) fn subscription(&mut self, subscriber: Subscriber) -> Option<&mut Subscription> {
        self.participants
            .get_mut(subscriber.participant)?
            .subscription(subscriber.slot)
    }

    pub(super) fn subscribe(&mut self, index: ParticipantIndex, id: TrackId) {
        let publisher = self.publishing_end(index);
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let track = self
            .tracks_by_id
            .get(&id)
            .and_then(|t| Some((*t, self.tracks.get(*t)?)));
        let usable = track.filter(|(_, track)| {
            track.room == participant.room
                && track.publisher != publisher
                && participant.grant.can_subscribe
        });
        let Some((t, track)) = usable else {
            let participant = participant.id.clone();
            self.events.push(Event::SubscriptionFailed {
                participant,
                track: id,
                reason: SubscriptionError::TrackUnknown,
            });
            return;
        };
        if participant.slot_of(t).is_some() {
            return;
        }
        match participant.add_subscription(Subscription::new(t, id.clone(), track.kind)) {
            Some(slot) => {
                if let Some(track) = self.tracks.get_mut(t) {
                    track.subscribers.push(Subscriber {
                        participant: index,
                        slot,
                    });
                }
                self.check_sections(index);
            }
            None => {
                let participant = participant.id.clone();
                let reason = SubscriptionError::TrackUnknown;
                self.events.push(Event::SubscriptionFailed {
                    participant,
                    track: id,
                    reason,
                });
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, now: Instant, index: ParticipantIndex, id: &TrackId) {
        let Some(&t) = self.tracks_by_id.get(id) else {
            return;
        };
        if self.unsubscribe_track(index, t)
            && let Some(participant) = self.participants.get_mut(index)
        {
            // The client sees the track end with the next answer, so it had better offer now.
            participant.release_due = Some(now);
            self.mark_dirty(index);
        }
    }

    fn unsubscribe_track(&mut self, index: ParticipantIndex, t: TrackIndex) -> bool {
        let Some(participant) = self.participants.get_mut(index) else {
            return false;
        };
        let Some(slot) = participant.slot_of(t) else {
            return false;
        };
        participant.remove_subscription(slot);
        if let Some(track) = self.tracks.get_mut(t) {
            track.subscribers.retain(|s| s.participant != index);
        }
        true
    }

    pub(super) fn drop_subscriptions(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(participant) = self.participants.get(index) else {
            return;
        };
        let tracks: Vec<TrackIndex> = participant
            .subscriptions
            .iter()
            .flatten()
            .map(|s| s.track)
            .collect();
        for t in tracks {
            self.unsubscribe_track(index, t);
        }
        if let Some(participant) = self.participants.get_mut(index) {
            participant.release_due = Some(now);
        }
        self.mark_dirty(index);
    }

    pub(super) fn fail_subscription(
        &mut self,
        index: ParticipantIndex,
        t: TrackIndex,
        reason: SubscriptionError,
    ) {
        let Some(track) = self.tracks.get(t).map(|t| t.id.clone()) else {
            return;
        };
        if self.unsubscribe_track(index, t)
            && let Some(participant) = self.participants.get(index)
        {
            self.events.push(Event::SubscriptionFailed {
                participant: participant.id.clone(),
                track,
                reason,
            });
        }
    }

    /// Go on with the same pictures in another codec.
    pub(super) fn exchange(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        from: &TrackId,
        to: TrackId,
    ) {
        let of = |id: &TrackId| {
            let t = *self.tracks_by_id.get(id)?;
            let track = self.tracks.get(t)?;
            Some((t, track.kind, track.publisher))
        };
        let (old, new) = (of(from), of(&to));
        let are_alike = old
            .zip(new)
            .is_some_and(|(old, new)| (old.1, old.2) == (new.1, new.2) && old.0 != new.0);
        let slots = self.participants.get(index).map(|participant| {
            let slot_of = |t: Option<(TrackIndex, Kind, ParticipantIndex)>| {
                t.and_then(|(t, ..)| participant.slot_of(t))
            };
            (slot_of(old), slot_of(new))
        });
        let (Some((Some(slot), None)), Some((old, ..)), Some((t, ..)), true) =
            (slots, old, new, are_alike)
        else {
            return self.subscribe(index, to);
        };
        let subscriber = Subscriber {
            participant: index,
            slot,
        };
        let Some(subscription) = self.subscription(subscriber) else {
            return;
        };
        (subscription.track, subscription.track_id) = (t, to);
        subscription.format = None;
        subscription.interrupt();
        let selector = subscription.selector;
        if let Some(track) = self.tracks.get_mut(old) {
            track.subscribers.retain(|other| *other != subscriber);
        }
        if let Some(track) = self.tracks.get_mut(t) {
            track.subscribers.push(subscriber);
        }
        self.want_key_frame(now, t, &selector, true);
        self.fit_soon(now, index);
    }

    fn subscription_to(
        &mut self,
        index: ParticipantIndex,
        id: &TrackId,
    ) -> Option<(TrackIndex, &mut Subscription)> {
        let &t = self.tracks_by_id.get(id)?;
        let participant = self.participants.get_mut(index)?;
        let slot = participant.slot_of(t)?;
        Some((t, participant.subscription(slot)?))
    }

    pub(super) fn pause(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        id: &TrackId,
        paused: bool,
    ) {
        let Some((t, subscription)) = self.subscription_to(index, id) else {
            return;
        };
        if std::mem::replace(&mut subscription.is_paused, paused) == paused {
            return;
        }
        subscription.interrupt();
        let selector = subscription.selector;
        if !paused {
            self.want_key_frame(now, t, &selector, false);
        }
        self.fit_soon(now, index);
    }

    /// What a subscriber wants to see at most.
    pub(super) fn limit(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        id: &TrackId,
        limit: Limit,
    ) {
        let Some((t, subscription)) = self.subscription_to(index, id) else {
            return;
        };
        if subscription.selector.set_limit(limit) && subscription.flows() {
            let selector = subscription.selector;
            self.want_target(now, t, &selector);
        }
        self.fit_soon(now, index);
    }

    pub(super) fn selector_of(&self, index: ParticipantIndex, t: TrackIndex) -> Option<Selector> {
        let participant = self.participants.get(index)?;
        let slot = participant.slot_of(t)?;
        Some(participant.subscriptions.get(slot)?.as_ref()?.selector)
    }

    /// Ask for what a changed selector needs, if it is not what is shown already.
    fn want_target(&mut self, now: Instant, t: TrackIndex, selector: &Selector) {
        let target = self.tracks.get(t).and_then(|t| selector.target(t.flowing));
        if target.is_some() && target != selector.current() {
            self.request_key_frame(now, t, target, true);
        }
    }

    /// Somebody who looks at a track cannot go on, or wants to begin.
    pub(super) fn want_key_frame(
        &mut self,
        now: Instant,
        t: TrackIndex,
        selector: &Selector,
        is_first: bool,
    ) {
        let Some(track) = self.tracks.get(t) else {
            return;
        };
        let is_flowing = |layer: &u8| track.flowing >> layer & 1 == 1;
        let layer = selector
            .current()
            .filter(is_flowing)
            .or_else(|| selector.target(track.flowing));
        self.request_key_frame(now, t, layer, is_first);
    }

    /// Everybody who looks at a track begins anew.
    pub(super) fn want_key_frames(&mut self, now: Instant, t: TrackIndex, is_first: bool) {
        let layers = self.tracks.get(t).map_or(0, |track| track.flowing);
        for layer in (0..=MAX_SPATIAL).filter(|layer| layers >> layer & 1 == 1) {
            self.request_key_frame(now, t, Some(layer), is_first);
        }
    }

    fn request_key_frame(
        &mut self,
        now: Instant,
        t: TrackIndex,
        layer: Option<u8>,
        is_first: bool,
    ) {
        let track = self.tracks.get_mut(t).filter(|track| track.is_video());
        if let Some(encoding) = track.zip(layer).and_then(|(t, layer)| t.encoding(layer)) {
            encoding.key_frames.request(now, is_first);
            encoding.unused_until = None;
            self.schedule_key_frames(t);
        }
    }

    /// Look at this participant's need of sections before the end of this tick.
    pub(super) fn check_sections(&mut self, index: ParticipantIndex) {
        if !self.section_checks.contains(&index) {
            self.section_checks.push(index);
        }
    }

    /// Ask for what is missing: new sections, or just an offer.
    pub(super) fn ask_for_sections(&mut self, now: Instant) {
        for index in std::mem::take(&mut self.section_checks) {
            let Some(participant) = self.participants.get_mut(index) else {
                continue;
            };
            if participant.serving.is_some() {
                self.consider_offer(now, index);
                self.mark_dirty(index);
                continue;
            }
            if participant.transport.is_none() || participant.sections.is_empty() {
                continue;
            }
            let missing = |kind: Kind| {
                let unbound = participant.subscriptions.iter().flatten();
                let unbound = unbound
                    .filter(|s| s.kind == kind && s.section.is_none())
                    .count();
                let free = participant
                    .sections
                    .iter()
                    .filter(|s| s.is_free(kind))
                    .count();
                (unbound as u32, unbound.saturating_sub(free) as u32)
            };
            let (unbound_audio, audio) = missing(Kind::Audio);
            let (unbound_video, video) = missing(Kind::Video);
            if participant
                .asked
                .at
                .is_some_and(|at| now.saturating_duration_since(at) >= ASK_AGAIN)
            {
                participant.asked = Asked::default();
            }
            let is_release_due = participant.release_due.is_some_and(|due| due <= now);
            if is_release_due {
                participant.release_due = None;
            }
            let wants_offer = unbound_audio + unbound_video > 0
                || (is_release_due && participant.has_section_to_release());
            let asked = &mut participant.asked;
            let more = (
                audio.saturating_sub(asked.audio),
                video.saturating_sub(asked.video),
            );
            if more != (0, 0) || (wants_offer && !asked.offer && asked.audio + asked.video == 0) {
                *asked = Asked {
                    audio: asked.audio.max(audio),
                    video: asked.video.max(video),
                    offer: true,
                    at: Some(now),
                };
                let participant = participant.id.clone();
                self.events.push(Event::SectionsNeeded {
                    participant,
                    audio: more.0,
                    video: more.1,
                });
            }
            self.mark_dirty(index);
        }
    }

    /// When `ask_for_sections` must look again although nothing happens.
    pub(super) fn sections_due(&self, index: ParticipantIndex) -> Option<Instant> {
        let participant = self.participants.get(index)?;
        if let Some(serving) = &participant.serving {
            return serving.due();
        }
        let is_waiting = participant
            .subscriptions
            .iter()
            .flatten()
            .any(|s| s.section.is_none());
        let again = participant
            .asked
            .at
            .filter(|_| is_waiting)
            .map(|at| at + ASK_AGAIN);
        [again, participant.release_due].into_iter().flatten().min()
    }

    /// The bandwidth of a limited participant is to be shared out anew.
    fn fit_soon(&mut self, now: Instant, index: ParticipantIndex) {
        if let Some(participant) = self.participants.get_mut(index)
            && participant.bandwidth.is_some()
        {
            participant.bandwidth_due = Some(now);
            self.mark_dirty(index);
        }
    }

    /// Other layers of a track flow than before.
    pub(super) fn refit(&mut self, now: Instant, t: TrackIndex) {
        for at in 0.. {
            let Some(subscriber) = self.tracks.get(t).and_then(|t| t.subscribers.get(at)) else {
                return;
            };
            self.fit_soon(now, subscriber.participant);
        }
    }

    /// Fit the video of a limited participant into its bandwidth: audio always flows, shared
    /// screens are served before faces.
    pub(super) fn fit_bandwidth(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        if participant.bandwidth_due.is_none_or(|due| due > now) {
            return;
        }
        let limit = participant.bandwidth;
        participant.bandwidth_due = limit.map(|_| now + BANDWIDTH_INTERVAL);
        let mut left = limit.map_or(f64::INFINITY, |l| l as f64);
        let mut slots = Vec::new();
        let mut demands = Vec::new();
        for (slot, subscription) in participant.subscriptions.iter().enumerate() {
            let Some(subscription) = subscription
                .as_ref()
                .filter(|s| s.egress.is_some() && !s.is_paused)
            else {
                continue;
            };
            let Some(track) = self.tracks.get_mut(subscription.track) else {
                continue;
            };
            let rates = track.rates(now);
            if subscription.kind == Kind::Audio {
                left -= rates.iter().flatten().sum::<u64>() as f64;
                continue;
            }
            slots.push(slot);
            demands.push(Demand {
                rates,
                wanted: subscription.selector.limit().spatial,
                is_screen: track.stream == Stream::Screen,
                current: subscription.fitted(),
            });
        }
        let allocated = allocate(left, &demands);
        for (at, slot) in slots.into_iter().enumerate() {
            // What has not sent yet takes nothing.
            let is_silent = demands[at].rates.iter().all(Option::is_none);
            if !is_silent {
                self.fit(
                    now,
                    index,
                    slot,
                    allocated[at].filter(|_| limit.is_some()),
                    limit.is_some(),
                );
            }
        }
    }

    /// One stream gets this layer at most, or nothing.
    fn fit(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        slot: usize,
        layer: Option<u8>,
        is_limited: bool,
    ) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let id = participant.id.clone();
        let Some(subscription) = participant.subscription(slot) else {
            return;
        };
        let is_starved = is_limited && layer.is_none();
        let is_changed = subscription.selector.allow(layer);
        let (t, track) = (subscription.track, subscription.track_id.clone());
        if subscription.is_starved == is_starved {
            let selector = subscription.selector;
            if is_changed && !is_starved {
                self.want_target(now, t, &selector);
            }
            return;
        }
        subscription.is_starved = is_starved;
        subscription.interrupt();
        let selector = subscription.selector;
        self.events.push(Event::StreamState {
            participant: id,
            track,
            paused: is_starved,
        });
        if !is_starved {
            self.want_key_frame(now, t, &selector, false);
        }
    }
}
