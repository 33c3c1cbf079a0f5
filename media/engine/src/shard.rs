//! The loop of one shard thread. Must never take a lock for long, wait for anything but its poll,
//! or end for any other reason than `stop`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use conclave_sfu::{Command, Event, Shard, Transmit};
use mio::{Events, Poll, Token};

use crate::command_queue::CommandReceiver;
use crate::directory::Directory;
use crate::event_queue::EventQueue;
use crate::snapshot::{Published, ShardStats, thread_cpu};
use crate::socket::{Batch, Dropped, ReceiveBuffers, Socket, count_drop};

/// The waker's token; sockets have their index.
pub(crate) const WAKE: Token = Token(usize::MAX);

/// Commands carried out before datagrams have their turn again.
const COMMANDS_PER_TURN: usize = 256;
/// A timer waits this much longer for the next packet, whose turn serves it as well: being woken
/// costs more than what most timers have to do.
const TIMER_SLACK: Duration = Duration::from_millis(10);
const FIGURES_INTERVAL: Duration = Duration::from_secs(1);
/// No datagram waits longer than this for the rest of a picture.
const HOLD: Duration = Duration::from_millis(2);
/// After a failure that has nothing to do with input, so that it cannot spin.
const FAILURE_WAIT: Duration = Duration::from_millis(10);
/// For goodbyes that the kernel does not take at once.
const FAREWELL: Duration = Duration::from_millis(300);

pub(crate) struct ShardThread {
    pub(crate) index: usize,
    pub(crate) poll: Poll,
    pub(crate) sockets: Vec<Socket>,
    pub(crate) shard: Shard,
    pub(crate) commands: CommandReceiver,
    pub(crate) events: Arc<EventQueue>,
    pub(crate) directory: Arc<Mutex<Directory>>,
    pub(crate) published: Arc<Published>,
    pub(crate) stop: Arc<AtomicBool>,
}

/// What the loop keeps between turns, apart from what it shares.
struct Turns {
    buffers: ReceiveBuffers,
    outgoing: Vec<Transmit>,
    batch: Batch,
    happened: Vec<Event>,
    dropped: Dropped,
    panics: u64,
    published_at: Option<Instant>,
    /// First turn since the last that sent something.
    held_since: Option<Instant>,
}

impl Turns {
    fn new() -> Self {
        Turns {
            buffers: ReceiveBuffers::new(),
            outgoing: Vec::new(),
            batch: Batch::default(),
            happened: Vec::new(),
            dropped: Dropped::new(),
            panics: 0,
            published_at: None,
            held_since: None,
        }
    }
}

