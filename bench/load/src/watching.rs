//! What one participant receives: its streams, and how soon another layer comes after asking.

use std::collections::HashMap;

use str0m::rtp::RtpPacket;

use crate::histogram::Histogram;
use crate::meter::{Arrival, Received, StreamMeter, Window};
use crate::payload::{self, Unreadable, Vp8Facts};
use crate::pictures::{Header, Pictures};

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
        packet: &RtpPacket,
        facts: &Vp8Facts,
        arrived_us: u64,
        window: Option<&Window>,
        gap_limit_us: u64,
    ) -> Option<u64> {
        let (ssrc, sequence) = (*packet.header.ssrc, *packet.seq_no);
        let stamp = match payload::read(&packet.payload) {
            Ok(stamp) => stamp,
            Err(Unreadable::Foreign) => {
                self.foreign += 1;
                self.pass(ssrc, sequence);
                return None;
            }
            Err(Unreadable::Damaged) => {
                self.damaged += 1;
                return None;
            }
        };
        self.tracks.insert(ssrc, stamp.track);
        let stream = self.streams.entry(stamp.track).or_insert_with(|| Stream {
            meter: StreamMeter::new(arrived_us),
            pictures: Pictures::default(),
            asked: None,
        });
        let header = Header {
            sequence,
            time: packet.header.timestamp,
            marker: packet.header.marker,
        };
        stream.pictures.arrive(&header, stamp.layer, facts);
        let has_come = |asked: &Asked| facts.starts_keyframe && asked.layer == stamp.layer;
        if let Some(asked) = stream.asked.filter(has_come) {
            stream.asked = None;
            let times = if asked.layer == 0 {
                &mut self.switches.down
            } else {
                &mut self.switches.up
            };
            times.record(arrived_us.saturating_sub(asked.at_us));
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
