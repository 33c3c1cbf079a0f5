//! Datagrams in: told apart, given to their participant, and what comes of them.

use std::time::{Duration, Instant};

use str0m::Event as StackEvent;
use str0m::ice::StunMessage;

use super::Shard;
use crate::TransportState;
use crate::participant::Role;
use crate::rtp::egress::{Line, SourceClock};
use crate::rtp::known::NTP_TO_UNIX_SECONDS;
use crate::rtp::rtcp::{self, Feedback};
use crate::track::{ParticipantIndex, Subscriber};
use crate::transport::ice::{Checked, Path};

impl Shard {
    pub(super) fn take_in(&mut self, now: Instant, path: Path, datagram: &[u8]) {
        self.stats.packets_in += 1;
        self.stats.bytes_in += datagram.len() as u64;
        // RFC 7983, and RFC 5761 for RTCP.
        match datagram {
            [0..=3, ..] => self.receive_stun(now, path, datagram),
            [20..=63, ..] => self.receive_from(path, |s, i| s.feed(now, i, datagram)),
            [128..=191, 192..=223, ..] => {
                self.receive_from(path, |s, i| s.receive_rtcp(now, i, datagram))
            }
            [128..=191, ..] => self.receive_from(path, |s, i| s.receive_rtp(now, i, datagram)),
            _ => self.drop_datagram("unknown_protocol"),
        }
    }

    fn receive_from(
        &mut self,
        path: Path,
        work: impl FnOnce(&mut Shard, ParticipantIndex) -> Result<(), String>,
    ) {
        let Some(&index) = self.paths.get(&path) else {
            return self.drop_datagram("unknown_source");
        };
        self.guard(index, |shard| {
            shard.fault(index);
            work(shard, index)
        });
    }

    /// The test hook of `InjectFault`.
    fn fault(&mut self, index: ParticipantIndex) {
        let participant = self.participants.get_mut(index);
        assert!(
            !participant.is_some_and(|p| std::mem::take(&mut p.fault)),
            "injected fault"
        );
    }

    fn receive_rtp(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        datagram: &[u8],
    ) -> Result<(), String> {
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        let receiver = participant.transport.as_mut().and_then(|t| t.receiver());
        let Some(receiver) = receiver else {
            self.drop_datagram("srtp_early");
            return Ok(());
        };
        let mut plain = std::mem::take(&mut self.plain);
        let ingress = &mut participant.ingress;
        let received = ingress.receive(now, receiver, datagram, &mut plain);
        self.stats.rtx_in += std::mem::take(&mut ingress.counts.repairs);
        if let Some(due) = ingress.due()
            && participant.scheduled.is_none_or(|at| due < at)
        {
            self.mark_dirty(index);
        }
        match received {
            Ok(Some(arrival)) => self.forward(now, index, &arrival),
            Ok(None) => {}
            Err(reason) => self.drop_datagram(reason),
        }
        self.plain = plain;
        Ok(())
    }

    fn receive_stun(&mut self, now: Instant, path: Path, datagram: &[u8]) {
        let Ok(message) = StunMessage::parse(datagram) else {
            return self.drop_datagram("malformed_stun");
        };
        let Some((fragment, _)) = message.split_username() else {
            return self.drop_datagram("malformed_stun");
        };
        let Some(&index) = self.fragments.get(fragment) else {
            return self.drop_datagram("stun_unknown_fragment");
        };
        self.guard(index, |shard| {
            shard.fault(index);
            shard.hold_early(index, path, datagram);
            shard.check_stun(now, index, path, &message)
        });
    }

    /// A client's checks may overtake its answer, and are not repeated soon.
    fn hold_early(&mut self, index: ParticipantIndex, path: Path, datagram: &[u8]) {
        if let Some(end) = self.participants.get_mut(index)
            && let Some(serving) = &mut end.serving
            && end.transport.is_none()
        {
            serving.hold(path, datagram);
        }
    }

    /// What came before the answer that made the transport.
    pub(super) fn take_early(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
    ) -> Result<(), String> {
        let end = self.participants.get_mut(index);
        let Some(serving) = end.and_then(|end| end.serving.as_mut()) else {
            return Ok(());
        };
        for (path, datagram) in std::mem::take(&mut serving.early) {
            if let Ok(message) = StunMessage::parse(&datagram) {
                self.check_stun(now, index, path, &message)?;
            }
        }
        Ok(())
    }

