//! Clients of two connections (LiveKit's v0 signalling): the connection on which the client
//! receives, where we make the offers.
//!
//! It has its own entry beside the participant's: the two are linked, share id and room, and end
//! together. Sections are taken into use by an offer, sent on from its answer, and used for another
//! track only after an answered offer that called them inactive.
//!
//! What a client calls the track of a section is fixed by the first one that it carries there. So a
//! section is best used again for the same track; with another one the stream is named after the
//! track, which all clients understand, and then is no longer kept in step with its sister stream.

use std::time::Instant;

use str0m::IceCreds;
use str0m::channel::{ChannelConfig, Reliability};

use super::Shard;
use crate::participant::{Participant, Role, Section};
use crate::rtp::egress::Egress;
use crate::rtp::extension::{self, SectionExtensions};
use crate::rtp::ssrc;
use crate::sdp::{
    Answer, AnswerSection, Direction, MAX_SECTIONS, Offer, OfferSection, SectionAnswer,
    SectionKind, SessionAnswer, match_codec, offered_codecs, offered_section, parse_answer,
};
use crate::serving::Serving;
use crate::track::{ParticipantIndex, TrackIndex};
use crate::transport::dtls::crypto;
use crate::transport::{Transport, TransportConfig};
use crate::{Event, Kind, ParticipantId, SubscriptionError, TransportState};

/// Sections made before those of other tracks are used again.
const FRESH_SECTIONS: usize = 32;

impl Shard {
    /// Give a participant that was just opened its second connection.
    pub(super) fn add_subscriber_end(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(publisher) = self.participants.get_mut(index) else {
            return;
        };
        self.sessions += 1;
        publisher.is_subscriber_primary = publisher.grant.can_subscribe;
        let mut end = Participant::new(
            publisher.id.clone(),
            publisher.identity.clone(),
            publisher.room,
            publisher.grant,
            now,
            self.sessions,
        );
        end.peer = Some(index);
        end.serving = Some(Serving::new(now));
        // What is there for data must never be taken by media: it is the first section, always.
        end.sections.push(section(0, SectionKind::Data));
        let end = self.participants.insert(end);
        if let Some(publisher) = self.participants.get_mut(index) {
            publisher.peer = Some(end);
        }
        self.check_sections(end);
    }

    /// The connection with the participant's tracks, of either of its connections.
    pub(super) fn publishing_end(&self, index: ParticipantIndex) -> ParticipantIndex {
        match self.participants.get(index) {
            Some(end) if end.serving.is_some() => end.peer.unwrap_or(index),
            _ => index,
        }
    }

    /// The connection with the participant's subscriptions.
    pub(super) fn receiving_end(&self, index: ParticipantIndex) -> ParticipantIndex {
        match self.participants.get(index) {
            Some(end) if end.serving.is_none() => end.peer.unwrap_or(index),
            _ => index,
        }
    }

    /// The connection on which the client expects data.
    pub(super) fn primary_end(&self, index: ParticipantIndex) -> ParticipantIndex {
        match self.participants.get(index) {
            Some(end) if end.is_subscriber_primary => end.peer.unwrap_or(index),
            _ => index,
        }
    }

    /// Tell the state of a participant as a whole, if it is another one than before.
    pub(super) fn tell_state(&mut self, index: ParticipantIndex) {
        let index = self.publishing_end(index);
        let Some(publisher) = self.participants.get(index) else {
            return;
        };
        let state = match publisher.peer {
            None => publisher.state,
            Some(peer) => {
                let other = self.participants.get(peer).and_then(|end| end.state);
                if publisher.is_subscriber_primary {
                    overall(other, publisher.state)
                } else {
                    overall(publisher.state, other)
                }
            }
        };
        let Some(publisher) = self.participants.get_mut(index) else {
            return;
        };
        if let Some(state) = state
            && publisher.told.replace(state) != Some(state)
        {
            self.events.push(Event::Transport {
                participant: publisher.id.clone(),
                state,
            });
        }
    }

    /// Make an offer when one is needed and due; give up on a client that answers none.
    pub(super) fn consider_offer(&mut self, now: Instant, index: ParticipantIndex) {
        let needs_offer = self.needs_offer(index);
        let Some(serving) = self
            .participants
            .get_mut(index)
            .and_then(|end| end.serving.as_mut())
        else {
            return;
        };
        serving.note(now, needs_offer);
        if serving.is_overdue(now) {
            self.fail(index, "the client does not answer our offer".to_owned());
        } else if serving.is_offer_due(now) {
            self.guard(index, |shard| {
                shard.make_offer(now, index);
                Ok(())
            });
        }
    }

