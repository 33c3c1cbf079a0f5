//! A room: who is in it and what is told to all.

use std::time::Instant;

use crate::RoomId;
use crate::messages::Replay;
use crate::speakers::Speakers;
use crate::track::{ParticipantIndex, TrackIndex};

pub struct Room {
    pub id: RoomId,
    pub members: Vec<ParticipantIndex>,
    pub tracks: Vec<TrackIndex>,
    pub speakers: Speakers,
    pub replay: Replay,
    pub speakers_due: Option<Instant>,
    pub quality_due: Option<Instant>,
}

impl Room {
    pub fn new(id: RoomId) -> Self {
        Room {
            id,
            members: Vec::new(),
            tracks: Vec::new(),
            speakers: Speakers::default(),
            replay: Replay::default(),
            speakers_due: None,
            quality_due: None,
        }
    }

    pub fn due(&self) -> Option<Instant> {
        [self.speakers_due, self.quality_due]
            .into_iter()
            .flatten()
            .min()
    }
}
