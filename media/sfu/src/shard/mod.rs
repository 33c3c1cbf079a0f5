//! All rooms of one shard, and the only entry into the crate.
//!
//! Commands and datagrams go in, and mark whom they touched; `advance` drives those, and whoever's
//! timer is due, and collects what is to be sent. Each participant's processing runs under a guard:
//! a panic ends that participant and nobody else.

mod advance;
mod commands;
mod data;
mod forward;
mod membership;
mod negotiate;
#[cfg(test)]
mod probe;
mod receive;
mod serving;
mod subscribe;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Instant, SystemTime};

use rustc_hash::FxHashMap;

use crate::buffers::Buffers;
use crate::participant::Participant;
use crate::pictures::Unfinished;
use crate::room::Room;
use crate::runs;
use crate::slab::Slab;
use crate::track::{ParticipantIndex, Track, TrackIndex};
use crate::transport::dtls::crypto;
use crate::transport::ice::Path;
use crate::{Command, Event, ParticipantId, RoomId, ShardConfig, Stats, TrackId, Transmit};

/// Whose timer an entry of the heap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Participant(ParticipantIndex),
    Room(usize),
}

/// All rooms of one shard.
pub struct Shard {
    config: ShardConfig,
    /// Of the entry that is being processed.
    now: Instant,
    /// Wall clock at a known instant: sender reports carry wall-clock time, and reading it once
    /// keeps them free of steps.
    wall_clock: (Instant, SystemTime),
    rooms: Slab<Room>,
    rooms_by_id: FxHashMap<RoomId, usize>,
    participants: Slab<Participant>,
    participants_by_id: FxHashMap<ParticipantId, ParticipantIndex>,
    tracks: Slab<Track>,
    tracks_by_id: FxHashMap<TrackId, TrackIndex>,
    /// ICE user fragments of ours.
    fragments: FxHashMap<String, ParticipantIndex>,
    /// Address pairs from which an authentic ICE check came.
    paths: FxHashMap<Path, ParticipantIndex>,
    timers: BinaryHeap<Reverse<(Instant, Timer)>>,
    dirty: Vec<ParticipantIndex>,
    unfinished: Unfinished,
    /// Participants with datagrams to send.
    with_output: Vec<ParticipantIndex>,
    /// Participants that may have to be asked for sections.
    section_checks: Vec<ParticipantIndex>,
    transmits: Vec<Transmit>,
    buffers: Buffers,
    events: Vec<Event>,
    stats: Stats,
    sessions: u64,
    // Scratch space of the packet path.
    plain: Vec<u8>,
    stack_events: Vec<str0m::Event>,
    order: runs::Order,
}

impl Shard {
    pub fn new(config: ShardConfig, now: Instant) -> Self {
        // Making the certificate takes tens of milliseconds: not at somebody's first offer.
        let _ = crypto();
        Shard {
            config,
            now,
            wall_clock: (now, SystemTime::now()),
            rooms: Slab::default(),
            rooms_by_id: FxHashMap::default(),
            participants: Slab::default(),
            participants_by_id: FxHashMap::default(),
            tracks: Slab::default(),
            tracks_by_id: FxHashMap::default(),
            fragments: FxHashMap::default(),
            paths: FxHashMap::default(),
            timers: BinaryHeap::new(),
            dirty: Vec::new(),
            unfinished: Unfinished::default(),
            with_output: Vec::new(),
            section_checks: Vec::new(),
            transmits: Vec::new(),
            buffers: Buffers::default(),
            events: Vec::new(),
            stats: Stats::default(),
            sessions: 0,
            plain: Vec::new(),
            stack_events: Vec::new(),
            order: runs::Order::default(),
        }
    }

    /// Carry out one command. Unknown ids are ignored.
    pub fn command(&mut self, now: Instant, command: Command) {
        self.now = now;
        self.carry_out(now, command);
    }

    /// Take one datagram in. Never fails: what nobody can use is counted and dropped.
    pub fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
    ) {
        self.now = now;
        self.take_in(
            now,
            Path {
                local: destination,
                remote: source,
            },
            datagram,
        );
    }

    /// Run due timers and flush everyone whom `command` or `receive` touched.
    pub fn advance(&mut self, now: Instant) {
        self.now = now;
        self.drive(now);
    }

    /// When `advance` is needed next if nothing comes in; `None` when there is nobody.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// A picture that somebody takes has begun to come in and has not ended: until then `transmits`
    /// may be put off. What has come by then leaves in longer pieces.
    pub fn incomplete_until(&self) -> Option<Instant> {
        self.unfinished.until()
    }

    /// Everything to send since the last call.
    pub fn transmits(&mut self) -> std::vec::Drain<'_, Transmit> {
        self.collect_output();
        self.transmits.drain(..)
    }

    /// Take back what was sent, for its memory: optional, and of any age.
    pub fn recycle(&mut self, sent: impl IntoIterator<Item = Transmit>) {
        for transmit in sent {
            self.buffers.give_back(transmit.payload);
        }
    }

    /// Everything that happened since the last call.
    pub fn events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    pub fn stats(&self) -> Stats {
        Stats {
            rooms: self.rooms.len() as u64,
            participants: self.participants_by_id.len() as u64,
            ..self.stats.clone()
        }
    }

    /// Run one participant's processing. An error or a panic ends the participant, nobody else.
    fn guard(
        &mut self,
        index: ParticipantIndex,
        work: impl FnOnce(&mut Shard) -> Result<(), String>,
    ) {
        // A half-done change is left behind by a panic only in what belongs to this participant,
        // and that is dropped as a whole.
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => self.fail(index, reason),
            Err(panic) => {
                self.stats.panics += 1;
                let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                self.fail(index, format!("panic: {}", text.unwrap_or_default()));
            }
        }
    }

    fn drop_datagram(&mut self, reason: &'static str) {
        *self.stats.datagrams_dropped.entry(reason).or_insert(0) += 1;
    }

    fn mark_dirty(&mut self, index: ParticipantIndex) {
        if let Some(participant) = self.participants.get_mut(index)
            && !std::mem::replace(&mut participant.is_dirty, true)
        {
            self.dirty.push(index);
        }
    }

    fn mark_output(&mut self, index: ParticipantIndex) {
        if let Some(participant) = self.participants.get_mut(index)
            && !std::mem::replace(&mut participant.has_output, true)
        {
            self.with_output.push(index);
        }
    }

    /// Wall-clock time in seconds since the Unix epoch.
    fn wall_seconds(&self, at: Instant) -> f64 {
        let (instant, wall) = self.wall_clock;
        let base = wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        match at.checked_duration_since(instant) {
            Some(ahead) => base + ahead.as_secs_f64(),
            None => base - (instant - at).as_secs_f64(),
        }
    }

    fn ntp(&self, now: Instant) -> u64 {
        let (instant, wall) = self.wall_clock;
        crate::rtp::extension::ntp_of(wall + now.saturating_duration_since(instant))
    }

    /// Tracks known; for tests of leaks.
    #[doc(hidden)]
    pub fn footprint(&self) -> [usize; 7] {
        [
            self.rooms.len(),
            self.participants.len(),
            self.tracks.len(),
            self.tracks_by_id.len(),
            self.fragments.len(),
            self.paths.len(),
            self.participants_by_id.len(),
        ]
    }
}
