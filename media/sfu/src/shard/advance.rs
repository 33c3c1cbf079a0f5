//! Time: due timers, the stacks' ticks, what rooms are told periodically, and output collected.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::{Shard, Timer};
use crate::quality::{self, Score};
use crate::runs;
use crate::speakers;
use crate::track::{ParticipantIndex, TrackIndex};
use crate::transport::ice::{DISCONNECTED_AFTER, FAILED_AFTER};
use crate::{Event, Transmit, TransportState};

/// Rounds of one call: driving one participant may touch others.
const ROUNDS: usize = 4;
/// Receivers count loss over other spans than we do: what was lost before us explains a little more
/// than its share of what they report.
const UNEVEN: f32 = 1.5;
/// The stack is not driven again sooner by its own timer.
const MIN_TICK: Duration = Duration::from_millis(1);

impl Shard {
    pub(super) fn drive(&mut self, now: Instant) {
        self.run_timers(now);
        for _ in 0..ROUNDS {
            self.ask_for_sections(now);
            if self.dirty.is_empty() {
                break;
            }
            let mut dirty = std::mem::take(&mut self.dirty);
            for index in dirty.drain(..) {
                if let Some(participant) = self.participants.get_mut(index) {
                    participant.is_dirty = false;
                    self.guard(index, |shard| shard.service(now, index));
                    self.schedule(now, index);
                }
            }
            if self.dirty.is_empty() {
                self.dirty = dirty;
            }
        }
        // Whoever is left is served in the next call, which is due at once.
        for at in 0..self.dirty.len() {
            let index = self.dirty[at];
            self.timers.push(Reverse((now, Timer::Participant(index))));
        }
        self.unfinished.expire(now);
    }

    fn run_timers(&mut self, now: Instant) {
        while let Some(Reverse((at, timer))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            match timer {
                Timer::Participant(index) => {
                    if let Some(participant) = self.participants.get_mut(index)
                        && participant.scheduled == Some(at)
                    {
                        participant.scheduled = None;
                        self.mark_dirty(index);
                        self.check_due_sections(now, index);
                    }
                }
                Timer::Room(room) => self.serve_room(now, room),
            }
        }
    }

    fn check_due_sections(&mut self, now: Instant, index: ParticipantIndex) {
        if self.sections_due(index).is_some_and(|due| due <= now) {
            self.check_sections(index);
        }
    }

    /// Drive one participant: its requests to its client, its data, its stack.
    fn service(&mut self, now: Instant, index: ParticipantIndex) -> Result<(), String> {
        self.check_due_sections(now, index);
        self.send_key_frame_requests(now, index);
        self.send_control(now, index);
        self.fit_bandwidth(now, index);
        self.check_liveness(now, index);
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        if participant.last_reliable != participant.told_reliable {
            participant.told_reliable = participant.last_reliable;
            let (participant, sequence) = (participant.id.clone(), participant.last_reliable);
            self.events.push(Event::ReliableSequence {
                participant,
                sequence,
            });
        }
        self.flush_data(index);
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        let Some(transport) = &mut participant.transport else {
            return Ok(());
        };
        // After ordinary input it has nothing to do before its own time comes.
        if transport.is_due(now) {
            transport.tick(now)?;
            self.drain(now, index)?;
        }
        // Acknowledgements may have made room.
        if self.flush_data(index) > 0 {
            let Some(transport) = self
                .participants
                .get_mut(index)
                .and_then(|p| p.transport.as_mut())
            else {
                return Ok(());
            };
            transport.tick(now)?;
            self.drain(now, index)?;
        }
        Ok(())
    }

    /// Tell the client what is due of what it sends as media.
    fn send_control(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let (ingress, transport) = (&mut participant.ingress, &mut participant.transport);
        let mut compounds = Vec::new();
        ingress.control(now, |compound| compounds.push(compound.to_vec()));
        self.stats.nacks_out += std::mem::take(&mut ingress.counts.nacks);
        if compounds.is_empty() {
            return;
        }
        let Some(transport) = transport else {
            return;
        };
        for compound in compounds {
            if let Some(datagram) = transport.sender().and_then(|s| s.protect_rtcp(&compound)) {
                transport.send(datagram);
            }
        }
        self.mark_output(index);
    }

    fn flush_data(&mut self, index: ParticipantIndex) -> u64 {
        let Some(participant) = self.participants.get_mut(index) else {
            return 0;
        };
        if !participant.channels.is_waiting() {
            return 0;
        }
        let Some(transport) = &mut participant.transport else {
            return 0;
        };
        let sent = participant.channels.flush(transport.stack());
        self.stats.data_out += sent;
        sent
    }

