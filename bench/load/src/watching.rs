//! What one participant receives: its streams, and how soon another layer comes after asking.

use std::collections::HashMap;

use crate::histogram::Histogram;
use crate::meter::{Arrival, Received, StreamMeter, Window};
use crate::payload::{self, Unreadable, Vp8Facts};
use crate::pictures::{Header, Pictures};

/// One RTP packet as it came in.
pub struct Incoming<'a> {
    pub ssrc: u32,
    pub header: Header,
    pub facts: Vp8Facts,
    pub payload: &'a [u8],
    pub arrived_us: u64,
}

#[derive(Clone, Copy)]
struct Asked {
    at_us: u64,
    layer: u8,
}

pub struct Stream {
    pub meter: StreamMeter,
    pub pictures: Pictures,
    asked: Option<Asked>,
}

/// Changes of layer that were asked for.
#[derive(Default)]
pub struct Switches {
    pub asked: u64,
    /// Another change was asked for before this one came.
    pub overtaken: u64,
    /// From asking to the start of the first key frame of the layer.
    pub up: Histogram,
    pub down: Histogram,
}

impl Switches {
    fn come(&mut self, asked: &Asked, arrived_us: u64) {
        let times = if asked.layer == 0 {
            &mut self.down
        } else {
            &mut self.up
        };
        times.record(arrived_us.saturating_sub(asked.at_us));
    }
}

#[derive(Default)]
pub struct Watch {
    /// By the track's number.
    pub streams: HashMap<u32, Stream>,
    pub switches: Switches,
    pub damaged: u64,
    pub foreign: u64,
    /// Which track came last on an SSRC.
    tracks: HashMap<u32, u32>,
}

impl Watch {
    /// Take in a packet; its latency in microseconds when it is a new one of ours.
    pub fn arrive(
        &mut self,
        packet: &Incoming<'_>,
        window: Option<&Window>,
        gap_limit_us: u64,
    ) -> Option<u64> {
        let arrived_us = packet.arrived_us;
        let stamp = match payload::read(packet.payload) {
            Ok(stamp) => stamp,
            Err(Unreadable::Foreign) => {
                self.foreign += 1;
                self.pass(packet.ssrc, packet.header.sequence);
                return None;
            }
            Err(Unreadable::Damaged) => {
                self.damaged += 1;
                return None;
            }
        };
        self.tracks.insert(packet.ssrc, stamp.track);
        let stream = self.streams.entry(stamp.track).or_insert_with(|| Stream {
            meter: StreamMeter::new(arrived_us),
            pictures: Pictures::default(),
            asked: None,
        });
        let facts = &packet.facts;
        stream.pictures.arrive(&packet.header, stamp.layer, facts);
        let has_come = |asked: &Asked| facts.starts_keyframe && asked.layer == stamp.layer;
        if let Some(asked) = stream.asked.filter(has_come) {
            stream.asked = None;
            self.switches.come(&asked, arrived_us);
        }
        let received = Received {
            layer: stamp.layer,
            sequence: stamp.sequence,
            sent_us: stamp.sent_us,
            arrived_us,
            bytes: packet.payload.len(),
        };
        let arrival = stream.meter.arrive(&received, window, gap_limit_us);
        (arrival == Arrival::Fresh).then(|| arrived_us.saturating_sub(stamp.sent_us))
    }

    /// The layer is asked for now.
    pub fn ask(&mut self, track: u32, layer: u8, now_us: u64) {
        let Some(stream) = self.streams.get_mut(&track) else {
            return;
        };
        self.switches.asked += 1;
        let at_us = now_us;
        if stream.asked.replace(Asked { at_us, layer }).is_some() {
            self.switches.overtaken += 1;
        }
    }

    /// Changes that have not come.
    pub fn unanswered(&self) -> u64 {
        let waiting = self.streams.values().filter(|it| it.asked.is_some());
        self.switches.overtaken + waiting.count() as u64
    }

    pub fn layer(&self, track: u32) -> Option<u8> {
        self.streams.get(&track)?.meter.layer()
    }

    fn pass(&mut self, ssrc: u32, sequence: u64) {
        let track = self.tracks.get(&ssrc);
        if let Some(stream) = track.and_then(|track| self.streams.get_mut(track)) {
            stream.pictures.pass(sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Stamp, Vp8Position, vp8, vp8_facts};

    fn come(watch: &mut Watch, sequence: u64, layer: u8, keyframe: bool, at_us: u64) {
        let position = Vp8Position {
            starts_frame: true,
            keyframe,
            picture_id: sequence as u16,
            tl0_index: 0,
            width: 320,
            height: 180,
        };
        let stamp = Stamp {
            track: 7,
            layer,
            sequence: sequence as u32,
            sent_us: at_us - 10,
        };
        let payload = vp8(200, &position, &stamp);
        incoming(watch, sequence, &payload, at_us);
    }

    fn incoming(watch: &mut Watch, sequence: u64, payload: &[u8], at_us: u64) {
        let packet = Incoming {
            ssrc: 1,
            header: Header {
                sequence,
                time: sequence as u32,
                marker: true,
            },
            facts: vp8_facts(payload),
            payload,
            arrived_us: at_us,
        };
        watch.arrive(&packet, None, 500_000);
    }

    #[test]
    fn a_change_has_come_with_a_key_frame_of_the_layer() {
        let mut watch = Watch::default();
        watch.ask(7, 0, 500);
        assert_eq!(watch.switches.asked, 0, "of a track that has not begun");
        come(&mut watch, 1, 2, true, 1_000);
        watch.ask(7, 0, 2_000);
        come(&mut watch, 2, 2, true, 2_100);
        come(&mut watch, 3, 0, false, 2_200);
        assert_eq!((watch.switches.down.count(), watch.unanswered()), (0, 1));
        come(&mut watch, 4, 0, true, 2_300);
        come(&mut watch, 5, 0, true, 2_900);
        assert_eq!(watch.switches.down.quantile(1.0), Some(300));
        assert_eq!((watch.switches.asked, watch.unanswered()), (1, 0));
        assert_eq!(watch.streams[&7].pictures.counts.without_keyframe, 1);
    }

    #[test]
    fn a_change_that_another_overtakes_is_unanswered() {
        let mut watch = Watch::default();
        come(&mut watch, 1, 2, true, 1_000);
        watch.ask(7, 0, 2_000);
        watch.ask(7, 2, 3_000);
        come(&mut watch, 2, 2, true, 3_400);
        assert_eq!((watch.switches.asked, watch.unanswered()), (2, 1));
        assert_eq!(watch.switches.up.quantile(1.0), Some(400));
    }

    #[test]
    fn padding_of_the_server_makes_no_hole() {
        let mut watch = Watch::default();
        come(&mut watch, 1, 0, true, 1_000);
        incoming(&mut watch, 2, &[], 1_100);
        come(&mut watch, 3, 2, true, 1_200);
        let counts = watch.streams[&7].pictures.counts;
        assert_eq!((counts.changes, counts.sequence_holes), (1, 0));
        assert_eq!(watch.foreign, 1);
    }
}