    fn needs_offer(&self, index: ParticipantIndex) -> bool {
        let Some(end) = self.participants.get(index) else {
            return false;
        };
        let Some(serving) = &end.serving else {
            return false;
        };
        let is_primary = end
            .peer
            .and_then(|peer| self.participants.get(peer))
            .is_some_and(|publisher| publisher.is_subscriber_primary);
        let waiting = end.subscriptions.iter().flatten();
        let mut waiting = waiting.filter(|s| s.section.is_none());
        (is_primary && !serving.has_offered())
            || (serving.is_restarting && serving.has_offered())
            || end.has_section_to_release()
            || waiting.any(|s| can_bind(end, s.kind))
    }

    fn make_offer(&mut self, now: Instant, index: ParticipantIndex) {
        self.bind_to_offer(now, index);
        let candidates: Vec<_> = self
            .config
            .candidates
            .iter()
            .map(|c| c.advertised)
            .collect();
        let Some(end) = self.participants.get_mut(index) else {
            return;
        };
        let Some(serving) = &mut end.serving else {
            return;
        };
        if std::mem::take(&mut serving.is_restarting)
            && let Some(transport) = &mut end.transport
        {
            transport.ice.restart();
        }
        let offer_id = serving.offered(now);
        serving.inactive.clear();
        end.answers += 1;
        let mut mid_to_track = Vec::new();
        let mut contents = Vec::with_capacity(end.sections.len());
        for (place, section) in end.sections.iter_mut().enumerate() {
            let content = match section.role {
                Role::Closed => SectionAnswer::Rejected,
                _ if section.kind == SectionKind::Data => SectionAnswer::Data,
                Role::Subscribed(slot) => {
                    let subscription = end.subscriptions.get(slot).and_then(Option::as_ref);
                    let egress = subscription.and_then(|s| s.egress.as_ref());
                    let track = subscription.and_then(|s| self.tracks.get(s.track));
                    match (track, egress) {
                        (Some(track), Some(egress)) => {
                            mid_to_track.push((section.mid.clone(), track.shown_as.clone()));
                            let is_first = serving.carried.get(&place) == Some(&track.shown_as);
                            SectionAnswer::Send {
                                stream: if is_first {
                                    track.stream_id()
                                } else {
                                    format!("{}|{}", track.publisher_id, track.shown_as)
                                },
                                track: track.shown_as.to_string(),
                                stereo: track.stereo,
                                ssrc: egress.ssrc,
                                repair: track.is_video().then_some(egress.rtx_ssrc),
                                cname: track.cname.to_string(),
                            }
                        }
                        _ => SectionAnswer::Inactive,
                    }
                }
                _ => SectionAnswer::Inactive,
            };
            // From now on the client may have seen it.
            match content {
                SectionAnswer::Send { .. } => section.was_sending = true,
                SectionAnswer::Inactive => serving.inactive.push(place),
                _ => {}
            }
            contents.push((offered_section(&section.mid, section.kind), content));
        }
        let credentials = match &end.transport {
            Some(transport) => Some(transport.ice.local()),
            None => serving.local_credentials(),
        };
        let Some(credentials) = credentials else {
            return;
        };
        let sdp = Answer {
            session: SessionAnswer {
                session_id: end.session_id,
                version: end.answers,
                ufrag: &credentials.ufrag,
                password: &credentials.pass,
                fingerprint: &crypto().fingerprint,
                setup: "actpass",
                candidates: &candidates,
            },
            sections: contents.iter().map(|(s, c)| writable(s, c)).collect(),
        }
        .write();
        let participant = end.id.clone();
        self.events.push(Event::Offer {
            participant,
            offer_id,
            sdp,
            mid_to_track,
        });
        self.note_fragments(index);
    }

    /// Give waiting subscriptions a section, a used one if one is free.
    fn bind_to_offer(&mut self, now: Instant, index: ParticipantIndex) {
        let Some(end) = self.participants.get_mut(index) else {
            return;
        };
        for slot in 0..end.subscriptions.len() {
            let waiting = end.subscriptions[slot].as_ref();
            let Some(subscription) = waiting.filter(|s| s.section.is_none()) else {
                continue;
            };
            let (kind, track) = (subscription.kind, subscription.track);
            let Some(track) = self.tracks.get(track) else {
                continue;
            };
            let Some(serving) = &mut end.serving else {
                return;
            };
            let free = end.sections.iter().enumerate();
            let mut free = free
                .filter(|(_, s)| s.is_free(kind))
                .map(|(place, _)| place);
            let known = free
                .clone()
                .find(|place| serving.carried.get(place) == Some(&track.shown_as));
            let used =
                known.or_else(|| free.next().filter(|_| end.sections.len() >= FRESH_SECTIONS));
            let place = match used {
                Some(place) => place,
                None if end.sections.len() < MAX_SECTIONS => {
                    let kind = match kind {
                        Kind::Audio => SectionKind::Audio,
                        Kind::Video => SectionKind::Video,
                    };
                    end.sections.push(section(end.sections.len(), kind));
                    end.sections.len() - 1
                }
                None => continue,
            };
            serving
                .carried
                .entry(place)
                .or_insert_with(|| track.shown_as.clone());
            let ssrc = ssrc::random(|s| end.outgoing.contains_key(&s));
            let rtx = ssrc::random(|s| s == ssrc || end.outgoing.contains_key(&s));
            end.outgoing.insert(ssrc, slot);
            end.outgoing.insert(rtx, slot);
            let section = &mut end.sections[place];
            section.role = Role::Subscribed(slot);
            if let Some(subscription) = &mut end.subscriptions[slot] {
                subscription.section = Some(place);
                subscription.awaits_answer = true;
                subscription.egress = Some(Egress::new(
                    ssrc,
                    rtx,
                    &section.mid,
                    SectionExtensions::default(),
                    track.cname.clone(),
                    now,
                ));
            }
        }
    }