    fn check_stun(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        path: Path,
        message: &StunMessage<'_>,
    ) -> Result<(), String> {
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        let Some(transport) = &mut participant.transport else {
            return Ok(());
        };
        match transport.ice.check(now, path, message) {
            Checked::Rejected(reason) => self.drop_datagram(reason),
            Checked::Answer {
                reply,
                evicted,
                is_new_path,
            } => {
                transport.heard(now, path, reply)?;
                if let Some(evicted) = evicted {
                    self.paths.remove(&evicted);
                }
                if is_new_path {
                    self.paths.insert(path, index);
                }
                self.mark_output(index);
                self.drain(now, index)?;
                self.mark_dirty(index);
                self.recover(index);
            }
        }
        Ok(())
    }

    /// Heard again after a silence.
    fn recover(&mut self, index: ParticipantIndex) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let was_silent = matches!(
            participant.state,
            Some(TransportState::Disconnected | TransportState::Failed)
        );
        if was_silent
            && participant
                .transport
                .as_ref()
                .is_some_and(|t| t.is_connected())
        {
            self.set_state(index, TransportState::Connected);
        }
    }

    pub(super) fn set_state(&mut self, index: ParticipantIndex, state: TransportState) {
        let now = self.now;
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        if participant.state == Some(state) {
            return;
        }
        let could_see = participant.is_reachable();
        participant.state = Some(state);
        self.tell_state(index);
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        if state != TransportState::Connected || could_see {
            return;
        }
        // Pictures begin with a key frame; what was bound before can be seen from now on.
        let mut tracks = Vec::new();
        for (slot, subscription) in participant.subscriptions.iter_mut().enumerate() {
            if let Some(subscription) = subscription.as_mut().filter(|s| s.egress.is_some()) {
                subscription.interrupt();
                tracks.push((subscription.track, slot));
            }
        }
        for (t, slot) in tracks {
            let subscriber = Subscriber {
                participant: index,
                slot,
            };
            if !self.catch_up(now, t, subscriber)
                && let Some(selector) = self.subscription(subscriber).map(|s| s.selector)
            {
                self.want_key_frame(now, t, &selector, true);
            }
        }
    }

    /// Give a datagram to the stack and pass on what comes of it.
    fn feed(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        datagram: &[u8],
    ) -> Result<(), String> {
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        let Some(transport) = &mut participant.transport else {
            return Ok(());
        };
        transport.feed(now, datagram)?;
        self.mark_dirty(index);
        self.drain(now, index)
    }

    /// Take everything the stack has to say. Needed after each input.
    pub(super) fn drain(&mut self, now: Instant, index: ParticipantIndex) -> Result<(), String> {
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        let Some(transport) = &mut participant.transport else {
            return Ok(());
        };
        let events = &mut self.stack_events;
        transport.drain(|event| events.push(event))?;
        if !transport.out.is_empty() {
            self.mark_output(index);
        }
        if !self.stack_events.is_empty() {
            let mut events = std::mem::take(&mut self.stack_events);
            for event in events.drain(..) {
                self.stack_event(now, index, event)?;
            }
            self.stack_events = events;
        }
        Ok(())
    }

    fn stack_event(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        event: StackEvent,
    ) -> Result<(), String> {
        match event {
            StackEvent::Connected => self.set_state(index, TransportState::Connected),
            StackEvent::Closed => {
                self.set_state(index, TransportState::Closed);
            }
            StackEvent::ChannelOpen(id, label) => {
                let Some(participant) = self.participants.get_mut(index) else {
                    return Ok(());
                };
                let Some(transport) = &mut participant.transport else {
                    return Ok(());
                };
                if !participant.channels.open(transport.stack(), id, &label) {
                    return Err("too many data channels".to_owned());
                }
                self.mark_dirty(index);
            }
            StackEvent::ChannelData(data) => self.receive_data(now, index, data.id, data.data),
            StackEvent::ChannelClose(id) => {
                if let Some(participant) = self.participants.get_mut(index) {
                    participant.channels.close(id);
                }
            }
            StackEvent::ChannelBufferedAmountLow(_) => self.mark_dirty(index),
            _ => {}
        }
        Ok(())
    }

    /// A publisher's sender report: where its media clock stands.
    fn source_report(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        ssrc: u32,
        ntp: u64,
        timestamp: u32,
    ) {
        let offset = self.wall_seconds(now) - unix_seconds(ntp);
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let Some((place, spatial)) = participant.ingress.sender_report(now, ssrc, ntp) else {
            return;
        };
        participant.clock_offset.record(offset);
        let smallest = participant.clock_offset.get().unwrap_or(offset);
        // The report left the publisher this much before it came, beyond the usual delay.
        let late = Duration::from_secs_f64((offset - smallest).clamp(0.0, 10.0));
        let Some(at) = now.checked_sub(late) else {
            return;
        };
        if let Some(section) = participant.sections.get(place)
            && let Role::Publishing(Some(t)) = section.role
            && let Some(encoding) = self.tracks.get_mut(t).and_then(|t| t.encoding(spatial))
        {
            encoding.clock = Some(SourceClock { timestamp, at });
        }
    }

    /// RTCP of a client: feedback on what we send, and reports of what it sends.
    fn receive_rtcp(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        datagram: &[u8],
    ) -> Result<(), String> {
        let Some(participant) = self.participants.get_mut(index) else {
            return Ok(());
        };
        let Some(transport) = &mut participant.transport else {
            return Ok(());
        };
        let compound = transport.receiver().and_then(|r| r.open_rtcp(datagram));
        let Some(compound) = compound else {
            self.drop_datagram("srtcp_rejected");
            return Ok(());
        };
        let mut resends = Vec::new();
        let mut key_frames = Vec::new();
        let mut reports = Vec::new();
        let (outgoing, subscriptions, stats, buffers) = (
            &participant.outgoing,
            &mut participant.subscriptions,
            &mut self.stats,
            &mut self.buffers,
        );
        let Some(srtp) = transport.sender() else {
            return Ok(());
        };
        let mut line = Line { now, srtp, buffers };
        let ingress = &mut participant.ingress;
        rtcp::parse(&compound, |feedback| {
            let ssrc = match feedback {
                Feedback::Nack { ssrc, .. }
                | Feedback::KeyFrame { ssrc }
                | Feedback::Report { ssrc, .. } => ssrc,
                Feedback::SenderReport { ssrc, ntp, rtp } => {
                    reports.push((ssrc, ntp, rtp));
                    return;
                }
                Feedback::Goodbye { ssrc } => return ingress.goodbye(ssrc),
            };
            let Some(Some(subscription)) = outgoing
                .get(&ssrc)
                .and_then(|slot| subscriptions.get_mut(*slot))
            else {
                return;
            };
            let Some(egress) = &mut subscription.egress else {
                return;
            };
            match feedback {
                Feedback::Nack {
                    first, following, ..
                } => {
                    stats.nacks_in += 1;
                    if egress.ssrc == ssrc && !subscription.is_paused && !subscription.is_starved {
                        egress.resend(&mut line, first, following, &mut resends);
                    }
                }
                Feedback::KeyFrame { .. } => {
                    stats.plis_in += 1;
                    let is_first = !std::mem::replace(&mut subscription.had_first_request, true);
                    if subscription.flows() {
                        key_frames.push((subscription.track, subscription.selector, is_first));
                    }
                }
                Feedback::Report {
                    fraction_lost,
                    total_lost,
                    ..
                } if egress.ssrc == ssrc => {
                    egress.acknowledge();
                    subscription.loss.0 += f32::from(fraction_lost) / 256.0;
                    subscription.loss.1 += 1;
                    // The count is signed in 24 bits; duplicates can make it negative.
                    let total = if total_lost < 1 << 23 { total_lost } else { 0 };
                    stats.packets_lost_out +=
                        u64::from(total.saturating_sub(subscription.lost_total));
                    subscription.lost_total = subscription.lost_total.max(total);
                }
                _ => {}
            }
        });
        self.stats.rtx_out += resends.len() as u64;
        if !resends.is_empty() {
            for datagram in resends {
                transport.send(datagram);
            }
            self.mark_output(index);
        }
        for (t, selector, is_first) in key_frames {
            if self.tracks.get(t).is_some_and(|track| !track.muted) {
                self.want_key_frame(now, t, &selector, is_first);
            }
        }
        for (ssrc, ntp, rtp) in reports {
            self.source_report(now, index, ssrc, ntp, rtp);
        }
        Ok(())
    }
}

/// Since the Unix epoch, of a 64-bit NTP timestamp (RFC 5905).
fn unix_seconds(ntp: u64) -> f64 {
    let fraction = (ntp & u64::from(u32::MAX)) as f64 / 2f64.powi(32);
    (ntp >> 32) as f64 - NTP_TO_UNIX_SECONDS as f64 + fraction
}
