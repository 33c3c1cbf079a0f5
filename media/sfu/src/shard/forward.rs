//! The packet path: from a publisher's packet to its subscribers' datagrams.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shard;
use crate::buffers::Buffers;
use crate::encoding::Source;
use crate::ingress::Arrival;
use crate::layers::selector::{Layers, Take};
use crate::participant::{Participant, Role};
use crate::rtp::egress::{Format, Line, MediaPacket, SourceClock};
use crate::sdp::{Codec, match_codec};
use crate::speakers;
use crate::track::{ParticipantIndex, Slot, Subscriber, TrackIndex};
use crate::{Event, SubscriptionError};

/// Receivers ahead whose memory is fetched.
const FAR: usize = 6;
const MIDDLE: usize = 4;
const NEAR: usize = 2;

/// A layer that nobody takes is not tried with every receiver for this long: who wants it asks for a
/// key frame, with which it begins.
const UNUSED: Duration = Duration::from_millis(200);

/// What all subscribers of a packet have in common.
#[derive(Clone, Copy)]
struct Passing<'a> {
    now: Instant,
    ntp: u64,
    packet: &'a MediaPacket,
    /// Layer of its encoding.
    spatial: u8,
    flowing: Layers,
    codec: &'a Codec,
    clock: Option<SourceClock>,
}

/// What became of a packet at one subscriber.
enum Passed {
    Sent,
    /// Nothing is sent for it.
    Idle,
    /// Nothing flows at the moment, or another layer does.
    Ignored,
    NeedsKeyFrame,
    /// It goes on, but for what is wanted a key frame is needed.
    SentAndNeedsKeyFrame,
    CodecUnsupported,
}

impl Shard {
    /// A packet of a client's section: to all who receive the track that it carries.
    pub(super) fn forward(&mut self, now: Instant, index: ParticipantIndex, arrival: &Arrival<'_>) {
        let Some(participant) = self.participants.get(index) else {
            return;
        };
        let section = participant.sections.get(arrival.place);
        let Some(Role::Publishing(Some(t))) = section.map(|section| section.role) else {
            return;
        };
        let spatial = arrival.layer;
        if !self.follow_source(index, t, arrival) {
            return;
        }
        let Some(track) = self.tracks.get_mut(t) else {
            return;
        };
        let is_changed = track.heard(now, spatial, arrival.marker);
        let (is_muted, is_video, room, flowing) =
            (track.muted, track.is_video(), track.room, track.flowing);
        if let Some(encoding) = track.encoding(spatial) {
            encoding.measure(now, arrival);
        }
        if is_muted {
            return;
        }
        if !is_video && let Some(level) = arrival.values.level() {
            track.level.record(level, arrival.timestamp);
            self.watch_speakers(now, room);
        }
        let Some(encoding) = self.tracks.get_mut(t).and_then(|t| t.encoding(spatial)) else {
            return;
        };
        let Some(source) = &encoding.source else {
            return;
        };
        let (codec, clock) = (source.codec.clone(), encoding.clock);
        let Some(reading) = encoding.read(codec.name, arrival.payload, arrival.descriptor) else {
            encoding.keep_early(MediaPacket {
                descriptor: arrival.descriptor.map(Arc::from),
                ..arrival.to_packet(&mut self.buffers)
            });
            if encoding.key_frames.is_quiet() {
                encoding.key_frames.request(now, false);
                self.schedule_key_frames(t);
            }
            return;
        };
        let starts_key_frame = reading.marks.starts_key_frame;
        if starts_key_frame || is_changed {
            encoding.unused_until = None;
        }
        if is_video && starts_key_frame {
            encoding.key_frames.satisfied();
            if let Some(publisher) = self.participants.get_mut(index) {
                let ingress = &mut publisher.ingress;
                ingress.key_frame(arrival.place, spatial, arrival.sequence);
            }
        }
        let Some(encoding) = self.tracks.get_mut(t).and_then(|t| t.encoding(spatial)) else {
            return;
        };
        let is_unused = encoding.unused_until.is_some_and(|until| now < until);
        if is_unused && !encoding.opening.is_wanted() {
            return;
        }
        let mut packet = arrival.to_packet(&mut self.buffers);
        reading.write_to(&mut packet);
        if is_video {
            encoding.opening.record(now, &packet);
        }
        if is_unused {
            return;
        }
        if is_changed {
            self.refit(now, t);
        }
        let passing = Passing {
            now,
            ntp: self.ntp(now),
            packet: &packet,
            spatial,
            flowing,
            codec: &codec,
            clock,
        };
        let (needs_key_frame, is_used) = self.distribute(t, &passing);
        if !is_video {
            self.buffers.release(packet.payload);
            return;
        }
        let Some(track) = self.tracks.get_mut(t) else {
            return;
        };
        let has_layers = track.encodings.len() > 1;
        let Some(encoding) = track.encoding(spatial) else {
            return;
        };
        encoding.unused_until = (has_layers && !is_used).then_some(now + UNUSED);
        if is_used {
            let part = encoding.progress.part(&packet);
            self.unfinished.record(now, t, spatial, part);
        }
        if starts_key_frame {
            for mut early in encoding.take_early(&packet) {
                let known = self.tracks.get_mut(t).and_then(|t| t.encoding(spatial));
                let descriptor = early.descriptor.as_deref();
                let reading = known.and_then(|e| e.read(codec.name, &early.payload, descriptor));
                let Some(reading) = reading else {
                    continue;
                };
                reading.write_to(&mut early);
                let passing = Passing {
                    packet: &early,
                    ..passing
                };
                self.distribute(t, &passing);
            }
        } else if needs_key_frame {
            packet.descriptor = arrival.descriptor.map(Arc::from);
            encoding.keep_early(packet);
            if encoding.key_frames.is_quiet() {
                encoding.key_frames.request(now, false);
                self.schedule_key_frames(t);
            }
            return;
        }
        self.buffers.release(packet.payload);
    }