    pub(super) fn accept_answer(
        &mut self,
        now: Instant,
        id: &ParticipantId,
        offer_id: u32,
        sdp: &str,
    ) {
        let Some(&index) = self.participants_by_id.get(id) else {
            return;
        };
        let index = self.receiving_end(index);
        self.guard(index, |shard| {
            let Some(end) = shard.participants.get_mut(index) else {
                return Ok(());
            };
            // A client of one connection has nothing to answer, and an answer may be late.
            if !end.serving.as_mut().is_some_and(|s| s.answered(offer_id)) {
                return Ok(());
            }
            shard
                .apply_answer(now, index, sdp)
                .map_err(|reason| format!("answer: {reason}"))
        });
    }

    fn apply_answer(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        sdp: &str,
    ) -> Result<(), String> {
        let (answer, is_active) = parse_answer(sdp).map_err(|e| e.to_string())?;
        let end = self.participants.get_mut(index).ok_or("gone")?;
        let is_ours = |(ours, theirs): (&Section, &OfferSection)| {
            ours.mid == theirs.mid && ours.kind == theirs.kind
                || (theirs.is_rejected && theirs.mid.starts_with("_rejected"))
        };
        if answer.sections.len() != end.sections.len()
            || !end.sections.iter().zip(&answer.sections).all(is_ours)
        {
            return Err("the sections are not those of the offer".to_owned());
        }
        self.take_transport(now, index, &answer, is_active)?;
        self.take_sections(now, index, &answer);
        self.check_sections(index);
        self.mark_dirty(index);
        Ok(())
    }

    /// Make the transport with the first answer; later ones may only end an ICE restart of ours.
    fn take_transport(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        answer: &Offer,
        is_active: bool,
    ) -> Result<(), String> {
        let end = self.participants.get_mut(index).ok_or("gone")?;
        let serving = end.serving.as_mut().ok_or("not served")?;
        let remote = IceCreds {
            ufrag: answer.ufrag.clone(),
            pass: answer.password.clone(),
        };
        if let Some(transport) = &mut end.transport {
            if !answer
                .fingerprint
                .eq_ignore_ascii_case(&serving.fingerprint)
            {
                return Err("another DTLS fingerprint than before".to_owned());
            }
            if !transport.ice.expects(&remote) {
                return Err("an ICE restart that was not offered".to_owned());
            }
            transport.ice.set_remote(remote);
            return Ok(());
        }
        let kinds = [SectionKind::Audio, SectionKind::Video];
        end.known_codecs = kinds.into_iter().flat_map(offered_codecs).collect();
        let offered: Vec<_> = [false, true]
            .into_iter()
            .flat_map(extension::offered)
            .collect();
        end.known_extensions.learn(offered.iter());
        let ice = serving.ice.take().ok_or("no ICE credentials")?;
        let mut transport = Transport::new(
            now,
            ice,
            &TransportConfig {
                remote,
                fingerprint: &answer.fingerprint,
                is_active,
            },
        )?;
        serving.fingerprint.clone_from(&answer.fingerprint);
        create_channels(&mut transport);
        end.transport = Some(transport);
        end.first_offer_at = Some(now);
        self.note_fragments(index);
        self.take_early(now, index)
    }

