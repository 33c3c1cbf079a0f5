//! One participant: its sections, what it subscribes to, its channels, and its transport.
//!
//! Memory is bounded: at most [`MAX_SECTIONS`](crate::sdp::MAX_SECTIONS) sections of about 2 kB,
//! [`MAX_SUBSCRIPTIONS`] subscriptions of about 1 kB (a video one up to 50 kB more of resend
//! headers; the payloads they keep, at most 512 packets of a track, are shared by all its
//! subscribers), 1 MiB of waiting reliable data, 512 KiB of its own reliable data for replay, 8192
//! waiting datagrams within one tick, less than 2 MB for the streams that it sends, and what the
//! WebRTC stack holds (128 kB of SCTP, about 100 kB beside). An ordinary participant of a ten-person call takes about 1 MB, the worst one some 15 MB.

use std::time::Instant;

use rustc_hash::FxHashMap;

use crate::ahead;
use crate::ingress::Ingress;
use crate::layers::MAX_SPATIAL;
use crate::layers::selector::Selector;
use crate::layers::svc::Chooser;
use crate::messages::Channels;
use crate::rtp::egress::{Egress, Format};
use crate::rtp::extension::{SectionExtensions, SessionExtensions};
use crate::sdp::{Codec, SectionKind};
use crate::serving::Serving;
use crate::track::{ParticipantIndex, Slot, TrackIndex};
use crate::transport::Transport;
use crate::{Grant, Kind, ParticipantId, TrackId, TransportState};

pub const MAX_SUBSCRIPTIONS: usize = 200;
pub const MAX_TRACKS: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing flows. Free for a subscription when the client can receive on it.
    Idle,
    /// The client sends; the track may not have been announced yet.
    Publishing(Option<TrackIndex>),
    Subscribed(Slot),
    /// Rejected or not media.
    Closed,
}

pub struct Section {
    pub mid: String,
    pub kind: SectionKind,
    pub role: Role,
    /// The client's last word: it can receive and does not send.
    pub can_receive: bool,
    /// The last answer said that we send. Clients see a new track only after an answer that said
    /// otherwise, so such a section is not reused before.
    pub was_sending: bool,
    pub cid: Option<String>,
    /// Simulcast in which the client sends: its rids and their spatial layers.
    pub rids: Vec<(String, u8)>,
    /// What can be sent to the client here.
    pub codecs: Vec<Codec>,
    pub extensions: SectionExtensions,
}

impl Section {
    pub fn is_free(&self, kind: Kind) -> bool {
        self.role == Role::Idle
            && self.can_receive
            && !self.was_sending
            && self.kind.media() == Some(kind)
    }
}

/// In this order in memory: see [`Subscription::fetch`].
#[repr(C)]
pub struct Subscription {
    /// By the client's wish.
    pub is_paused: bool,
    /// For want of bandwidth.
    pub is_starved: bool,
    /// The client has not answered the offer that names it.
    pub awaits_answer: bool,
    /// The receiver asked for its first key frame already.
    pub had_first_request: bool,
    pub kind: Kind,
    /// Which encoding and which temporal layers are sent.
    pub selector: Selector,
    /// The receiver's format for the publisher's payload type.
    pub format: Option<(u8, Format)>,
    pub egress: Option<Egress>,
    /// Which frames of a scalable stream are.
    pub chooser: Chooser,
    /// Index of the section it is bound to.
    pub section: Option<usize>,
    pub track: TrackIndex,
    pub track_id: TrackId,
    /// Sum and number of loss fractions reported in this interval.
    pub loss: (f32, u32),
    pub lost_total: u32,
}

/// What every packet touches of a subscription lies within its first bytes.
const USED: usize = 320;

impl Subscription {
    pub fn new(track: TrackIndex, track_id: TrackId, kind: Kind) -> Self {
        Subscription {
            track,
            track_id,
            kind,
            section: None,
            egress: None,
            format: None,
            selector: Selector::default(),
            chooser: Chooser::default(),
            had_first_request: false,
            is_paused: false,
            is_starved: false,
            awaits_answer: false,
            loss: (0.0, 0),
            lost_total: 0,
        }
    }