    /// Note what the publisher sends with. False: nothing that could be passed on.
    fn follow_source(
        &mut self,
        index: ParticipantIndex,
        t: TrackIndex,
        packet: &Arrival<'_>,
    ) -> bool {
        let spatial = packet.layer;
        let Some(track) = self.tracks.get_mut(t) else {
            return false;
        };
        let is_video = track.is_video();
        let at = track.encoding_at(spatial);
        let encoding = &mut track.encodings[at];
        let is_same_source = encoding
            .source
            .as_ref()
            .is_some_and(|s| s.ssrc == packet.ssrc && s.codec.pt == packet.pt);
        if is_same_source {
            return true;
        }
        let Some(publisher) = self.participants.get(index) else {
            return false;
        };
        let codec = publisher.known_codecs.iter().find(|c| c.pt == packet.pt);
        let Some(codec) = codec.filter(|c| c.name.is_video() == is_video) else {
            return false;
        };
        let codec = Arc::new(codec.clone());
        let (name, ssrc) = (codec.name, packet.ssrc);
        let before = encoding.source.replace(Source { ssrc, codec });
        if before.as_ref().is_some_and(|s| s.ssrc != packet.ssrc) {
            encoding.clock = None;
        }
        if before.is_some() && is_video {
            // What comes now does not continue the pictures before.
            for subscriber in track.subscribers.clone() {
                if let Some(subscription) = self.subscription(subscriber)
                    && subscription.selector.current() == Some(spatial)
                {
                    subscription.interrupt();
                }
            }
        }
        let Some(track) = self.tracks.get_mut(t) else {
            return false;
        };
        if !std::mem::replace(&mut track.is_announced, true) {
            self.events.push(Event::TrackActive {
                participant: track.publisher_id.clone(),
                track: track.id.clone(),
                mime: name.mime(),
                mid: track.mid.clone().unwrap_or_default(),
            });
        }
        true
    }

    /// What has come since the newest key frame, to somebody who has just connected. False: nothing
    /// was kept, or nothing could be sent.
    pub(super) fn catch_up(&mut self, now: Instant, t: TrackIndex, subscriber: Subscriber) -> bool {
        let Some(track) = self.tracks.get(t).filter(|track| !track.muted) else {
            return false;
        };
        let flowing = track.flowing;
        let target = self
            .subscription(subscriber)
            .and_then(|subscription| subscription.selector.target(flowing));
        let Some(encoding) = target.and_then(|layer| self.tracks.get_mut(t)?.encoding(layer))
        else {
            return false;
        };
        encoding.unused_until = None;
        let (packets, clock, spatial) = (
            encoding.opening.packets(now),
            encoding.clock,
            encoding.spatial,
        );
        let Some(codec) = encoding.source.as_ref().map(|source| source.codec.clone()) else {
            return false;
        };
        let ntp = self.ntp(now);
        let receiver = subscriber.participant;
        let mut has_sent = false;
        self.guard(receiver, |shard| {
            let Some(participant) = shard.participants.get_mut(receiver) else {
                return Ok(());
            };
            for packet in &packets {
                let passing = Passing {
                    now,
                    ntp,
                    packet,
                    spatial,
                    flowing,
                    codec: &codec,
                    clock,
                };
                let outcome = pass(&passing, participant, subscriber.slot, &mut shard.buffers);
                let is_sent = matches!(outcome, Passed::Sent | Passed::SentAndNeedsKeyFrame);
                if !is_sent && !matches!(outcome, Passed::Idle | Passed::Ignored) {
                    break;
                }
                has_sent |= is_sent;
            }
            Ok(())
        });
        if has_sent {
            self.mark_output(receiver);
        }
        has_sent
    }

    /// The memory of the receiver at the place `far` is fetched, and of those nearer by what that of
    /// the ones before has pointed to.
    fn fetch_ahead(&self, t: TrackIndex, far: usize) {
        let Some(track) = self.tracks.get(t) else {
            return;
        };
        let receiver = |ahead: usize| {
            let subscriber = track.subscribers.get(far.checked_sub(FAR - ahead)?)?;
            Some((
                self.participants.get(subscriber.participant)?,
                subscriber.slot,
            ))
        };
        if let Some((participant, _)) = receiver(FAR) {
            participant.fetch();
        }
        if let Some((participant, slot)) = receiver(MIDDLE) {
            participant.fetch_stream(slot);
        }
        if let Some((participant, slot)) = receiver(NEAR) {
            participant.fetch_buffers(slot);
        }
    }

