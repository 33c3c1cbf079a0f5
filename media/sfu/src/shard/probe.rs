//! What tests inside of the crate see of a shard.

use super::Shard;
use crate::ParticipantId;
use crate::transport::srtp::SrtpSender;

/// The largest of each that anybody or anything has.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Incoming streams of a participant, and the encodings that it sends.
    pub streams: usize,
    pub lanes: usize,
    pub sections: usize,
    pub subscriptions: usize,
    pub outgoing: usize,
    /// Encodings of a track.
    pub encodings: usize,
    pub subscribers: usize,
    /// Reasons for which datagrams were dropped.
    pub reasons: usize,
}

impl Shard {
    /// What the client of this participant protects its packets with; once for each transport.
    pub(crate) fn client_sender(&mut self, id: &ParticipantId) -> Option<SrtpSender> {
        let index = *self.participants_by_id.get(id)?;
        let participant = self.participants.get_mut(index)?;
        participant.transport.as_mut()?.client_sender.take()
    }

    pub(crate) fn held(&self) -> Held {
        let mut held = Held {
            reasons: self.stats.datagrams_dropped.len(),
            ..Held::default()
        };
        let most = |most: &mut usize, now: usize| *most = (*most).max(now);
        for index in self.participants_by_id.values() {
            let Some(participant) = self.participants.get(*index) else {
                continue;
            };
            let (streams, lanes) = participant.ingress.held();
            most(&mut held.streams, streams);
            most(&mut held.lanes, lanes);
            most(&mut held.sections, participant.sections.len());
            most(&mut held.subscriptions, participant.subscriptions.len());
            most(&mut held.outgoing, participant.outgoing.len());
        }
        for index in self.tracks_by_id.values() {
            if let Some(track) = self.tracks.get(*index) {
                most(&mut held.encodings, track.encodings.len());
                most(&mut held.subscribers, track.subscribers.len());
            }
        }
        held
    }
}
