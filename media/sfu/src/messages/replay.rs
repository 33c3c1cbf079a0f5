//! Reliable packets kept for participants that lost their connection for a while.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::ParticipantId;

/// For each publisher.
const MAX_PACKETS: usize = 256;
const MAX_BYTES: usize = 512 * 1024;
/// Longer than any client tries to resume.
const MAX_AGE: Duration = Duration::from_secs(60);

pub struct Kept {
    at: Instant,
    sequence: u32,
    pub packet: Arc<[u8]>,
    identities: Vec<String>,
    sids: Vec<String>,
}

#[derive(Default)]
struct Track {
    packets: VecDeque<Kept>,
    bytes: usize,
}

/// The buffers of one room, by publisher (which may have left).
#[derive(Default)]
pub struct Replay {
    publishers: FxHashMap<ParticipantId, Track>,
}

impl Replay {
    pub fn keep(
        &mut self,
        now: Instant,
        publisher: &ParticipantId,
        sequence: u32,
        packet: Arc<[u8]>,
        (identities, sids): (Vec<String>, Vec<String>),
    ) {
        let track = self.publishers.entry(publisher.clone()).or_default();
        track.bytes += packet.len();
        track.packets.push_back(Kept {
            at: now,
            sequence,
            packet,
            identities,
            sids,
        });
        while track.packets.len() > MAX_PACKETS || track.bytes > MAX_BYTES {
            let Some(oldest) = track.packets.pop_front() else {
                break;
            };
            track.bytes -= oldest.packet.len();
        }
    }

    /// Drop what is too old, and with it publishers that left.
    pub fn expire(&mut self, now: Instant) {
        self.publishers.retain(|_, track| {
            while track
                .packets
                .front()
                .is_some_and(|k| now.saturating_duration_since(k.at) > MAX_AGE)
            {
                if let Some(oldest) = track.packets.pop_front() {
                    track.bytes -= oldest.packet.len();
                }
            }
            !track.packets.is_empty()
        });
    }

    /// Packets that `identity` has not seen, given what it saw last of each publisher. Nothing from
    /// before `since`, when it joined; nothing of its own.
    pub fn missed<'a>(
        &'a self,
        since: Instant,
        identity: &'a str,
        sid: &'a ParticipantId,
        last: impl Fn(&ParticipantId) -> u32 + 'a,
    ) -> impl Iterator<Item = &'a Kept> + 'a {
        self.publishers
            .iter()
            .filter(move |(publisher, _)| *publisher != sid)
            .flat_map(move |(publisher, track)| {
                let seen = last(publisher);
                track.packets.iter().filter(move |kept| {
                    let is_addressed = (kept.identities.is_empty() && kept.sids.is_empty())
                        || kept.identities.iter().any(|i| i == identity)
                        || kept.sids.iter().any(|s| **s == **sid);
                    kept.sequence > seen && kept.at >= since && is_addressed
                })
            })
    }
}
