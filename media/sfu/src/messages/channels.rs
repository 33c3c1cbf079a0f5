//! The data channels of one participant and what waits to be sent on them.
//!
//! The client opens them and both directions use the same ones. The SCTP association takes 128 kB
//! at most; what does not fit waits here, bounded. A full reliable queue drops the newest message
//! (counted): one slow receiver must not make the server hold a room's data for it.

use std::collections::VecDeque;
use std::sync::Arc;

use str0m::Rtc;
use str0m::channel::ChannelId;

/// The three channels of LiveKit's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Reliable,
    Lossy,
    /// Frames of data tracks: not `DataPacket`s, passed on as they are.
    Track,
}

impl Lane {
    pub fn from_label(label: &str) -> Option<Lane> {
        match label {
            "_reliable" => Some(Lane::Reliable),
            "_lossy" => Some(Lane::Lossy),
            "_data_track" => Some(Lane::Track),
            _ => None,
        }
    }
}

const RELIABLE_BYTES: usize = 1024 * 1024;
const RELIABLE_MESSAGES: usize = 4096;
/// Late lossy data is worthless: little waits, and the oldest goes first.
const LOSSY_MESSAGES: usize = 32;
/// Below this the association asks for more.
const LOW_THRESHOLD: usize = 32 * 1024;
/// Channels that a client may open beside ours; they are ignored.
const MAX_UNKNOWN: usize = 32;

#[derive(Default)]
struct Queue {
    channel: Option<ChannelId>,
    waiting: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

#[derive(Default)]
pub struct Channels {
    reliable: Queue,
    lossy: Queue,
    track: Queue,
    unknown: usize,
}

impl Channels {
    fn queue(&mut self, lane: Lane) -> &mut Queue {
        match lane {
            Lane::Reliable => &mut self.reliable,
            Lane::Lossy => &mut self.lossy,
            Lane::Track => &mut self.track,
        }
    }

    /// False when the client opens too many channels.
    pub fn open(&mut self, rtc: &mut Rtc, id: ChannelId, label: &str) -> bool {
        let Some(lane) = Lane::from_label(label) else {
            self.unknown += 1;
            return self.unknown <= MAX_UNKNOWN;
        };
        if let Some(mut channel) = rtc.channel(id) {
            channel.set_buffered_amount_low_threshold(LOW_THRESHOLD);
        }
        // A client that opens one again (Safari after a resume) means the new one.
        self.queue(lane).channel = Some(id);
        true
    }

    pub fn close(&mut self, id: ChannelId) {
        for queue in [&mut self.reliable, &mut self.lossy, &mut self.track] {
            if queue.channel == Some(id) {
                queue.channel = None;
            }
        }
    }

    pub fn lane_of(&self, id: ChannelId) -> Option<Lane> {
        [
            (&self.reliable, Lane::Reliable),
            (&self.lossy, Lane::Lossy),
            (&self.track, Lane::Track),
        ]
        .into_iter()
        .find(|(queue, _)| queue.channel == Some(id))
        .map(|(_, lane)| lane)
    }

    pub fn is_open(&self, lane: Lane) -> bool {
        match lane {
            Lane::Reliable => self.reliable.channel.is_some(),
            Lane::Lossy => self.lossy.channel.is_some(),
            Lane::Track => self.track.channel.is_some(),
        }
    }

    /// Number of messages dropped for it (0 or 1).
    pub fn push(&mut self, lane: Lane, message: Arc<[u8]>) -> u64 {
        let queue = self.queue(lane);
        if lane == Lane::Reliable {
            if queue.bytes + message.len() > RELIABLE_BYTES
                || queue.waiting.len() >= RELIABLE_MESSAGES
            {
                return 1;
            }
        } else if queue.channel.is_none() {
            return 1;
        }
        queue.bytes += message.len();
        queue.waiting.push_back(message);
        if lane != Lane::Reliable && queue.waiting.len() > LOSSY_MESSAGES {
            if let Some(oldest) = queue.waiting.pop_front() {
                queue.bytes -= oldest.len();
            }
            return 1;
        }
        0
    }

    /// There is something that `flush` could write.
    pub fn is_waiting(&self) -> bool {
        [&self.reliable, &self.lossy, &self.track]
            .iter()
            .any(|queue| queue.channel.is_some() && !queue.waiting.is_empty())
    }

    /// Write what the association takes. Returns how many messages went.
    pub fn flush(&mut self, rtc: &mut Rtc) -> u64 {
        let mut sent = 0;
        for queue in [&mut self.reliable, &mut self.lossy, &mut self.track] {
            let Some(id) = queue.channel else { continue };
            while let Some(message) = queue.waiting.front() {
                let Some(mut channel) = rtc.channel(id) else {
                    break;
                };
                match channel.write(true, message) {
                    Ok(true) => sent += 1,
                    Ok(false) => break,
                    // The channel is going down; the message has nowhere to go.
                    Err(_) => {}
                }
                queue.bytes -= message.len();
                queue.waiting.pop_front();
            }
        }
        sent
    }
}