impl ShardThread {
    pub(crate) fn run(mut self) {
        block_signals();
        let mut turns = Turns::new();
        let mut ready = Events::with_capacity(64);
        let mut wait = Some(Duration::ZERO);
        loop {
            match self.poll.poll(&mut ready, wait) {
                Ok(()) => self.note(&ready, &mut turns),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, shard = self.index, "cannot poll");
                    std::thread::sleep(FAILURE_WAIT);
                }
            }
            self.commands.rearm();
            let is_last = self.stop.load(Ordering::Acquire);
            wait = self.guard(&mut turns, |shard, turns| shard.turn(turns));
            if is_last {
                self.guard(&mut turns, |shard, turns| {
                    shard.farewell(turns);
                    None
                });
                self.publish(&mut turns, Instant::now());
                return;
            }
        }
    }

    /// No panic ends the thread: the rooms that are not involved go on.
    fn guard(
        &mut self,
        turns: &mut Turns,
        work: impl FnOnce(&mut Self, &mut Turns) -> Option<Duration>,
    ) -> Option<Duration> {
        match catch_unwind(AssertUnwindSafe(|| work(self, turns))) {
            Ok(wait) => wait,
            Err(_) => {
                turns.panics += 1;
                tracing::error!(shard = self.index, "a panic was caught in the shard's loop");
                Some(FAILURE_WAIT)
            }
        }
    }

    fn note(&mut self, ready: &Events, turns: &mut Turns) {
        for event in ready {
            let Some(socket) = self.sockets.get_mut(event.token().0) else {
                continue;
            };
            if event.is_readable() || event.is_error() {
                socket.is_readable = true;
            }
            if event.is_writable() && socket.has_backlog() {
                socket.flush(self.poll.registry(), &mut turns.dropped);
            }
        }
    }

    /// One round: commands, one batch of datagrams a socket, flush unless pictures are unfinished.
    /// Returns how long to wait.
    fn turn(&mut self, turns: &mut Turns) -> Option<Duration> {
        let began = Instant::now();
        for _ in 0..COMMANDS_PER_TURN {
            let Some(command) = self.commands.next() else {
                break;
            };
            self.shard.command(began, command);
        }
        for socket in &mut self.sockets {
            if socket.is_readable {
                let local = socket.local();
                socket.receive(
                    &mut turns.buffers,
                    &mut turns.dropped,
                    |source, datagram| {
                        self.shard.receive(began, source, local, datagram);
                    },
                );
            }
        }
        self.shard.advance(began);
        let incomplete_until = self.shard.incomplete_until();
        let held_until = held_until(incomplete_until, turns.held_since, Instant::now());
        if held_until.is_none() {
            turns.held_since = None;
            self.transmit(turns);
        }
        self.hand_on_events(turns);

        let is_busy = !self.commands.is_empty() || self.sockets.iter().any(|s| s.is_readable);
        let now = Instant::now();
        let figures_due =
            *turns.published_at.get_or_insert(now - FIGURES_INTERVAL) + FIGURES_INTERVAL;
        if now >= figures_due {
            self.publish(turns, now);
        }
        if is_busy {
            return Some(Duration::ZERO);
        }
        if let Some(until) = held_until {
            turns.held_since.get_or_insert(began);
            // Not in the poll, which every packet would end, and which counts in milliseconds.
            std::thread::sleep(until.saturating_duration_since(now));
            return Some(Duration::ZERO);
        }
        let timer = self
            .shard
            .next_timeout()
            .map(|due| due.saturating_duration_since(now) + TIMER_SLACK);
        // Once nothing happens any more, figures are published one last time.
        let figures = (now < figures_due).then(|| figures_due - now);
        match (timer, figures) {
            (Some(timer), Some(figures)) => Some(timer.min(figures)),
            (timer, figures) => timer.or(figures),
        }
    }

    fn transmit(&mut self, turns: &mut Turns) {
        turns.outgoing.extend(self.shard.transmits());
        let mut left = turns.outgoing.len();
        for socket in &mut self.sockets {
            if left == 0 {
                break;
            }
            let had_backlog = socket.has_backlog();
            left -= socket.send(&mut turns.outgoing, &mut turns.batch, &mut turns.dropped);
            if !had_backlog && socket.has_backlog() {
                socket.watch(self.poll.registry());
            }
        }
        if left > 0 {
            count_drop(&mut turns.dropped, "send_unknown_source", left as u64);
        }
        self.shard.recycle(turns.outgoing.drain(..));
    }

    fn hand_on_events(&mut self, turns: &mut Turns) {
        turns.happened.extend(self.shard.events());
        for event in turns.happened.drain(..) {
            match &event {
                Event::ReliableSequence {
                    participant,
                    sequence,
                } => {
                    lock(&self.directory).set_sequence(participant, *sequence);
                    continue;
                }
                Event::ParticipantFailed { participant, .. } => {
                    lock(&self.directory).remove(participant);
                }
                _ => {}
            }
            self.events.push(event);
        }
    }

    fn publish(&mut self, turns: &mut Turns, now: Instant) {
        turns.published_at = Some(now);
        let mut core = self.shard.stats();
        core.panics += turns.panics;
        for (reason, count) in &turns.dropped {
            *core.datagrams_dropped.entry(reason).or_insert(0) += count;
        }
        self.published.set(ShardStats {
            cpu: thread_cpu(),
            command_queue: 0,
            core,
        });
    }

    /// Say goodbye to everybody, and give the kernel a moment to take it.
    fn farewell(&mut self, turns: &mut Turns) {
        let now = Instant::now();
        while let Some(command) = self.commands.next() {
            self.shard.command(now, command);
        }
        let rooms = lock(&self.directory).rooms_of(self.index);
        for room in rooms {
            self.shard.command(now, Command::CloseRoom { room });
        }
        self.shard.advance(now);
        self.transmit(turns);
        self.hand_on_events(turns);
        let mut ready = Events::with_capacity(16);
        while self.sockets.iter().any(Socket::has_backlog) {
            let left = FAREWELL.saturating_sub(now.elapsed());
            if left.is_zero() || self.poll.poll(&mut ready, Some(left)).is_err() {
                return;
            }
            self.note(&ready, turns);
        }
    }
}