    fn check_liveness(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(participant) = self.participants.get(index) else {
            return;
        };
        if matches!(
            participant.state,
            Some(TransportState::Closed | TransportState::Failed)
        ) {
            return;
        }
        let Some(silent_since) = silent_since(participant) else {
            return;
        };
        let silence = now.saturating_duration_since(silent_since);
        if silence >= DISCONNECTED_AFTER + FAILED_AFTER {
            // Told one after the other even when the driver slept through both.
            self.set_state(index, TransportState::Disconnected);
            self.set_state(index, TransportState::Failed);
        } else if silence >= DISCONNECTED_AFTER {
            self.set_state(index, TransportState::Disconnected);
        }
    }

    fn send_key_frame_requests(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        if participant.key_frames_due.is_none_or(|due| due > now) {
            return;
        }
        let mut next = None;
        for &t in &participant.tracks {
            let Some(track) = self.tracks.get_mut(t) else {
                continue;
            };
            let is_wanted = !track.muted && !track.subscribers.is_empty();
            for encoding in &mut track.encodings {
                if encoding.key_frames.due().is_none_or(|due| due > now) {
                    continue;
                }
                let source = encoding.source.as_ref().filter(|_| is_wanted);
                let asked =
                    source.is_some_and(|s| participant.ingress.request_key_frame(now, s.ssrc));
                if asked {
                    self.stats.plis_out += 1;
                    encoding.key_frames.sent(now);
                } else {
                    // Nobody to ask or to look: the next packet or subscriber asks again.
                    encoding.key_frames.satisfied();
                }
            }
            next = [next, track.key_frames_due()].into_iter().flatten().min();
        }
        participant.key_frames_due = next;
    }

    /// A track's request of key frames changed.
    pub(super) fn schedule_key_frames(&mut self, t: TrackIndex) {
        let Some(track) = self.tracks.get(t) else {
            return;
        };
        let (due, publisher) = (track.key_frames_due(), track.publisher);
        let Some(participant) = self.participants.get_mut(publisher) else {
            return;
        };
        if let Some(due) = due {
            participant.key_frames_due =
                Some(participant.key_frames_due.map_or(due, |d| d.min(due)));
            self.mark_dirty(publisher);
        }
    }

    fn schedule(&mut self, now: Instant, index: ParticipantIndex) {
        let sections_due = self.sections_due(index);
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let is_over = matches!(participant.state, Some(TransportState::Closed));
        let stack = participant
            .transport
            .as_ref()
            .filter(|_| !is_over)
            .map(|t| t.deadline().max(now + MIN_TICK));
        let liveness = match participant.state {
            Some(TransportState::Closed | TransportState::Failed) => None,
            Some(TransportState::Disconnected) => {
                silent_since(participant).map(|at| at + DISCONNECTED_AFTER + FAILED_AFTER)
            }
            _ => silent_since(participant).map(|at| at + DISCONNECTED_AFTER),
        };
        let due = [
            stack,
            liveness,
            participant.ingress.due(),
            sections_due,
            participant.key_frames_due,
            participant.bandwidth_due,
        ];
        let Some(due) = due.into_iter().flatten().min() else {
            return;
        };
        // An entry that comes too early is cheap; one that is missing would be a hang.
        if participant
            .scheduled
            .is_none_or(|scheduled| due < scheduled || scheduled <= now)
        {
            participant.scheduled = Some(due);
            self.timers.push(Reverse((due, Timer::Participant(index))));
        }
    }

    pub(super) fn schedule_room(&mut self, room: usize) {
        if let Some(due) = self.rooms.get(room).and_then(|r| r.due()) {
            self.timers.push(Reverse((due, Timer::Room(room))));
        }
    }

    fn serve_room(&mut self, now: Instant, room: usize) {
        let Some(r) = self.rooms.get_mut(room) else {
            return;
        };
        let is_speakers_due = r.speakers_due.is_some_and(|due| due <= now);
        let is_quality_due = r.quality_due.is_some_and(|due| due <= now);
        if is_speakers_due {
            r.speakers_due = None;
            self.weigh_speakers(now, room);
        }
        if is_quality_due {
            if let Some(r) = self.rooms.get_mut(room) {
                r.quality_due = Some(now + quality::INTERVAL);
                r.replay.expire(now);
            }
            self.tell_quality(room);
        }
        if is_speakers_due || is_quality_due {
            self.schedule_room(room);
        }
    }

    /// End of a speakers' window.
    fn weigh_speakers(&mut self, now: Instant, room: usize) {
        let Some(r) = self.rooms.get_mut(room) else {
            return;
        };
        let mut is_busy = false;
        for &t in &r.tracks {
            if let Some(track) = self.tracks.get_mut(t) {
                track.level.close_window();
                is_busy |= track.level.is_busy();
            }
        }
        if is_busy {
            r.speakers_due = Some(now + speakers::WINDOW);
        }
        self.tell_speakers(room);
    }

