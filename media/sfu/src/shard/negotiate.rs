//! Offers: the participant's sections brought in line with what the client says, wanted tracks
//! bound to free sections, and the answer.

use std::time::Instant;

use str0m::IceCreds;

use super::Shard;
use crate::participant::{Participant, Role, Section};
use crate::rtp::egress::Egress;
use crate::rtp::extension::{self, SectionExtensions};
use crate::rtp::ssrc;
use crate::sdp::{
    Answer, AnswerSection, Codec, MAX_FORMATS, Offer, OfferSection, SectionAnswer, SectionKind,
    SessionAnswer, encodings_for_publishing, encodings_for_subscribing, match_codec, parse_offer,
};
use crate::track::{ParticipantIndex, TrackIndex};
use crate::transport::dtls::crypto;
use crate::transport::ice::IceLite;
use crate::transport::{Transport, TransportConfig};
use crate::{Event, SubscriptionError, TrackId};

/// What a publisher's section is answered with, before and after its track is known.
struct Publishing {
    stereo: bool,
    dtx: bool,
}

impl Shard {
    pub(super) fn offer(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        offer_id: u32,
        sdp: &str,
    ) {
        if let Err(reason) = self.apply_offer(now, index, offer_id, sdp)
            && let Some(participant) = self.participants.get(index)
        {
            let participant = participant.id.clone();
            self.events.push(Event::OfferRejected {
                participant,
                offer_id,
                reason,
            });
        }
    }

    fn apply_offer(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        offer_id: u32,
        sdp: &str,
    ) -> Result<(), String> {
        let offer = parse_offer(sdp).map_err(|e| e.to_string())?;
        let participant = self.participants.get_mut(index).ok_or("gone")?;
        if offer.sections.len() < participant.sections.len() {
            return Err("sections of an earlier offer are missing".to_owned());
        }
        self.prepare_transport(now, index, &offer)?;
        self.reconcile(index, &offer);
        self.bind_published(index);
        let bound = self.bind_subscriptions(now, index);
        self.answer(index, offer_id, &offer)?;
        let participant = self.participants.get(index).ok_or("gone")?;
        for (track, mid) in bound {
            self.events.push(Event::Subscribed {
                participant: participant.id.clone(),
                track,
                mid,
            });
        }
        self.check_sections(index);
        self.mark_dirty(index);
        Ok(())
    }

    /// Make the transport with the first offer; later ones may restart ICE and nothing else.
    fn prepare_transport(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        offer: &Offer,
    ) -> Result<(), String> {
        let participant = self.participants.get_mut(index).ok_or("gone")?;
        let remote = IceCreds {
            ufrag: offer.ufrag.clone(),
            pass: offer.password.clone(),
        };
        match &mut participant.transport {
            Some(transport) => {
                transport.ice.set_remote(remote);
            }
            None => {
                let transport = Transport::new(
                    now,
                    IceLite::new(),
                    &TransportConfig {
                        remote,
                        fingerprint: &offer.fingerprint,
                        is_active: false,
                    },
                )?;
                participant.transport = Some(transport);
                participant.first_offer_at = Some(now);
            }
        }
        learn_codecs(&mut participant.known_codecs, offer);
        let extensions = &mut participant.known_extensions;
        extensions.learn(offer.sections.iter().flat_map(|s| &s.extensions));
        participant
            .ingress
            .negotiated(&participant.known_codecs, extensions);
        self.note_fragments(index);
        Ok(())
    }