    /// A packet is passed on soon.
    fn fetch(&self) {
        ahead::fetch_first(self, USED);
        if self.kind == Kind::Video
            && let Some(egress) = &self.egress
        {
            egress.fetch_video();
        }
    }

    pub fn flows(&self) -> bool {
        self.egress.is_some() && !self.is_paused && !self.is_starved && !self.awaits_answer
    }

    /// The layer that its bandwidth carries at the moment; `None` = nothing.
    pub fn fitted(&self) -> Option<u8> {
        let layer = self.selector.current().or(self.selector.allowed());
        layer.or(Some(MAX_SPATIAL)).filter(|_| !self.is_starved)
    }

    /// Nothing is sent for a while: go on later with a key frame and without a gap.
    pub fn interrupt(&mut self) {
        if let Some(egress) = &mut self.egress {
            egress.interrupt();
        }
        self.selector.interrupt();
        self.chooser.interrupt();
    }

    pub fn unbind(&mut self) {
        self.section = None;
        self.egress = None;
        self.awaits_answer = false;
        self.format = None;
        self.selector.interrupt();
        self.chooser.interrupt();
        self.had_first_request = false;
    }
}

/// What the client was asked to offer and has not offered yet.
#[derive(Debug, Default)]
pub struct Asked {
    pub audio: u32,
    pub video: u32,
    /// An offer without new sections was asked for.
    pub offer: bool,
    pub at: Option<Instant>,
}

/// A participant, or one of the two connections of one: then tracks and received data are with the
/// connection on which it publishes, subscriptions with the one on which it receives.
pub struct Participant {
    pub id: ParticipantId,
    /// The other connection.
    pub peer: Option<ParticipantIndex>,
    /// This is the connection on which a client of two receives.
    pub serving: Option<Serving>,
    /// Of the connection on which it publishes: the other one is primary.
    pub is_subscriber_primary: bool,
    pub identity: String,
    pub room: usize,
    pub grant: Grant,
    pub joined_at: Instant,
    pub transport: Option<Transport>,
    /// Of this connection.
    pub state: Option<TransportState>,
    /// Last state told, of the participant as a whole.
    pub told: Option<TransportState>,
    /// User fragments of ours that the shard's map has for it.
    pub fragments: Vec<String>,
    pub first_offer_at: Option<Instant>,
    pub session_id: u64,
    pub answers: u64,
    /// Payload types and extensions that its client has named.
    pub known_codecs: Vec<Codec>,
    pub known_extensions: SessionExtensions,
    pub sections: Vec<Section>,
    pub tracks: Vec<TrackIndex>,
    pub subscriptions: Vec<Option<Subscription>>,
    /// What comes as media.
    pub ingress: Box<Ingress>,
    /// Outgoing SSRC (main and repair) -> subscription.
    pub outgoing: FxHashMap<u32, Slot>,
    pub channels: Channels,
    pub last_reliable: u32,
    pub told_reliable: u32,
    /// Smallest delay seen between a sender report's wall clock and ours, in seconds.
    pub clock_offset: ClockOffset,
    pub bandwidth: Option<u64>,
    pub bandwidth_due: Option<Instant>,
    pub asked: Asked,
    /// Sections wait to be answered `inactive`: ask for an offer then.
    pub release_due: Option<Instant>,
    pub key_frames_due: Option<Instant>,
    pub is_dirty: bool,
    pub has_output: bool,
    /// Time of the entry in the shard's timer heap that counts.
    pub scheduled: Option<Instant>,
    pub fault: bool,
    pub told_quality: Option<crate::Quality>,
}