    /// What the client said to each section: send on it, or give up what it does not take.
    fn take_sections(&mut self, now: Instant, index: ParticipantIndex, answer: &Offer) {
        let Some(end) = self.participants.get_mut(index) else {
            return;
        };
        let inactive = match &mut end.serving {
            Some(serving) => std::mem::take(&mut serving.inactive),
            None => Vec::new(),
        };
        for place in inactive {
            end.sections[place].was_sending = false;
        }
        let can_see = end.is_reachable();
        let mut bound: Vec<TrackIndex> = Vec::new();
        let mut declined: Vec<TrackIndex> = Vec::new();
        for (section, answered) in end.sections.iter_mut().zip(&answer.sections) {
            let role = section.role;
            if answered.is_rejected {
                section.role = Role::Closed;
            }
            let Role::Subscribed(slot) = role else {
                continue;
            };
            let Some(Some(subscription)) = end.subscriptions.get_mut(slot) else {
                continue;
            };
            let receives = !answered.is_rejected
                && matches!(
                    answered.direction,
                    Direction::RecvOnly | Direction::SendRecv
                );
            if receives && subscription.awaits_answer {
                section.codecs = offered_codecs(section.kind);
                section.codecs.retain(|c| {
                    answered
                        .codecs
                        .iter()
                        .any(|a| a.pt == c.pt && a.name == c.name)
                });
                for codec in &mut section.codecs {
                    let taken = answered.codecs.iter().find(|a| a.pt == codec.pt);
                    codec.rtx = codec.rtx.filter(|_| taken.and_then(|a| a.rtx) == codec.rtx);
                }
            }
            let track = self.tracks.get(subscription.track);
            let fits = !section.codecs.is_empty()
                && track.is_none_or(|track| {
                    let mut codecs = track.codecs();
                    codecs.all(|codec| match_codec(codec, &section.codecs).is_some())
                });
            if !receives || !fits {
                declined.push(subscription.track);
            } else if std::mem::take(&mut subscription.awaits_answer) {
                let is_video = section.kind == SectionKind::Video;
                let extensions = extension::answered(
                    &answered.extensions,
                    is_video,
                    is_video,
                    &end.known_extensions,
                );
                section.extensions = SectionExtensions::new(&extensions);
                subscription.format = None;
                if let Some(egress) = &mut subscription.egress {
                    egress.set_extensions(section.extensions);
                }
                bound.push(subscription.track);
                self.events.push(Event::Subscribed {
                    participant: end.id.clone(),
                    track: subscription.track_id.clone(),
                    mid: section.mid.clone(),
                });
            }
        }
        if end.bandwidth.is_some() {
            end.bandwidth_due = Some(now);
        }
        for t in declined {
            self.fail_subscription(index, t, SubscriptionError::CodecUnsupported);
        }
        for t in bound {
            self.want_first_picture(now, index, t, can_see);
        }
    }

    /// Make an offer with new credentials, in place of one under way if there is one.
    pub(super) fn restart_subscriber_ice(&mut self, index: ParticipantIndex) {
        let index = self.receiving_end(index);
        if let Some(serving) = self
            .participants
            .get_mut(index)
            .and_then(|end| end.serving.as_mut())
        {
            serving.restart();
            self.check_sections(index);
        }
    }
}

/// A new section of ours; mids are numbered.
fn section(place: usize, kind: SectionKind) -> Section {
    Section {
        mid: place.to_string(),
        kind,
        role: Role::Idle,
        can_receive: kind.media().is_some(),
        was_sending: false,
        cid: None,
        rids: Vec::new(),
        codecs: offered_codecs(kind),
        extensions: SectionExtensions::default(),
    }
}

fn can_bind(end: &Participant, kind: Kind) -> bool {
    end.sections.len() < MAX_SECTIONS || end.sections.iter().any(|s| s.is_free(kind))
}

fn writable<'a>(offer: &'a OfferSection, content: &SectionAnswer) -> AnswerSection<'a> {
    AnswerSection {
        offer,
        answer: content.clone(),
        codecs: offer.codecs.iter().collect(),
        extensions: offer
            .extensions
            .iter()
            .map(|(id, uri)| (*id, uri.as_str()))
            .collect(),
    }
}

/// The channels on which the client receives; it makes its own on its other connection.
fn create_channels(transport: &mut Transport) {
    let lossy = Reliability::MaxRetransmits { retransmits: 0 };
    for (label, ordered, reliability) in [
        ("_reliable", true, Reliability::Reliable),
        ("_lossy", false, lossy),
        ("_data_track", false, lossy),
    ] {
        let config = ChannelConfig {
            label: label.to_owned(),
            ordered,
            reliability,
            ..ChannelConfig::default()
        };
        let mut api = transport.stack().direct_api();
        api.create_data_channel(config);
    }
}

/// State of a participant of two connections.
fn overall(
    primary: Option<TransportState>,
    other: Option<TransportState>,
) -> Option<TransportState> {
    use TransportState::{Closed, Connected, Disconnected, Failed};
    let is_either = |state| primary == Some(state) || other == Some(state);
    if is_either(Failed) {
        Some(Failed)
    } else if is_either(Closed) {
        Some(Closed)
    } else if primary.is_some() && is_either(Disconnected) {
        Some(Disconnected)
    } else {
        primary.map(|_| Connected)
    }
}