    /// Bring the shard's map in line with this connection's user fragments.
    pub(super) fn note_fragments(&mut self, index: ParticipantIndex) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let offered = participant.serving.as_ref().and_then(|s| s.ice.as_ref());
        let Some(ice) = participant.transport.as_ref().map(|t| &t.ice).or(offered) else {
            return;
        };
        let fragments: Vec<String> = ice.fragments().map(str::to_owned).collect();
        let old = std::mem::replace(&mut participant.fragments, fragments.clone());
        for fragment in old {
            self.fragments.remove(&fragment);
        }
        for fragment in fragments {
            self.fragments.insert(fragment, index);
        }
    }

    /// Bring our sections in line with the offered ones; stops what the client stopped.
    fn reconcile(&mut self, index: ParticipantIndex, offer: &Offer) {
        let mut new_sections = (0, 0);
        let mut stopped = Vec::new();
        let mut unbound = Vec::new();
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let mut has_data = false;
        for (place, offered) in offer.sections.iter().enumerate() {
            let old = participant
                .sections
                .get(place)
                .map(|s| (s.mid == offered.mid, s.role));
            let is_same = old.is_some_and(|(is_same, _)| is_same);
            if let Some((false, role)) = old {
                // The slot was recycled: the old section is over.
                release(role, &mut stopped, &mut unbound);
                participant.ingress.forget(place);
            }
            if !is_same {
                match offered.kind {
                    SectionKind::Audio => new_sections.0 += 1,
                    SectionKind::Video => new_sections.1 += 1,
                    _ => {}
                }
                let section = Section {
                    mid: offered.mid.clone(),
                    kind: offered.kind,
                    role: Role::Idle,
                    can_receive: false,
                    was_sending: false,
                    cid: None,
                    rids: Vec::new(),
                    codecs: encodings_for_subscribing(offered)
                        .into_iter()
                        .cloned()
                        .collect(),
                    extensions: SectionExtensions::default(),
                };
                match participant.sections.get_mut(place) {
                    Some(slot) => *slot = section,
                    None => participant.sections.push(section),
                }
            }
            let can_publish = participant.grant.can_publish;
            let publishable = publishable(participant, offered);
            let section = &mut participant.sections[place];
            let is_usable = match offered.kind {
                SectionKind::Data => !std::mem::replace(&mut has_data, true),
                SectionKind::Other => false,
                _ => !section.codecs.is_empty() || (offered.direction.sends() && publishable),
            };
            let role = if offered.is_rejected || !is_usable {
                Role::Closed
            } else if offered.kind.media().is_none() {
                Role::Idle
            } else if offered.direction.sends() && can_publish && publishable {
                match section.role {
                    // Another track in the same section ends the one before.
                    Role::Publishing(track) if section.cid == offered.cid => {
                        Role::Publishing(track)
                    }
                    _ => Role::Publishing(None),
                }
            } else {
                match section.role {
                    Role::Subscribed(slot) if can_receive(offered) => Role::Subscribed(slot),
                    _ => Role::Idle,
                }
            };
            if role != section.role {
                release(section.role, &mut stopped, &mut unbound);
            }
            if matches!(section.role, Role::Publishing(_))
                && (!matches!(role, Role::Publishing(_)) || section.cid != offered.cid)
            {
                participant.ingress.forget(place);
            }
            section.role = role;
            // Some clients name their layers once only.
            if section.cid != offered.cid || !offered.rids.is_empty() {
                section.rids = offered.rids.clone();
            }
            section.cid = offered.cid.clone();
            section.can_receive = can_receive(offered);
            if matches!(role, Role::Publishing(_)) {
                participant.ingress.expect(place, offered, &section.rids);
            }
        }
        participant.asked.audio = participant.asked.audio.saturating_sub(new_sections.0);
        participant.asked.video = participant.asked.video.saturating_sub(new_sections.1);
        participant.asked.offer = false;
        for slot in unbound {
            if let Some(subscription) = participant.subscription(slot) {
                subscription.unbind();
            }
            participant.free_section(slot);
        }
        for track in stopped {
            self.stop_track(track);
        }
    }

    /// Connect sections in which the client sends with announced tracks, by the track's id.
    pub(super) fn bind_published(&mut self, index: ParticipantIndex) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        for section in &mut participant.sections {
            let (Role::Publishing(None), Some(cid)) = (section.role, &section.cid) else {
                continue;
            };
            let kind = section.kind.media();
            let matching = participant.tracks.iter().copied().find(|t| {
                self.tracks
                    .get(*t)
                    .is_some_and(|t| t.cid == *cid && t.mid.is_none() && Some(t.kind) == kind)
            });
            if let Some(t) = matching
                && let Some(track) = self.tracks.get_mut(t)
            {
                track.mid = Some(section.mid.clone());
                section.role = Role::Publishing(Some(t));
            }
        }
    }

    /// Give waiting subscriptions their sections, first come first served.
    fn bind_subscriptions(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
    ) -> Vec<(TrackId, String)> {
        let mut bound = Vec::new();
        let mut unsupported = Vec::new();
        let Some(participant) = self.participants.get_mut(index) else {
            return bound;
        };
        for slot in 0..participant.subscriptions.len() {
            let Some(subscription) = &participant.subscriptions[slot] else {
                continue;
            };
            if subscription.section.is_some() {
                continue;
            }
            let Some(track) = self.tracks.get(subscription.track) else {
                continue;
            };
            let Some(place) = participant
                .sections
                .iter()
                .position(|s| s.is_free(subscription.kind))
            else {
                continue;
            };
            let receivable = &participant.sections[place].codecs;
            let is_unsupported = |codec| match_codec(codec, receivable).is_none();
            if track.codecs().next().is_some() && track.codecs().all(is_unsupported) {
                unsupported.push(subscription.track);
                continue;
            }
            let (outgoing, ingress) = (&participant.outgoing, &participant.ingress);
            let is_taken = |ssrc| outgoing.contains_key(&ssrc) || ingress.knows(ssrc);
            let ssrc = ssrc::random(is_taken);
            let rtx = ssrc::random(|other| other == ssrc || is_taken(other));
            participant.outgoing.insert(ssrc, slot);
            participant.outgoing.insert(rtx, slot);
            let section = &mut participant.sections[place];
            section.role = Role::Subscribed(slot);
            let mid = section.mid.clone();
            if let Some(subscription) = &mut participant.subscriptions[slot] {
                subscription.section = Some(place);
                // Its extensions are known when the answer is written.
                subscription.egress = Some(Egress::new(
                    ssrc,
                    rtx,
                    &mid,
                    SectionExtensions::default(),
                    track.cname.clone(),
                    now,
                ));
                bound.push((subscription.track_id.clone(), mid));
            }
        }
        for t in unsupported {
            self.fail_subscription(index, t, SubscriptionError::CodecUnsupported);
        }
        let can_see = self
            .participants
            .get(index)
            .is_some_and(|participant| participant.is_reachable());
        for (track, _) in &bound {
            let Some(&t) = self.tracks_by_id.get(track) else {
                continue;
            };
            self.want_first_picture(now, index, t, can_see);
        }
        if let Some(participant) = self.participants.get_mut(index)
            && participant.bandwidth.is_some()
        {
            participant.bandwidth_due = Some(now);
        }
        bound
    }

    /// A subscription was given its section. Encoders answer a second request only some hundred
    /// milliseconds after the first: for who is not connected yet, the answer is kept.
    pub(super) fn want_first_picture(
        &mut self,
        now: Instant,
        index: ParticipantIndex,
        t: TrackIndex,
        can_see: bool,
    ) {
        let Some(selector) = self.selector_of(index, t) else {
            return;
        };
        if let Some(track) = self.tracks.get_mut(t).filter(|_| !can_see)
            && let Some(target) = selector.target(track.flowing)
            && let Some(encoding) = track.encoding(target)
        {
            encoding.opening.expect(now);
        }
        self.want_key_frame(now, t, &selector, true);
    }

    fn answer(
        &mut self,
        index: ParticipantIndex,
        offer_id: u32,
        offer: &Offer,
    ) -> Result<(), String> {
        let candidates: Vec<_> = self
            .config
            .candidates
            .iter()
            .map(|c| c.advertised)
            .collect();
        let participant = self.participants.get_mut(index).ok_or("gone")?;
        participant.answers += 1;
        let mut mid_to_track = Vec::new();
        let mut sections = Vec::with_capacity(offer.sections.len());
        for (place, offered) in offer.sections.iter().enumerate() {
            let role = participant.sections[place].role;
            let is_video = offered.kind == SectionKind::Video;
            let is_publishing = matches!(role, Role::Publishing(_));
            let codecs: Vec<&Codec> = if let Role::Publishing(track) = role {
                let known = &participant.known_codecs;
                let wanted = track.and_then(|t| self.tracks.get(t)?.codec);
                encodings_for_publishing(offered, wanted)
                    .into_iter()
                    .filter(|c| is_known(known, c))
                    .collect()
            } else {
                encodings_for_subscribing(offered)
            };
            let is_scalable = codecs.first().is_some_and(|codec| codec.name.is_scalable());
            let extensions = extension::answered(
                &offered.extensions,
                is_video,
                is_video && (is_scalable || !is_publishing),
                &participant.known_extensions,
            );
            let answer = match role {
                Role::Closed => SectionAnswer::Rejected,
                _ if offered.kind == SectionKind::Data => SectionAnswer::Data,
                Role::Publishing(track) => {
                    let track = track.and_then(|t| self.tracks.get(t));
                    if let Some(track) = track {
                        mid_to_track.push((offered.mid.clone(), track.id.clone()));
                    }
                    let Publishing { stereo, dtx } = match track {
                        Some(t) => Publishing {
                            stereo: t.stereo,
                            dtx: t.dtx,
                        },
                        None => Publishing {
                            stereo: false,
                            dtx: false,
                        },
                    };
                    SectionAnswer::Receive { stereo, dtx }
                }
                Role::Subscribed(slot) => {
                    let subscription = participant.subscriptions[slot].as_ref();
                    let egress = subscription.and_then(|s| s.egress.as_ref());
                    let track = subscription.and_then(|s| self.tracks.get(s.track));
                    match (track, egress) {
                        (Some(track), Some(egress)) => {
                            mid_to_track.push((offered.mid.clone(), track.shown_as.clone()));
                            let has_repair = codecs.iter().any(|c| c.rtx.is_some());
                            SectionAnswer::Send {
                                stream: track.stream_id(),
                                track: track.shown_as.to_string(),
                                stereo: track.stereo,
                                ssrc: egress.ssrc,
                                repair: has_repair.then_some(egress.rtx_ssrc),
                                cname: track.cname.to_string(),
                            }
                        }
                        _ => SectionAnswer::Inactive,
                    }
                }
                Role::Idle => SectionAnswer::Inactive,
            };
            let section = &mut participant.sections[place];
            section.was_sending = matches!(answer, SectionAnswer::Send { .. });
            if !is_publishing {
                section.codecs = codecs.iter().map(|c| (*c).clone()).collect();
                section.extensions = SectionExtensions::new(&extensions);
                if let Role::Subscribed(slot) = role
                    && let Some(Some(subscription)) = participant.subscriptions.get_mut(slot)
                    && let Some(egress) = &mut subscription.egress
                {
                    egress.set_extensions(section.extensions);
                    subscription.format = None;
                }
            }
            sections.push(AnswerSection {
                offer: offered,
                answer,
                codecs,
                extensions,
            });
        }
        let transport = participant.transport.as_ref().ok_or("no transport")?;
        let answer = Answer {
            session: SessionAnswer {
                session_id: participant.session_id,
                version: participant.answers,
                ufrag: &transport.ice.local().ufrag,
                password: &transport.ice.local().pass,
                fingerprint: &crypto().fingerprint,
                setup: "passive",
                candidates: &candidates,
            },
            sections,
        };
        let sdp = answer.write();
        let participant = participant.id.clone();
        self.events.push(Event::Answer {
            participant,
            offer_id,
            sdp,
            mid_to_track,
        });
        Ok(())
    }
}

