//! The bounded way of commands to one shard thread. Must never make the sender wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use conclave_sfu::Command;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use mio::Waker;

/// Commands that may wait for one shard.
const LIMIT: usize = 16_384;
/// Room beyond the limit that only `Close` and `CloseRoom` may use: a participant that signalling
/// has forgotten must not stay behind because its shard was busy at that moment.
const RESERVE: usize = 4_096;
/// Bytes of SDP and data packets that may wait for one shard.
const BYTES_LIMIT: usize = 64 << 20;

/// The shard is behind; the command was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

struct Shared {
    waker: Waker,
    /// Set by the first sender after the shard has last looked: one wake-up for a burst.
    is_woken: AtomicBool,
    bytes: AtomicUsize,
    refused: AtomicU64,
}

#[derive(Clone)]
pub(crate) struct CommandSender {
    queue: Sender<Command>,
    shared: Arc<Shared>,
}

pub(crate) struct CommandReceiver {
    queue: Receiver<Command>,
    shared: Arc<Shared>,
}

pub(crate) fn command_queue(waker: Waker) -> (CommandSender, CommandReceiver) {
    let (sender, receiver) = bounded(LIMIT + RESERVE);
    let shared = Arc::new(Shared {
        waker,
        is_woken: AtomicBool::new(false),
        bytes: AtomicUsize::new(0),
        refused: AtomicU64::new(0),
    });
    let sender = CommandSender {
        queue: sender,
        shared: shared.clone(),
    };
    (
        sender,
        CommandReceiver {
            queue: receiver,
            shared,
        },
    )
}

impl CommandSender {
    pub(crate) fn send(&self, command: Command) -> Result<(), Full> {
        let bytes = size(&command);
        let is_ending = matches!(command, Command::Close { .. } | Command::CloseRoom { .. });
        let is_full = self.queue.len() >= LIMIT
            || self.shared.bytes.load(Ordering::Relaxed) + bytes > BYTES_LIMIT;
        if is_full && !is_ending {
            return self.refuse();
        }
        self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
        match self.queue.try_send(command) {
            Ok(()) => {
                self.wake();
                Ok(())
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
                self.refuse()
            }
        }
    }

    pub(crate) fn wake(&self) {
        if !self.shared.is_woken.swap(true, Ordering::AcqRel)
            && let Err(error) = self.shared.waker.wake()
        {
            // The shard finds the command at its next timeout or datagram.
            self.shared.is_woken.store(false, Ordering::Release);
            tracing::warn!(%error, "cannot wake a shard");
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    fn refuse(&self) -> Result<(), Full> {
        self.shared.refused.fetch_add(1, Ordering::Relaxed);
        Err(Full)
    }
}

impl CommandReceiver {
    /// To be called before the queue is read: whoever sends from now on wakes the shard again.
    pub(crate) fn rearm(&self) {
        self.shared.is_woken.swap(false, Ordering::AcqRel);
    }

    pub(crate) fn next(&self) -> Option<Command> {
        let command = self.queue.try_recv().ok()?;
        self.shared
            .bytes
            .fetch_sub(size(&command), Ordering::Relaxed);
        Some(command)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// What a waiting command holds beyond a few hundred bytes.
fn size(command: &Command) -> usize {
    match command {
        Command::Offer { sdp, .. } => sdp.len(),
        Command::Trickle { candidate, .. } => candidate.len(),
        Command::SendData {
            packet,
            destinations,
            ..
        } => packet.len() + destinations.len() * 16,
        Command::ReplayData { last, .. } => last.len() * 32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Poll, Token};

    fn queue() -> (Poll, CommandSender, CommandReceiver) {
        let poll = Poll::new().unwrap();
        let (sender, receiver) = command_queue(Waker::new(poll.registry(), Token(0)).unwrap());
        (poll, sender, receiver)
    }

    fn keyframes() -> Command {
        Command::RequestKeyframes {
            room: "room".into(),
        }
    }

    #[test]
    fn a_full_queue_refuses_but_still_takes_goodbyes() {
        let (_poll, sender, receiver) = queue();
        for _ in 0..LIMIT {
            sender.send(keyframes()).unwrap();
        }
        assert_eq!(sender.send(keyframes()), Err(Full));
        let close = Command::Close {
            participant: "PA_1".into(),
        };
        assert_eq!(sender.send(close), Ok(()));
        assert_eq!(sender.refused(), 1);
        assert_eq!(sender.len(), LIMIT + 1);
        assert!(receiver.next().is_some());
        assert!(receiver.next().is_some());
        assert_eq!(sender.send(keyframes()), Ok(()));
    }

    #[test]
    fn waiting_bytes_are_bounded_and_given_back() {
        let (_poll, sender, receiver) = queue();
        let data = || Command::SendData {
            room: "room".into(),
            packet: vec![0; BYTES_LIMIT / 4],
            reliable: true,
            destinations: Vec::new(),
        };
        for _ in 0..4 {
            sender.send(data()).unwrap();
        }
        assert_eq!(sender.send(data()), Err(Full));
        assert!(receiver.next().is_some());
        assert_eq!(sender.send(data()), Ok(()));
    }

    #[test]
    fn a_burst_wakes_once_and_again_after_the_shard_has_looked() {
        let (_poll, sender, receiver) = queue();
        sender.send(keyframes()).unwrap();
        assert!(sender.shared.is_woken.load(Ordering::Acquire));
        receiver.rearm();
        assert!(!sender.shared.is_woken.load(Ordering::Acquire));
        assert!(receiver.next().is_some());
        assert!(receiver.next().is_none());
        sender.send(keyframes()).unwrap();
        assert!(sender.shared.is_woken.load(Ordering::Acquire));
    }
}