impl Participant {
    pub fn new(
        id: ParticipantId,
        identity: String,
        room: usize,
        grant: Grant,
        now: Instant,
        session_id: u64,
    ) -> Self {
        Participant {
            id,
            peer: None,
            serving: None,
            is_subscriber_primary: false,
            identity,
            room,
            grant,
            joined_at: now,
            transport: None,
            state: None,
            told: None,
            fragments: Vec::new(),
            first_offer_at: None,
            session_id,
            answers: 0,
            known_codecs: Vec::new(),
            known_extensions: SessionExtensions::default(),
            sections: Vec::new(),
            tracks: Vec::new(),
            subscriptions: Vec::new(),
            ingress: Box::new(Ingress::new(now)),
            outgoing: FxHashMap::default(),
            channels: Channels::default(),
            last_reliable: 0,
            told_reliable: 0,
            clock_offset: ClockOffset::default(),
            bandwidth: None,
            bandwidth_due: None,
            asked: Asked::default(),
            release_due: None,
            key_frames_due: None,
            is_dirty: false,
            has_output: false,
            scheduled: None,
            fault: false,
            told_quality: None,
        }
    }

    /// Media may be sent to it.
    pub fn is_reachable(&self) -> bool {
        matches!(
            self.state,
            Some(TransportState::Connected | TransportState::Disconnected)
        )
    }

    /// It is sent a packet soon.
    pub fn fetch(&self) {
        ahead::fetch(&self.state);
        ahead::fetch(&self.subscriptions);
        ahead::fetch(&self.has_output);
        if let Some(transport) = &self.transport {
            transport.fetch();
        }
    }

    /// A little later, of the subscription that the packet is for.
    pub fn fetch_stream(&self, slot: Slot) {
        if let Some(Some(subscription)) = self.subscriptions.get(slot) {
            subscription.fetch();
        }
        if let Some(transport) = &self.transport {
            transport.fetch_cipher();
        }
    }

    /// Just before.
    pub fn fetch_buffers(&self, slot: Slot) {
        if let Some(Some(subscription)) = self.subscriptions.get(slot)
            && let Some(egress) = &subscription.egress
        {
            egress.fetch();
        }
        if let Some(transport) = &self.transport {
            transport.fetch_queue();
        }
    }

    pub fn slot_of(&self, track: TrackIndex) -> Option<Slot> {
        self.subscriptions
            .iter()
            .position(|s| s.as_ref().is_some_and(|s| s.track == track))
    }

    pub fn subscription(&mut self, slot: Slot) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(slot)?.as_mut()
    }

    /// `None` when it has too many.
    pub fn add_subscription(&mut self, subscription: Subscription) -> Option<Slot> {
        self.changed();
        if let Some(slot) = self.subscriptions.iter().position(Option::is_none) {
            self.subscriptions[slot] = Some(subscription);
            return Some(slot);
        }
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return None;
        }
        self.subscriptions.push(Some(subscription));
        Some(self.subscriptions.len() - 1)
    }

    /// Take a subscription out; its section goes idle and media stops at once.
    pub fn remove_subscription(&mut self, slot: Slot) -> Option<Subscription> {
        let subscription = self.subscriptions.get_mut(slot)?.take()?;
        self.free_section(slot);
        Some(subscription)
    }

    /// The section of a subscription no longer carries it.
    pub fn free_section(&mut self, slot: Slot) {
        self.changed();
        for section in &mut self.sections {
            if section.role == Role::Subscribed(slot) {
                section.role = Role::Idle;
            }
        }
        self.outgoing.retain(|_, s| *s != slot);
    }

    /// What its client is to be offered may be another than before.
    fn changed(&mut self) {
        if let Some(serving) = &mut self.serving {
            serving.is_changed = true;
        }
    }

    /// Any section that must be answered `inactive` before it can be used again.
    pub fn has_section_to_release(&self) -> bool {
        self.sections
            .iter()
            .any(|s| s.role == Role::Idle && s.was_sending)
    }
}

/// Difference between a publisher's wall clock and ours. One for all its tracks, so that their
/// relation, which is what lip sync needs, is kept exactly.
#[derive(Debug, Default)]
pub struct ClockOffset {
    /// Seconds; the smallest of the recent ones, since that saw the least queueing.
    recent: Vec<f64>,
}

impl ClockOffset {
    const KEPT: usize = 16;

    pub fn record(&mut self, seconds: f64) {
        if self.recent.len() >= Self::KEPT {
            self.recent.remove(0);
        }
        self.recent.push(seconds);
    }

    pub fn get(&self) -> Option<f64> {
        self.recent.iter().copied().reduce(f64::min)
    }
}