fn can_receive(offered: &OfferSection) -> bool {
    offered.direction == crate::sdp::Direction::RecvOnly
}

fn release(role: Role, stopped: &mut Vec<TrackIndex>, unbound: &mut Vec<usize>) {
    match role {
        Role::Publishing(Some(track)) => stopped.push(track),
        Role::Subscribed(slot) => unbound.push(slot),
        _ => {}
    }
}

/// At least one of the payload types is known with which the client could send.
fn publishable(participant: &Participant, offered: &OfferSection) -> bool {
    encodings_for_publishing(offered, None)
        .into_iter()
        .any(|c| is_known(&participant.known_codecs, c))
}

/// A section may go without the retransmissions of another (some clients strip them), but not bring
/// others.
fn is_known(known: &[Codec], codec: &Codec) -> bool {
    known
        .iter()
        .any(|k| is_same_format(k, codec) && (codec.rtx.is_none() || k.rtx == codec.rtx))
}

fn is_same_format(one: &Codec, other: &Codec) -> bool {
    one.pt == other.pt && one.name == other.name
}

/// All codecs of all sections, of this offer and those before: a payload type keeps its meaning.
fn learn_codecs(known: &mut Vec<Codec>, offer: &Offer) {
    for codec in offer.sections.iter().flat_map(|section| &section.codecs) {
        let is_taken = |pt| known.iter().any(|k| k.pt == pt || k.rtx == Some(pt));
        let (is_new, is_full) = (!is_taken(codec.pt), known.len() >= MAX_FORMATS);
        if codec.rtx.is_some_and(is_taken) {
            continue;
        }
        if is_new && !is_full {
            known.push(codec.clone());
        } else if let Some(same) = known.iter_mut().find(|k| is_same_format(k, codec)) {
            same.rtx = same.rtx.or(codec.rtx);
        }
    }
}
