//! What a participant publishes: announcing it, and sending the packets that are due.

use std::time::Instant;

use str0m::media::{Mid, Rid};

use crate::client::Tally;
use crate::meter::Window;
use crate::peer::Peer;
use crate::proto::{
    AddTrackRequest, SubscribedQualityUpdate, TrackPublishedResponse, TrackSource, TrackType,
    VideoLayer,
};
use crate::scenario::Track;
use crate::source::{ONLY, RIDS, Shape, Source};
use crate::udp::now_us;

/// A track that comes again is another track.
const SESSION_STEP: u32 = 1_000_000;

pub struct Published {
    /// By encoding, the smallest first.
    sources: Vec<Source>,
    cid: String,
    /// `None` until the server has confirmed the track.
    mid: Option<Mid>,
    sid: String,
}

/// The stamped number of a track, from its name.
pub fn track_of(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

impl Published {
    /// `session`: how many times the participant has come, from 1.
    pub fn new(track: &Track, identity: &str, session: u32, seed: u64, now: Instant) -> Self {
        let number = track.number + (session - 1) * SESSION_STEP;
        let is_layered = track.encodings.len() > 1;
        let sources = track.encodings.iter().zip(0..).map(|(&shape, at)| {
            let layer = if is_layered { at } else { ONLY };
            Source::new(shape, number, layer, seed, now)
        });
        Published {
            sources: sources.collect(),
            cid: format!("{identity}-{number}"),
            mid: None,
            sid: String::new(),
        }
    }

    fn is_video(&self) -> bool {
        self.sources.iter().any(Source::is_video)
    }

    pub fn can_send(&self, peer: &Peer) -> bool {
        self.mid.is_some_and(|mid| peer.can_send(mid))
    }

    pub fn next_due(&self, otherwise: Instant) -> Instant {
        let due = self.sources.iter().map(Source::next_due);
        due.fold(otherwise, Instant::min)
    }

    /// The server knows the track now; whether a section is to be offered for it.
    pub fn confirm(&mut self, response: &TrackPublishedResponse, peer: &mut Peer) -> bool {
        if self.cid != response.cid || self.mid.is_some() {
            return false;
        }
        if let Some(info) = &response.track {
            self.sid.clone_from(&info.sid);
        }
        self.mid = Some(peer.add_sending(&self.cid, self.is_video(), self.sources.len()));
        true
    }

    /// Write every packet that is due.
    pub fn send(
        &mut self,
        peer: &mut Peer,
        now: Instant,
        window: Option<&Window>,
        tally: &mut Tally,
    ) {
        let Some(mid) = self.mid.filter(|&mid| peer.can_send(mid)) else {
            return;
        };
        for (at, source) in self.sources.iter_mut().enumerate() {
            while let Some(due) = source.next(now, now_us()) {
                let key = (source.track(), source.layer());
                let sent = tally.sent.entry(key).or_default();
                sent.total += 1;
                sent.keyframes = source.keyframes;
                if window.is_some_and(|it| it.contains(due.sent_us)) {
                    sent.first_in_window.get_or_insert(due.sequence);
                    sent.in_window += 1;
                }
                peer.write(mid, at, due, now);
            }
        }
    }

    /// Of one encoding, or of all when none is named.
    pub fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>) {
        let named = rid.and_then(|rid| RIDS.iter().position(|it| **it == *rid));
        let asked = self.sources.iter_mut().enumerate();
        asked
            .filter(|(at, _)| self.mid == Some(mid) && named.is_none_or(|named| named == *at))
            .for_each(|(_, source)| source.request_keyframe());
    }

    /// Send only the layers that somebody wants.
    pub fn on_quality_update(&mut self, update: &SubscribedQualityUpdate) {
        if self.sid != update.track_sid || self.sources.len() < 2 {
            return;
        }
        for wanted in &update.subscribed_qualities {
            let layer = usize::try_from(wanted.quality).unwrap_or(usize::MAX);
            if let Some(source) = self.sources.get_mut(layer) {
                source.pause(!wanted.enabled);
            }
        }
    }

    pub fn announce(&self) -> AddTrackRequest {
        let common = AddTrackRequest {
            cid: self.cid.clone(),
            name: self.cid.clone(),
            disable_red: true,
            ..Default::default()
        };
        let layers: Vec<VideoLayer> = self.sources.iter().filter_map(layer_of).collect();
        match layers.last() {
            None => AddTrackRequest {
                r#type: TrackType::Audio.into(),
                source: TrackSource::Microphone.into(),
                ..common
            },
            Some(largest) => AddTrackRequest {
                r#type: TrackType::Video.into(),
                source: TrackSource::Camera.into(),
                width: largest.width,
                height: largest.height,
                layers,
                ..common
            },
        }
    }
}

fn layer_of(source: &Source) -> Option<VideoLayer> {
    match source.shape() {
        Shape::Audio { .. } => None,
        Shape::Video {
            bits_per_second,
            width,
            height,
            ..
        } => Some(VideoLayer {
            quality: i32::from(source.layer()),
            width: width.into(),
            height: height.into(),
            bitrate: bits_per_second,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::proto::SubscribedQuality;
    use crate::source::encodings;

    fn published(is_simulcast: bool) -> Published {
        let shape = Shape::Video {
            bits_per_second: 2_000_000,
            frames_per_second: 30,
            packet_size: 1_100,
            keyframe_interval: None,
            burst: Duration::ZERO,
            width: 1_280,
            height: 720,
        };
        let track = Track {
            number: 7,
            encodings: encodings(shape, is_simulcast),
        };
        Published::new(&track, "pub-0-0", 2, 1, Instant::now())
    }

    #[test]
    fn a_track_is_known_by_its_name() {
        let announced = published(true).announce();
        assert_eq!(track_of(&announced.name), Some(1_000_007));
        assert_eq!(track_of("camera"), None);
    }

    #[test]
    fn layers_are_announced_with_their_sizes() {
        let layers = |announced: AddTrackRequest| -> Vec<(i32, u32, u32)> {
            let layers = announced.layers.iter();
            layers
                .map(|it| (it.quality, it.height, it.bitrate))
                .collect()
        };
        let announced = published(true).announce();
        assert_eq!((announced.width, announced.height), (1_280, 720));
        assert_eq!(
            layers(announced),
            [(0, 180, 150_000), (1, 360, 500_000), (2, 720, 2_000_000)]
        );
        assert_eq!(layers(published(false).announce()), [(2, 720, 2_000_000)]);
    }

    #[test]
    fn a_layer_that_nobody_wants_is_paused() {
        let mut published = published(true);
        published.sid = "TR_1".into();
        let quality = |quality, enabled| SubscribedQuality { quality, enabled };
        let update = |sid: &str| SubscribedQualityUpdate {
            track_sid: sid.into(),
            subscribed_qualities: vec![quality(0, true), quality(2, false), quality(9, false)],
        };
        let sending = |published: &mut Published| -> Vec<bool> {
            let now = Instant::now() + Duration::from_secs(1);
            let sources = published.sources.iter_mut();
            sources.map(|it| it.next(now, 0).is_some()).collect()
        };
        published.on_quality_update(&update("TR_2"));
        published.on_quality_update(&update("TR_1"));
        assert_eq!(sending(&mut published), [true, true, false]);
    }
}
