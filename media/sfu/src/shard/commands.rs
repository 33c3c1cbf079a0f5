//! Commands: what the control plane wants.

use std::time::Instant;

use super::Shard;
use crate::layers::selector::Limit;
use crate::participant::MAX_TRACKS;
use crate::participant::Role;
use crate::track::{ParticipantIndex, Track};
use crate::{Command, Event, ExpectedTrack, Grant, ParticipantId, RoomId, TrackId};

impl Shard {
    pub(super) fn carry_out(&mut self, now: Instant, command: Command) {
        match command {
            Command::Open {
                room,
                participant,
                identity,
                grant,
                is_dual,
            } => {
                self.open(now, room, participant.clone(), identity, grant);
                if is_dual {
                    self.with(&participant, |s, i| s.add_subscriber_end(now, i));
                }
            }
            Command::SetGrant { participant, grant } => {
                self.with(&participant, |s, i| s.set_grant(now, i, grant))
            }
            Command::Offer {
                participant,
                offer_id,
                sdp,
            } => {
                self.with(&participant, |s, i| s.offer(now, i, offer_id, &sdp));
            }
            Command::Answer {
                participant,
                offer_id,
                sdp,
            } => self.accept_answer(now, &participant, offer_id, &sdp),
            Command::RestartIce { participant } => {
                self.with(&participant, |s, i| s.restart_subscriber_ice(i))
            }
            // ICE-lite learns addresses from authentic checks; what a client announces adds nothing.
            Command::Trickle { .. } => {}
            Command::SetBandwidth {
                participant,
                bits_per_second,
            } => self.with(&participant, |s, i| {
                let i = s.receiving_end(i);
                if let Some(p) = s.participants.get_mut(i) {
                    p.bandwidth = bits_per_second;
                    p.bandwidth_due = Some(now);
                }
                s.mark_dirty(i);
            }),
            Command::Close { participant } => self.with(&participant, |s, i| s.close(i)),
            Command::CloseRoom { room } => self.close_room(&room),
            Command::AddTrack { participant, track } => {
                self.with(&participant, |s, i| s.add_track(i, track))
            }
            Command::RemoveTrack { participant, track } => {
                self.with_track(&participant, &track, |s, t| s.remove_track(t))
            }
            Command::MuteTrack {
                participant,
                track,
                muted,
            } => {
                self.with_track(&participant, &track, |s, t| s.mute_track(now, t, muted));
            }
            Command::Subscribe { participant, track } => {
                self.with(&participant, |s, i| s.subscribe(s.receiving_end(i), track))
            }
            Command::Unsubscribe { participant, track } => self.with(&participant, |s, i| {
                s.unsubscribe(now, s.receiving_end(i), &track)
            }),
            Command::Exchange {
                participant,
                from,
                to,
            } => self.with(&participant, |s, i| {
                s.exchange(now, s.receiving_end(i), &from, to)
            }),
            Command::Pause {
                participant,
                track,
                paused,
            } => {
                self.with(&participant, |s, i| {
                    s.pause(now, s.receiving_end(i), &track, paused)
                });
            }
            Command::Limit {
                participant,
                track,
                spatial,
                temporal,
            } => {
                let limit = Limit { spatial, temporal };
                self.with(&participant, |s, i| {
                    s.limit(now, s.receiving_end(i), &track, limit)
                });
            }
            Command::RequestKeyframes { room } => self.request_all_key_frames(now, &room),
            Command::SendData {
                room,
                packet,
                reliable,
                destinations,
            } => {
                self.send_server_data(&room, packet, reliable, &destinations);
            }
            Command::ReplayData { participant, last } => {
                self.with(&participant, |s, i| s.replay(i, &last))
            }
            Command::InjectFault { participant } => self.with(&participant, |s, i| {
                for end in [i, s.receiving_end(i)] {
                    if let Some(p) = s.participants.get_mut(end) {
                        p.fault = true;
                    }
                }
            }),
        }
    }