    /// Tell what changed since the last time: also right after somebody stopped.
    pub(super) fn tell_speakers(&mut self, room: usize) {
        let Some(r) = self.rooms.get_mut(room) else {
            return;
        };
        let mut levels: Vec<(crate::ParticipantId, f32)> = Vec::new();
        for &t in &r.tracks {
            let Some(track) = self.tracks.get(t).filter(|t| t.level.value() > 0.0) else {
                continue;
            };
            match levels.iter_mut().find(|(id, _)| *id == track.publisher_id) {
                Some((_, level)) => *level = level.max(track.level.value()),
                None => levels.push((track.publisher_id.clone(), track.level.value())),
            }
        }
        let changes = r.speakers.update(levels);
        if !changes.is_empty() {
            self.events.push(Event::Speakers {
                room: r.id.clone(),
                speakers: changes,
            });
        }
    }

    fn tell_quality(&mut self, room: usize) {
        let Some(r) = self.rooms.get(room) else {
            return;
        };
        // On the way to us, by track: receivers report it as well, and it is not theirs.
        let mut upstream: FxHashMap<TrackIndex, f32> = FxHashMap::default();
        for &t in &r.tracks {
            let Some(track) = self.tracks.get_mut(t) else {
                continue;
            };
            let is_video = track.is_video();
            for encoding in &mut track.encodings {
                let (expected, missing, late) = encoding.reception.take();
                self.stats.packets_lost_in += missing;
                if expected > 0 {
                    // Late video was mostly lost and sent again.
                    let lost = missing + if is_video { late } else { 0 };
                    let worst = upstream.entry(t).or_default();
                    *worst = worst.max(lost as f32 / expected as f32);
                }
            }
        }
        let mut changes = Vec::new();
        for &index in &r.members {
            let Some(participant) = self.participants.get_mut(index) else {
                continue;
            };
            let Some(state) = participant.told else {
                continue;
            };
            let mut score = Score::default();
            if state != TransportState::Connected {
                score.unreachable();
            }
            for &t in &participant.tracks {
                if let (Some(lost), Some(track)) = (upstream.get(&t), self.tracks.get(t)) {
                    score.loss(*lost, track.is_video());
                }
            }
            let receiving = participant.peer.unwrap_or(index);
            let Some(participant) = self.participants.get_mut(receiving) else {
                continue;
            };
            for subscription in participant.subscriptions.iter_mut().flatten() {
                let is_video = subscription.kind == crate::Kind::Video;
                let (sum, reports) = std::mem::take(&mut subscription.loss);
                let before = upstream.get(&subscription.track).copied().unwrap_or(0.0);
                if reports > 0 {
                    score.loss((sum / reports as f32 - before * UNEVEN).max(0.0), is_video);
                }
                if let Some(lost) = subscription.egress.as_mut().and_then(|e| e.take_losses()) {
                    score.loss(lost, is_video);
                }
            }
            let quality = score.quality();
            let Some(participant) = self.participants.get_mut(index) else {
                continue;
            };
            if participant.told_quality != Some(quality) {
                participant.told_quality = Some(quality);
                changes.push((participant.id.clone(), quality, score.value()));
            }
        }
        if !changes.is_empty() {
            self.events.push(Event::Quality {
                room: r.id.clone(),
                qualities: changes,
            });
        }
    }

    /// Datagrams of one participant next to each other, in order.
    pub(super) fn collect_output(&mut self) {
        let mut with_output = std::mem::take(&mut self.with_output);
        for index in with_output.drain(..) {
            let Some(participant) = self.participants.get_mut(index) else {
                continue;
            };
            participant.has_output = false;
            if let Some(transport) = &mut participant.transport {
                let start = self.transmits.len();
                self.transmits.append(&mut transport.out);
                runs::gather(&mut self.transmits[start..], &mut self.order);
                let dropped = std::mem::take(&mut transport.dropped_out);
                if dropped > 0 {
                    *self
                        .stats
                        .datagrams_dropped
                        .entry("output_queue_full")
                        .or_insert(0) += dropped;
                }
                let sent = &self.transmits[start..];
                self.stats.packets_out += sent.len() as u64;
                self.stats.bytes_out += sent.iter().map(|t| t.payload.len() as u64).sum::<u64>();
            }
        }
        self.with_output = with_output;
    }

    pub(super) fn count_sent(&mut self, sent: &[Transmit]) {
        self.stats.packets_out += sent.len() as u64;
        self.stats.bytes_out += sent.iter().map(|t| t.payload.len() as u64).sum::<u64>();
    }
}

/// When the client was last heard, or was given its first answer.
fn silent_since(participant: &crate::participant::Participant) -> Option<Instant> {
    let transport = participant.transport.as_ref()?;
    transport.ice.last_heard().or(participant.first_offer_at)
}
