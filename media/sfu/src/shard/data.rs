//! Data messages: from a participant's channel to those of the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use str0m::channel::ChannelId;

use super::Shard;
use crate::messages::{Lane, MAX_MESSAGE, splice};
use crate::track::ParticipantIndex;
use crate::{ParticipantId, RoomId};

impl Shard {
    pub(super) fn receive_data(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        channel: ChannelId,
        message: Vec<u8>,
    ) {
        self.stats.data_in += 1;
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let Some(lane) = participant.channels.lane_of(channel) else {
            self.stats.data_dropped += 1;
            return;
        };
        if !participant.grant.can_publish_data || message.len() > MAX_MESSAGE {
            self.stats.data_dropped += 1;
            return;
        }
        // What was sent on the connection on which the client receives counts as well.
        let index = self.publishing_end(index);
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let (id, room) = (participant.id.clone(), participant.room);
        if lane == Lane::Track {
            let message: Arc<[u8]> = message.into();
            for receiver in self.members(room) {
                if receiver != index {
                    self.push_data(receiver, lane, message.clone());
                }
            }
            return;
        }
        let Some(spliced) = splice(&message, &participant.identity, &id) else {
            self.stats.data_dropped += 1;
            return;
        };
        if lane == Lane::Reliable && spliced.sequence != 0 {
            // A client that resumes sends again what it is not sure of.
            if spliced.sequence <= participant.last_reliable {
                self.stats.data_dropped += 1;
                return;
            }
            participant.last_reliable = spliced.sequence;
        }
        let packet: Arc<[u8]> = spliced.packet.as_slice().into();
        for receiver in self.members(room) {
            let is_meant = receiver != index
                && self
                    .participants
                    .get(receiver)
                    .is_some_and(|p| spliced.is_for(&p.identity, &p.id));
            if is_meant {
                self.push_data(receiver, lane, packet.clone());
            }
        }
        if lane == Lane::Reliable
            && spliced.sequence != 0
            && let Some(room) = self.rooms.get_mut(room)
        {
            let destinations = (spliced.destination_identities, spliced.destination_sids);
            room.replay
                .keep(now, &id, spliced.sequence, packet, destinations);
        }
    }

    fn members(&self, room: usize) -> Vec<ParticipantIndex> {
        self.rooms
            .get(room)
            .map(|r| r.members.clone())
            .unwrap_or_default()
    }

    /// Queue for one receiver; written when the shard advances.
    fn push_data(&mut self, index: ParticipantIndex, lane: Lane, message: Arc<[u8]>) {
        let index = self.primary_end(index);
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        // Before its channel opens nothing waits for a newcomer: it was not there.
        if participant.state.is_none() && !participant.channels.is_open(lane) {
            return;
        }
        self.stats.data_dropped += participant.channels.push(lane, message);
        self.mark_dirty(index);
    }

    pub(super) fn send_server_data(
        &mut self,
        room: &RoomId,
        packet: Vec<u8>,
        reliable: bool,
        destinations: &[ParticipantId],
    ) {
        let Some(&room) = self.rooms_by_id.get(room) else {
            return;
        };
        if packet.is_empty() || packet.len() > MAX_MESSAGE {
            self.stats.data_dropped += 1;
            return;
        }
        let packet: Arc<[u8]> = packet.into();
        let lane = if reliable {
            Lane::Reliable
        } else {
            Lane::Lossy
        };
        for receiver in self.members(room) {
            let is_meant = destinations.is_empty()
                || self
                    .participants
                    .get(receiver)
                    .is_some_and(|p| destinations.contains(&p.id));
            if is_meant {
                self.push_data(receiver, lane, packet.clone());
            }
        }
    }

    /// Send again what a participant missed while it was away.
    pub(super) fn replay(&mut self, index: ParticipantIndex, last: &HashMap<ParticipantId, u32>) {
        let Some(participant) = self.participants.get(index) else {
            return;
        };
        let Some(room) = self.rooms.get(participant.room) else {
            return;
        };
        let seen = |publisher: &ParticipantId| last.get(publisher).copied().unwrap_or(0);
        let missed: Vec<Arc<[u8]>> = room
            .replay
            .missed(
                participant.joined_at,
                &participant.identity,
                &participant.id,
                seen,
            )
            .map(|kept| kept.packet.clone())
            .collect();
        for packet in missed {
            self.push_data(index, Lane::Reliable, packet);
        }
    }
}