    /// To all subscribers. Whether one of them waits for a key frame, and whether any takes packets
    /// of this layer.
    fn distribute(&mut self, t: TrackIndex, passing: &Passing<'_>) -> (bool, bool) {
        let mut needs_key_frame = false;
        let mut is_used = false;
        let mut at = 0;
        // By index: a subscriber that fails is taken out of the list.
        for first in 0..FAR {
            self.fetch_ahead(t, first);
        }
        while let Some(&subscriber) = self.tracks.get(t).and_then(|t| t.subscribers.get(at)) {
            self.fetch_ahead(t, at + FAR);
            let mut outcome = Passed::Ignored;
            let receiver = subscriber.participant;
            self.guard(receiver, |shard| {
                if let Some(participant) = shard.participants.get_mut(receiver) {
                    outcome = pass(passing, participant, subscriber.slot, &mut shard.buffers);
                }
                Ok(())
            });
            is_used |= !matches!(outcome, Passed::Ignored);
            match outcome {
                Passed::Sent => self.mark_output(receiver),
                Passed::Idle | Passed::Ignored => {}
                Passed::NeedsKeyFrame => needs_key_frame = true,
                Passed::SentAndNeedsKeyFrame => {
                    needs_key_frame = true;
                    self.mark_output(receiver);
                }
                Passed::CodecUnsupported => {
                    self.fail_subscription(receiver, t, SubscriptionError::CodecUnsupported);
                    continue;
                }
            }
            let is_still_there =
                self.tracks.get(t).and_then(|t| t.subscribers.get(at)) == Some(&subscriber);
            at += usize::from(is_still_there);
        }
        (needs_key_frame, is_used)
    }

    fn watch_speakers(&mut self, now: Instant, room: usize) {
        if let Some(r) = self.rooms.get_mut(room)
            && r.speakers_due.is_none()
        {
            r.speakers_due = Some(now + speakers::WINDOW);
            self.schedule_room(room);
        }
    }
}

fn pass(
    passing: &Passing<'_>,
    participant: &mut Participant,
    slot: Slot,
    buffers: &mut Buffers,
) -> Passed {
    let Passing {
        now,
        ntp,
        packet,
        spatial,
        flowing,
        codec,
        clock,
    } = *passing;
    if !participant.is_reachable() {
        return Passed::Ignored;
    }
    let Some(Some(subscription)) = participant.subscriptions.get_mut(slot) else {
        return Passed::Ignored;
    };
    if !subscription.flows() {
        return Passed::Ignored;
    }
    let taken = subscription.selector.take(spatial, flowing, &packet.marks);
    match taken {
        Take::Pass | Take::LeaveOut => {}
        Take::Ignore => return Passed::Ignored,
        Take::Wait => return Passed::NeedsKeyFrame,
    }
    let choice = packet.dependency.as_ref().map(|dependency| {
        let limit = subscription.selector.within();
        subscription
            .chooser
            .choose(limit, dependency, packet.timestamp)
    });
    let is_left_out = match &choice {
        Some(choice) => !choice.is_sent,
        None => taken == Take::LeaveOut,
    };
    let needs_key_frame = choice.is_some_and(|choice| choice.needs_key_frame);
    let format = match subscription.format {
        Some((pt, format)) if pt == codec.pt => format,
        _ => {
            let section = subscription
                .section
                .and_then(|place| participant.sections.get(place));
            let Some(section) = section else {
                return Passed::Idle;
            };
            let Some(receivable) = match_codec(codec, &section.codecs) else {
                return Passed::CodecUnsupported;
            };
            let format = Format {
                codec: codec.name,
                pt: receivable.pt,
                rtx: receivable.rtx,
            };
            subscription.format = Some((codec.pt, format));
            format
        }
    };
    let (Some(transport), Some(egress)) = (&mut participant.transport, &mut subscription.egress)
    else {
        return Passed::Idle;
    };
    let Some(srtp) = transport.sender() else {
        return Passed::Idle;
    };
    let mut line = Line { now, srtp, buffers };
    let datagram = if is_left_out {
        egress.leave_out(&mut line, packet, format)
    } else {
        egress.write(&mut line, packet, format, clock, choice.as_ref())
    };
    let fillers = match egress.has_holes() {
        true => egress.take_fillers(&mut line, format),
        false => Vec::new(),
    };
    if datagram.is_none() && fillers.is_empty() {
        return match needs_key_frame {
            true => Passed::NeedsKeyFrame,
            false => Passed::Idle,
        };
    }
    let report = egress.report(now, ntp, srtp, clock, format.codec);
    for packet in fillers.into_iter().chain(datagram).chain(report) {
        transport.send(packet);
    }
    match needs_key_frame {
        true => Passed::SentAndNeedsKeyFrame,
        false => Passed::Sent,
    }
}