/// Until when what is to be sent waits for the rest of a picture; `None`: it is sent now. `since`:
/// the first turn since something was sent.
fn held_until(
    incomplete_until: Option<Instant>,
    since: Option<Instant>,
    now: Instant,
) -> Option<Instant> {
    let until = incomplete_until?;
    // What came while this thread slept may have come right after the turn before.
    let limit = since.map_or(until, |since| since + HOLD);
    Some(until.min(limit)).filter(|until| *until > now)
}

fn lock(directory: &Mutex<Directory>) -> std::sync::MutexGuard<'_, Directory> {
    directory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Signals are for the thread that started the engine: a shard that took one would keep the
/// program's main thread from noticing it.
fn block_signals() {
    // SAFETY: both calls get a signal set of our own, and change this thread's mask only.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut signals);
        libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_queue::{CommandSender, command_queue};
    use conclave_sfu::ShardConfig;
    use mio::Waker;

    fn thread() -> (ShardThread, CommandSender) {
        let poll = Poll::new().unwrap();
        let (sender, commands) = command_queue(Waker::new(poll.registry(), WAKE).unwrap());
        let config = ShardConfig {
            candidates: Vec::new(),
        };
        let thread = ShardThread {
            index: 0,
            poll,
            sockets: Vec::new(),
            shard: Shard::new(config, Instant::now()),
            commands,
            events: Arc::new(EventQueue::new(16).unwrap()),
            directory: Arc::new(Mutex::new(Directory::new(1))),
            published: Arc::default(),
            stop: Arc::default(),
        };
        (thread, sender)
    }

    #[test]
    fn what_is_to_be_sent_is_held_for_unfinished_pictures_and_no_longer_than_the_limit() {
        let start = Instant::now();
        let us = |n: u64| start + Duration::from_micros(n);
        assert_eq!(held_until(None, None, us(0)), None);
        assert_eq!(
            held_until(None, Some(us(0)), us(100)),
            None,
            "all are whole"
        );
        assert_eq!(held_until(Some(us(2000)), None, us(10)), Some(us(2000)));
        assert_eq!(held_until(Some(us(2000)), None, us(2000)), None);
        // One that began meanwhile does not prolong it, nor does one after the other.
        let until = held_until(Some(us(3000)), Some(us(0)), us(1000));
        assert_eq!(until, Some(us(2000)));
        assert_eq!(held_until(Some(us(4000)), Some(us(0)), us(2100)), None);
    }

    #[test]
    fn a_panic_outside_of_any_participant_is_held_and_counted() {
        let (mut thread, _sender) = thread();
        let mut turns = Turns::new();
        let wait = thread.guard(&mut turns, |_, _| panic!("a defect in the loop"));
        assert_eq!(wait, Some(FAILURE_WAIT));
        thread.guard(&mut turns, |thread, turns| thread.turn(turns));
        assert_eq!(thread.published.get().core.panics, 1);
    }

    #[test]
    fn an_idle_shard_publishes_once_and_sleeps_for_good() {
        let (mut thread, _sender) = thread();
        let mut turns = Turns::new();
        // The first turn publishes at once; nothing has happened since, so nothing is due.
        assert_eq!(thread.turn(&mut turns), None);
        // What comes within the second that follows is published at its end.
        let wait = thread.turn(&mut turns).unwrap();
        assert!(wait > Duration::ZERO && wait <= FIGURES_INTERVAL);
    }

    #[test]
    fn many_commands_do_not_keep_datagrams_waiting() {
        let (mut thread, sender) = thread();
        for _ in 0..COMMANDS_PER_TURN + 1 {
            let room = "room".into();
            sender.send(Command::RequestKeyframes { room }).unwrap();
        }
        let mut turns = Turns::new();
        assert_eq!(thread.turn(&mut turns), Some(Duration::ZERO));
        assert_eq!(sender.len(), 1);
        assert_ne!(thread.turn(&mut turns), Some(Duration::ZERO));
    }

    #[test]
    fn a_thread_ends_when_it_is_told_to() {
        let (thread, sender) = thread();
        let stop = thread.stop.clone();
        let running = std::thread::spawn(|| thread.run());
        stop.store(true, Ordering::Release);
        sender.wake();
        running.join().unwrap();
    }
}
