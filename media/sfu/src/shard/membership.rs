//! Participants and tracks coming and going. Everything that refers to one is taken away here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::Shard;
use crate::participant::{Participant, Role};
use crate::room::Room;
use crate::track::{ParticipantIndex, TrackIndex};
use crate::{Event, Grant, ParticipantId, RoomId};

/// Sections of somebody who left are given back with the next offer, which is asked for after this
/// time: mostly another one comes of itself before.
const RELEASE_AFTER: Duration = Duration::from_secs(1);

impl Shard {
    pub(super) fn open(
        &mut self,
        now: Instant,
        room: RoomId,
        id: ParticipantId,
        identity: String,
        grant: Grant,
    ) {
        if let Some(&index) = self.participants_by_id.get(&id) {
            self.close(index);
        }
        let room_index = match self.rooms_by_id.get(&room) {
            Some(&index) => index,
            None => {
                let index = self.rooms.insert(Room::new(room.clone()));
                self.rooms_by_id.insert(room, index);
                index
            }
        };
        self.sessions += 1;
        let participant =
            Participant::new(id.clone(), identity, room_index, grant, now, self.sessions);
        let index = self.participants.insert(participant);
        self.participants_by_id.insert(id, index);
        if let Some(room) = self.rooms.get_mut(room_index) {
            room.members.push(index);
            room.quality_due
                .get_or_insert(now + crate::quality::INTERVAL);
        }
        self.schedule_room(room_index);
    }

    /// End a participant in good order: its client gets a DTLS goodbye.
    pub(super) fn close(&mut self, index: ParticipantIndex) {
        for mut participant in self.remove(index) {
            let Some(transport) = &mut participant.transport else {
                continue;
            };
            let goodbye = catch_unwind(AssertUnwindSafe(|| {
                transport.close();
                std::mem::take(&mut transport.out)
            }));
            self.count_sent(goodbye.as_deref().unwrap_or_default());
            self.transmits.extend(goodbye.unwrap_or_default());
        }
    }

    /// End a participant that went wrong. Its transport is not touched any more.
    pub(super) fn fail(&mut self, index: ParticipantIndex, reason: String) {
        let connections = self.remove(index);
        let Some(participant) = connections.first() else {
            return;
        };
        tracing::error!(participant = %participant.id, reason, "participant failed");
        self.events.push(Event::ParticipantFailed {
            participant: participant.id.clone(),
            reason,
        });
        // Dropping what a panic left behind may panic again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(connections)));
    }

    pub(super) fn close_room(&mut self, id: &RoomId) {
        let Some(&room) = self.rooms_by_id.get(id) else {
            return;
        };
        for index in self
            .rooms
            .get(room)
            .map(|r| r.members.clone())
            .unwrap_or_default()
        {
            self.close(index);
        }
    }

    /// Take a participant out, by either of its connections. Returns all that it had.
    fn remove(&mut self, index: ParticipantIndex) -> Vec<Participant> {
        let index = self.publishing_end(index);
        let Some(participant) = self.participants.get(index) else {
            return Vec::new();
        };
        let (id, room, peer) = (participant.id.clone(), participant.room, participant.peer);
        for track in participant.tracks.clone() {
            self.forget_track(track);
        }
        let ends = [Some(index), peer].into_iter().flatten();
        let connections = ends.filter_map(|end| self.take_connection(end)).collect();
        self.participants_by_id.remove(&id);
        self.tell_speakers(room);
        if let Some(r) = self.rooms.get_mut(room) {
            r.members.retain(|i| *i != index);
            if r.members.is_empty()
                && let Some(r) = self.rooms.remove(room)
            {
                self.rooms_by_id.remove(&r.id);
            }
        }
        connections
    }

    /// Nothing refers to this connection any more.
    fn take_connection(&mut self, index: ParticipantIndex) -> Option<Participant> {
        let participant = self.participants.remove(index)?;
        for fragment in &participant.fragments {
            self.fragments.remove(fragment);
        }
        if let Some(transport) = &participant.transport {
            for path in transport.ice.paths() {
                if self.paths.get(path) == Some(&index) {
                    self.paths.remove(path);
                }
            }
        }
        for subscription in participant.subscriptions.iter().flatten() {
            if let Some(track) = self.tracks.get_mut(subscription.track) {
                track.subscribers.retain(|s| s.participant != index);
            }
        }
        self.dirty.retain(|i| *i != index);
        self.with_output.retain(|i| *i != index);
        self.section_checks.retain(|i| *i != index);
        Some(participant)
    }

    /// The publisher took it back.
    pub(super) fn remove_track(&mut self, t: TrackIndex) {
        self.forget_track(t);
    }

    fn forget_track(&mut self, t: TrackIndex) {
        let Some(track) = self.tracks.remove(t) else {
            return;
        };
        self.tracks_by_id.remove(&track.id);
        if let Some(room) = self.rooms.get_mut(track.room) {
            room.tracks.retain(|other| *other != t);
        }
        if let Some(publisher) = self.participants.get_mut(track.publisher) {
            publisher.tracks.retain(|other| *other != t);
            for section in &mut publisher.sections {
                if section.role == Role::Publishing(Some(t)) {
                    section.role = Role::Publishing(None);
                }
            }
        }
        for subscriber in &track.subscribers {
            if let Some(participant) = self.participants.get_mut(subscriber.participant) {
                participant.remove_subscription(subscriber.slot);
                participant
                    .release_due
                    .get_or_insert(self.now + RELEASE_AFTER);
                self.mark_dirty(subscriber.participant);
            }
        }
        self.tell_speakers(track.room);
    }

    /// Nothing comes of this track any more; the control plane is told and removes it.
    pub(super) fn stop_track(&mut self, t: TrackIndex) {
        let Some(track) = self.tracks.get_mut(t) else {
            return;
        };
        if track.mid.is_none() && track.encodings.is_empty() {
            return;
        }
        track.stop();
        let (id, publisher, room) = (track.id.clone(), track.publisher, track.room);
        for subscriber in track.subscribers.clone() {
            if let Some(subscription) = self.subscription(subscriber) {
                subscription.interrupt();
                subscription.format = None;
            }
        }
        if let Some(publisher) = self.participants.get_mut(publisher) {
            self.events.push(Event::TrackEnded {
                participant: publisher.id.clone(),
                track: id,
            });
        }
        self.tell_speakers(room);
    }
}
