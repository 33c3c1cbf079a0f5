//! A published track: where its packets come from, who gets them, and what is measured of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::encoding::Encoding;
use crate::layers::selector::Layers;
use crate::sdp::{Codec, CodecName};
use crate::speakers::Level;
use crate::{Kind, ParticipantId, Stream, TrackId};

/// Index of a participant in the shard.
pub type ParticipantIndex = usize;
/// Index of a track in the shard.
pub type TrackIndex = usize;
/// Index of a subscription in its participant.
pub type Slot = usize;

/// A layer has been stopped that is silent this long while others show so many pictures: on a screen
/// on which nothing happens, pictures are rare in all of them.
const STOPPED_AFTER: Duration = Duration::from_millis(700);
const STOPPED_AFTER_PICTURES: u8 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscriber {
    pub participant: ParticipantIndex,
    pub slot: Slot,
}

pub struct Track {
    pub id: TrackId,
    /// What receivers are told that it is.
    pub shown_as: TrackId,
    pub cid: String,
    pub kind: Kind,
    pub stream: Stream,
    pub muted: bool,
    pub stereo: bool,
    pub dtx: bool,
    pub codec: Option<CodecName>,
    pub room: usize,
    pub publisher: ParticipantIndex,
    pub publisher_id: ParticipantId,
    /// CNAME of all that is forwarded of this publisher: equal for tracks to be kept in sync.
    pub cname: Arc<str>,
    /// Section that carries it.
    pub mid: Option<String>,
    pub is_announced: bool,
    pub subscribers: Vec<Subscriber>,
    /// One, or one for each layer of simulcast, the smallest first.
    pub encodings: Vec<Encoding>,
    /// Spatial layers that flow.
    pub flowing: Layers,
    pub level: Level,
}

impl Track {
    /// `PA_x|camera`: the MediaStream at receivers.
    pub fn stream_id(&self) -> String {
        let name = match self.stream {
            Stream::Camera => "camera",
            Stream::Screen => "screen",
        };
        format!("{}|{name}", self.publisher_id)
    }

    pub fn is_video(&self) -> bool {
        self.kind == Kind::Video
    }

    /// The encoding of a spatial layer; made when it is seen for the first time.
    pub fn encoding_at(&mut self, spatial: u8) -> usize {
        match self
            .encodings
            .binary_search_by_key(&spatial, |encoding| encoding.spatial)
        {
            Ok(at) => at,
            Err(at) => {
                self.encodings.insert(at, Encoding::new(spatial));
                at
            }
        }
    }

    pub fn encoding(&mut self, spatial: u8) -> Option<&mut Encoding> {
        self.encodings
            .iter_mut()
            .find(|encoding| encoding.spatial == spatial)
    }

    /// A packet of this encoding came: which layers flow now. True when that changed.
    pub fn heard(&mut self, now: Instant, spatial: u8, ends_picture: bool) -> bool {
        let mut flowing = 0;
        for encoding in &mut self.encodings {
            if encoding.spatial == spatial {
                (encoding.last_packet, encoding.missed) = (Some(now), 0);
            } else if ends_picture {
                encoding.missed = encoding.missed.saturating_add(1);
            }
            let is_stopped = encoding.missed >= STOPPED_AFTER_PICTURES
                && encoding
                    .last_packet
                    .is_none_or(|last| now.saturating_duration_since(last) > STOPPED_AFTER);
            if encoding.last_packet.is_some() && !is_stopped {
                flowing |= 1 << encoding.spatial;
            }
        }
        std::mem::replace(&mut self.flowing, flowing) != flowing
    }

    /// What it is sent with at the moment.
    pub fn codecs(&self) -> impl Iterator<Item = &Codec> {
        self.encodings
            .iter()
            .filter_map(|encoding| Some(&*encoding.source.as_ref()?.codec))
    }

    /// Bits per second of all that the publisher sends of it.
    pub fn rates(&mut self, now: Instant) -> [Option<u64>; 3] {
        let mut rates = [None; 3];
        for encoding in &mut self.encodings {
            if self.flowing >> encoding.spatial & 1 == 1 {
                rates[usize::from(encoding.spatial)] = Some(encoding.bitrate.get(now));
            }
        }
        rates
    }

    /// When a key frame is to be asked for next.
    pub fn key_frames_due(&self) -> Option<Instant> {
        self.encodings
            .iter()
            .filter_map(|encoding| encoding.key_frames.due())
            .min()
    }

    /// The section stopped or changed its track: nothing comes any more.
    pub fn stop(&mut self) {
        self.mid = None;
        self.encodings.clear();
        self.flowing = 0;
        self.level.reset();
    }
}
