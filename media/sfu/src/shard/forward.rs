//! The packet path: from a publisher's packet to its subscribers' datagrams.

use std::sync::Arc;
use std::time::Instant;

use super::Shard;
use crate::buffers::Buffers;
use crate::participant::Participant;
use crate::rtp::egress::{Format, MediaPacket, SourceClock};
use crate::rtp::keyframe::starts_key_frame;
use crate::sdp::{Codec, match_codec};
use crate::speakers;
use crate::track::{ParticipantIndex, Slot, Source, Subscriber, TrackIndex};
use crate::{Event, Kind, SubscriptionError};

/// What all subscribers of a packet have in common.
struct Passing<'a> {
    now: Instant,
    ntp: u64,
    packet: &'a MediaPacket,
    codec: &'a Codec,
    clock: Option<SourceClock>,
}

/// What became of a packet at one subscriber.
enum Passed {
    Sent,
    /// Nothing flows at the moment.
    Idle,
    NeedsKeyFrame,
    CodecUnsupported,
}

impl Shard {
    pub(super) fn forward(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        t: TrackIndex,
        mut packet: MediaPacket,
    ) {
        let Some(track) = self.tracks.get_mut(t) else {
            return;
        };
        let is_same_source = track
            .source
            .as_ref()
            .is_some_and(|s| s.ssrc == packet.ssrc && s.codec.pt == packet.pt);
        if !is_same_source {
            let Some(publisher) = self.participants.get(index) else {
                return;
            };
            let codec = publisher.known_codecs.iter().find(|c| c.pt == packet.pt);
            let Some(codec) = codec.filter(|c| c.name.is_video() == track.is_video()) else {
                return;
            };
            let codec = Arc::new(codec.clone());
            let (name, ssrc) = (codec.name, packet.ssrc);
            let before = track.source.replace(Source { ssrc, codec });
            if before.as_ref().is_some_and(|s| s.ssrc != packet.ssrc) {
                track.clock = None;
            }
            if before.is_some() && track.is_video() {
                // What comes now does not continue the pictures before.
                for subscriber in track.subscribers.clone() {
                    if let Some(subscription) = self.subscription(subscriber) {
                        subscription.interrupt();
                    }
                }
            }
            let Some(track) = self.tracks.get_mut(t) else {
                return;
            };
            if !std::mem::replace(&mut track.is_announced, true) {
                self.events.push(Event::TrackActive {
                    participant: track.publisher_id.clone(),
                    track: track.id.clone(),
                    mime: name.mime(),
                    mid: track.mid.clone().unwrap_or_default(),
                });
            }
        }
        let Some(track) = self.tracks.get_mut(t) else {
            return;
        };
        track.reception.record(&packet);
        track.bitrate.record(now, packet.payload.len() + 40);
        if track.muted {
            return;
        }
        let Some(source) = &track.source else { return };
        let codec = source.codec.clone();
        packet.starts_key_frame = starts_key_frame(codec.name, &packet.payload);
        let clock = track.clock;
        if track.kind == Kind::Audio {
            if let Some(level) = packet.values.level() {
                track.level.record(level, packet.timestamp);
                let room = track.room;
                self.watch_speakers(now, room);
            }
        } else {
            track.opening.record(now, &packet);
            if packet.starts_key_frame {
                track.key_frames.satisfied();
            }
        }

        let needs_key_frame = self.distribute(now, t, &packet, &codec, clock);
        let Some(track) = self.tracks.get_mut(t).filter(|t| t.is_video()) else {
            return;
        };
        if packet.starts_key_frame {
            for early in track.take_early(&packet) {
                self.distribute(now, t, &early, &codec, clock);
            }
        } else if needs_key_frame {
            track.keep_early(packet);
            if track.key_frames.is_quiet() {
                track.key_frames.request(now, false);
                self.schedule_key_frames(t);
            }
        }
    }

    /// What has come since the newest key frame, to somebody who has just connected. False: nothing
    /// was kept, or nothing could be sent.
    pub(super) fn catch_up(&mut self, now: Instant, t: TrackIndex, subscriber: Subscriber) -> bool {
        let Some(track) = self.tracks.get(t).filter(|track| !track.muted) else {
            return false;
        };
        let (packets, clock) = (track.opening.packets(now), track.clock);
        let Some(codec) = track.source.as_ref().map(|source| source.codec.clone()) else {
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
                    codec: &codec,
                    clock,
                };
                let outcome = pass(&passing, participant, subscriber.slot, &mut shard.buffers);
                if !matches!(outcome, Passed::Sent) {
                    break;
                }
                has_sent = true;
            }
            Ok(())
        });
        if has_sent {
            self.mark_output(receiver);
        }
        has_sent
    }

    /// To all subscribers. True when one of them waits for a key frame.
    fn distribute(
        &mut self,
        now: Instant,
        t: TrackIndex,
        packet: &MediaPacket,
        codec: &Codec,
        clock: Option<SourceClock>,
    ) -> bool {
        let mut needs_key_frame = false;
        let passing = Passing {
            now,
            ntp: self.ntp(now),
            packet,
            codec,
            clock,
        };
        let mut at = 0;
        // By index: a subscriber that fails is taken out of the list.
        while let Some(&subscriber) = self.tracks.get(t).and_then(|t| t.subscribers.get(at)) {
            let mut outcome = Passed::Idle;
            let receiver = subscriber.participant;
            self.guard(receiver, |shard| {
                if let Some(participant) = shard.participants.get_mut(receiver) {
                    outcome = pass(&passing, participant, subscriber.slot, &mut shard.buffers);
                }
                Ok(())
            });
            match outcome {
                Passed::Sent => self.mark_output(receiver),
                Passed::Idle => {}
                Passed::NeedsKeyFrame => needs_key_frame = true,
                Passed::CodecUnsupported => {
                    self.fail_subscription(receiver, t, SubscriptionError::CodecUnsupported);
                    continue;
                }
            }
            let is_still_there =
                self.tracks.get(t).and_then(|t| t.subscribers.get(at)) == Some(&subscriber);
            at += usize::from(is_still_there);
        }
        needs_key_frame
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
        codec,
        clock,
    } = *passing;
    if !participant.is_reachable() {
        return Passed::Idle;
    }
    let Some(Some(subscription)) = participant.subscriptions.get_mut(slot) else {
        return Passed::Idle;
    };
    if !subscription.flows() {
        return Passed::Idle;
    }
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
    if subscription.awaits_key_frame {
        if !packet.starts_key_frame {
            return Passed::NeedsKeyFrame;
        }
        subscription.awaits_key_frame = false;
    }
    let (Some(transport), Some(egress)) = (&mut participant.transport, &mut subscription.egress)
    else {
        return Passed::Idle;
    };
    let Some(srtp) = transport.sender() else {
        return Passed::Idle;
    };
    let Some(datagram) = egress.write(now, srtp, buffers, packet, format) else {
        return Passed::Idle;
    };
    let report = egress.report(now, ntp, srtp, clock, format.codec);
    transport.send(datagram);
    if let Some(report) = report {
        transport.send(report);
    }
    Passed::Sent
}
