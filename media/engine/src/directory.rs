//! Which shard owns which room and participant. Asked for every command; must never hold media.

use std::collections::{HashMap, HashSet};

use conclave_sfu::{Command, ParticipantId, RoomId};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    participants: usize,
    rooms: usize,
}

struct Room {
    shard: usize,
    participants: HashSet<ParticipantId>,
}

struct Participant {
    room: RoomId,
    shard: usize,
    /// Of the last reliable data packet received from it.
    sequence: u32,
}

pub(crate) struct Directory {
    is_closed: bool,
    rooms: HashMap<RoomId, Room>,
    participants: HashMap<ParticipantId, Participant>,
    loads: Vec<Load>,
}

/// What a command changes here once its shard's queue has taken it.
pub(crate) enum Change {
    None,
    Opened {
        room: RoomId,
        participant: ParticipantId,
    },
    Closed(ParticipantId),
    RoomClosed(RoomId),
}

impl Directory {
    pub(crate) fn new(shards: usize) -> Self {
        Directory {
            is_closed: false,
            rooms: HashMap::new(),
            participants: HashMap::new(),
            loads: vec![Load::default(); shards],
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// From now on nothing is taken; returns false when that was so already.
    pub(crate) fn close(&mut self) -> bool {
        !std::mem::replace(&mut self.is_closed, true)
    }

    /// The shard that a command is for; `None` when it names somebody unknown.
    pub(crate) fn route(&self, command: &Command) -> Option<(usize, Change)> {
        match command {
            Command::Open {
                room, participant, ..
            } => {
                // Known already: its own shard decides what that means.
                if let Some(known) = self.participants.get(participant) {
                    return Some((known.shard, Change::None));
                }
                let shard = match self.rooms.get(room) {
                    Some(room) => room.shard,
                    None => self.least_loaded(),
                };
                let change = Change::Opened {
                    room: room.clone(),
                    participant: participant.clone(),
                };
                Some((shard, change))
            }
            Command::Close { participant } => {
                let shard = self.shard_of(participant)?;
                Some((shard, Change::Closed(participant.clone())))
            }
            Command::CloseRoom { room } => {
                let shard = self.rooms.get(room)?.shard;
                Some((shard, Change::RoomClosed(room.clone())))
            }
            Command::RequestKeyframes { room } | Command::SendData { room, .. } => {
                Some((self.rooms.get(room)?.shard, Change::None))
            }
            Command::SetGrant { participant, .. }
            | Command::Offer { participant, .. }
            | Command::Answer { participant, .. }
            | Command::RestartIce { participant }
            | Command::Trickle { participant, .. }
            | Command::SetBandwidth { participant, .. }
            | Command::AddTrack { participant, .. }
            | Command::RemoveTrack { participant, .. }
            | Command::MuteTrack { participant, .. }
            | Command::Subscribe { participant, .. }
            | Command::Unsubscribe { participant, .. }
            | Command::Exchange { participant, .. }
            | Command::Pause { participant, .. }
            | Command::Limit { participant, .. }
            | Command::ReplayData { participant, .. }
            | Command::InjectFault { participant } => {
                Some((self.shard_of(participant)?, Change::None))
            }
        }
    }

    pub(crate) fn apply(&mut self, shard: usize, change: Change) {
        match change {
            Change::None => {}
            Change::Opened { room, participant } => self.add(shard, room, participant),
            Change::Closed(participant) => self.remove(&participant),
            Change::RoomClosed(room) => self.remove_room(&room),
        }
    }

    pub(crate) fn remove(&mut self, participant: &str) {
        let Some(gone) = self.participants.remove(participant) else {
            return;
        };
        self.loads[gone.shard].participants -= 1;
        if let Some(room) = self.rooms.get_mut(&gone.room) {
            room.participants.remove(participant);
            if room.participants.is_empty() {
                self.rooms.remove(&gone.room);
                self.loads[gone.shard].rooms -= 1;
            }
        }
    }

    pub(crate) fn set_sequence(&mut self, participant: &str, sequence: u32) {
        if let Some(known) = self.participants.get_mut(participant) {
            known.sequence = sequence;
        }
    }

    pub(crate) fn sequence(&self, participant: &str) -> u32 {
        self.participants
            .get(participant)
            .map_or(0, |known| known.sequence)
    }

    pub(crate) fn rooms_of(&self, shard: usize) -> Vec<RoomId> {
        self.rooms
            .iter()
            .filter(|(_, room)| room.shard == shard)
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(crate) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(crate) fn participant_count(&self) -> usize {
        self.participants.len()
    }

    fn shard_of(&self, participant: &str) -> Option<usize> {
        self.participants.get(participant).map(|known| known.shard)
    }

    fn least_loaded(&self) -> usize {
        let shards = 0..self.loads.len();
        shards.min_by_key(|shard| self.loads[*shard]).unwrap_or(0)
    }

    fn add(&mut self, shard: usize, room: RoomId, participant: ParticipantId) {
        let load = &mut self.loads[shard];
        load.participants += 1;
        let entry = self.rooms.entry(room.clone()).or_insert_with(|| {
            load.rooms += 1;
            Room {
                shard,
                participants: HashSet::new(),
            }
        });
        entry.participants.insert(participant.clone());
        let known = Participant {
            room,
            shard,
            sequence: 0,
        };
        self.participants.insert(participant, known);
    }

    fn remove_room(&mut self, room: &str) {
        let Some(gone) = self.rooms.remove(room) else {
            return;
        };
        let load = &mut self.loads[gone.shard];
        load.rooms -= 1;
        load.participants -= gone.participants.len();
        for participant in &gone.participants {
            self.participants.remove(participant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conclave_sfu::Grant;

    fn open(directory: &mut Directory, room: &str, participant: &str) -> usize {
        let command = Command::Open {
            room: room.into(),
            participant: participant.into(),
            identity: String::new(),
            grant: Grant {
                can_publish: true,
                can_subscribe: true,
                can_publish_data: true,
            },
            is_dual: false,
        };
        send(directory, &command).unwrap()
    }

    fn send(directory: &mut Directory, command: &Command) -> Option<usize> {
        let (shard, change) = directory.route(command)?;
        directory.apply(shard, change);
        Some(shard)
    }

    fn subscribe(participant: &str) -> Command {
        Command::Subscribe {
            participant: participant.into(),
            track: "TR_1".into(),
        }
    }

    #[test]
    fn a_room_stays_on_one_shard_and_new_rooms_go_where_least_is_going_on() {
        let mut directory = Directory::new(2);
        let first = open(&mut directory, "a", "PA_1");
        assert_eq!(open(&mut directory, "a", "PA_2"), first);
        let second = open(&mut directory, "b", "PA_3");
        assert_ne!(second, first);
        assert_eq!(open(&mut directory, "c", "PA_4"), second);
        assert_eq!(send(&mut directory, &subscribe("PA_2")), Some(first));
        assert_eq!(send(&mut directory, &subscribe("PA_4")), Some(second));
    }

    #[test]
    fn what_is_unknown_has_no_shard() {
        let mut directory = Directory::new(2);
        assert_eq!(send(&mut directory, &subscribe("PA_1")), None);
        let keyframes = Command::RequestKeyframes { room: "a".into() };
        assert_eq!(send(&mut directory, &keyframes), None);
    }

    #[test]
    fn nothing_stays_behind() {
        let mut directory = Directory::new(2);
        open(&mut directory, "a", "PA_1");
        open(&mut directory, "a", "PA_2");
        open(&mut directory, "b", "PA_3");
        directory.set_sequence("PA_1", 7);
        assert_eq!(directory.sequence("PA_1"), 7);
        for participant in ["PA_1", "PA_1", "PA_2"] {
            let close = Command::Close {
                participant: participant.into(),
            };
            send(&mut directory, &close);
        }
        directory.set_sequence("PA_1", 8);
        assert_eq!(directory.sequence("PA_1"), 0);
        assert_eq!(directory.room_count(), 1);
        let close = Command::CloseRoom { room: "b".into() };
        send(&mut directory, &close);
        send(&mut directory, &close);
        assert_eq!(directory.room_count(), 0);
        assert_eq!(directory.participant_count(), 0);
        assert_eq!(directory.loads, [Load::default(); 2]);
    }
}