    /// Run `work` under the participant's guard, if it is there.
    fn with(&mut self, id: &ParticipantId, work: impl FnOnce(&mut Shard, ParticipantIndex)) {
        if let Some(&index) = self.participants_by_id.get(id) {
            self.guard(index, |shard| {
                work(shard, index);
                Ok(())
            });
        }
    }

    /// As `with`, for a track that the participant publishes.
    fn with_track(
        &mut self,
        id: &ParticipantId,
        track: &TrackId,
        work: impl FnOnce(&mut Shard, usize),
    ) {
        self.with(id, |shard, index| {
            if let Some(&t) = shard.tracks_by_id.get(track)
                && shard.tracks.get(t).is_some_and(|t| t.publisher == index)
            {
                work(shard, t);
            }
        });
    }

    fn set_grant(&mut self, now: Instant, index: ParticipantIndex, grant: Grant) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        participant.grant = grant;
        let receiving = self.receiving_end(index);
        if let Some(end) = self.participants.get_mut(receiving) {
            end.grant = grant;
        }
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        if !grant.can_publish {
            for track in participant.tracks.clone() {
                self.stop_track(track);
            }
            if let Some(participant) = self.participants.get_mut(index) {
                for section in &mut participant.sections {
                    if matches!(section.role, Role::Publishing(_)) {
                        section.role = Role::Publishing(None);
                    }
                }
            }
        }
        if !grant.can_subscribe {
            self.drop_subscriptions(now, receiving);
        }
    }

    fn add_track(&mut self, index: ParticipantIndex, expected: ExpectedTrack) {
        if self.tracks_by_id.contains_key(&expected.track) {
            return;
        }
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        if participant.tracks.len() >= MAX_TRACKS || !participant.grant.can_publish {
            self.events.push(Event::TrackEnded {
                participant: participant.id.clone(),
                track: expected.track,
            });
            return;
        }
        let track = Track {
            shown_as: expected.shown_as.unwrap_or_else(|| expected.track.clone()),
            id: expected.track,
            cid: expected.cid,
            kind: expected.kind,
            stream: expected.stream,
            muted: expected.muted,
            stereo: expected.stereo,
            dtx: expected.dtx,
            codec: expected.codec,
            room: participant.room,
            publisher: index,
            publisher_id: participant.id.clone(),
            cname: participant.id.clone(),
            mid: None,
            is_announced: false,
            subscribers: Vec::new(),
            encodings: Vec::new(),
            flowing: 0,
            level: Default::default(),
        };
        let id = track.id.clone();
        let room = participant.room;
        let t = self.tracks.insert(track);
        self.tracks_by_id.insert(id, t);
        if let Some(participant) = self.participants.get_mut(index) {
            participant.tracks.push(t);
        }
        if let Some(room) = self.rooms.get_mut(room) {
            room.tracks.push(t);
        }
        // The offer that carries it may have been first.
        self.bind_published(index);
    }

    fn mute_track(&mut self, now: Instant, t: usize, muted: bool) {
        let Some(track) = self.tracks.get_mut(t) else {
            return;
        };
        if track.muted == muted {
            return;
        }
        track.muted = muted;
        let room = track.room;
        if muted {
            track.level.reset();
            for encoding in &mut track.encodings {
                encoding.opening.clear();
            }
        }
        for subscriber in track.subscribers.clone() {
            if let Some(subscription) = self.subscription(subscriber) {
                subscription.interrupt();
            }
        }
        if muted {
            self.tell_speakers(room);
        } else {
            self.want_key_frames(now, t, false);
        }
    }

    fn request_all_key_frames(&mut self, now: Instant, room: &RoomId) {
        let Some(&room) = self.rooms_by_id.get(room) else {
            return;
        };
        for t in self
            .rooms
            .get(room)
            .map(|r| r.tracks.clone())
            .unwrap_or_default()
        {
            self.want_key_frames(now, t, true);
        }
    }
}
