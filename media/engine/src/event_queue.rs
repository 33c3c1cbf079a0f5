//! The bounded way of events out of all shard threads, watched by an event loop through a file
//! descriptor. Must never make a shard wait: what does not fit is lost and counted.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use conclave_sfu::Event;
use crossbeam_channel::{Receiver, Sender, bounded};
use mio::unix::pipe;

/// What one call of `drain` took.
#[derive(Debug, Default)]
pub struct Drained {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Events lost since the previous call because nobody drained in time.
    pub lost: u64,
}

pub(crate) struct EventQueue {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    /// The descriptor is (about to be) readable. Only who turns it on writes.
    is_armed: AtomicBool,
    signal: pipe::Sender,
    signalled: pipe::Receiver,
    lost: AtomicU64,
    /// How many of `lost` have been told.
    told: Mutex<u64>,
}

impl EventQueue {
    pub(crate) fn new(limit: usize) -> io::Result<Self> {
        let (sender, receiver) = bounded(limit);
        let (signal, signalled) = pipe::new()?;
        Ok(EventQueue {
            sender,
            receiver,
            is_armed: AtomicBool::new(false),
            signal,
            signalled,
            lost: AtomicU64::new(0),
            told: Mutex::new(0),
        })
    }

    pub(crate) fn push(&self, event: Event) {
        if self.sender.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.arm();
    }

    pub(crate) fn drain(&self, limit: usize) -> Drained {
        // The order matters: an event pushed after the swap writes again, one pushed before it is
        // seen by the reads below (and its signal may still come: one wake-up for nothing).
        let mut sink = [0; 64];
        while matches!((&self.signalled).read(&mut sink), Ok(read) if read == sink.len()) {}
        self.is_armed.swap(false, Ordering::AcqRel);

        let waiting = self.receiver.len().min(limit);
        let mut events = Vec::with_capacity(waiting);
        while events.len() < limit
            && let Ok(event) = self.receiver.try_recv()
        {
            events.push(event);
        }
        if !self.receiver.is_empty() {
            self.arm();
        }
        Drained {
            events,
            lost: self.take_lost(),
        }
    }

    pub(crate) fn fileno(&self) -> RawFd {
        self.signalled.as_raw_fd()
    }

    pub(crate) fn len(&self) -> usize {
        self.receiver.len()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn arm(&self) {
        // A write that fails for a full pipe is fine: then the descriptor is readable anyway.
        if !self.is_armed.swap(true, Ordering::AcqRel) {
            let _ = (&self.signal).write(&[1]);
        }
    }

    fn take_lost(&self) -> u64 {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = self.lost();
        let new = lost - *told;
        *told = lost;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn event(number: u32) -> Event {
        Event::ReliableSequence {
            participant: "PA_1".into(),
            sequence: number,
        }
    }

    fn is_readable(queue: &EventQueue) -> bool {
        let mut poll = libc::pollfd {
            fd: queue.fileno(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid pollfd, length 1.
        unsafe { libc::poll(&mut poll, 1, 0) == 1 }
    }

    #[test]
    fn readable_exactly_while_events_wait() {
        let queue = EventQueue::new(16).unwrap();
        assert!(!is_readable(&queue));
        for number in 0..5 {
            queue.push(event(number));
        }
        assert!(is_readable(&queue));
        assert_eq!(queue.drain(3).events, [event(0), event(1), event(2)]);
        assert!(is_readable(&queue), "two are left");
        assert_eq!(queue.drain(3).events, [event(3), event(4)]);
        assert!(!is_readable(&queue));
        queue.push(event(5));
        assert!(is_readable(&queue));
    }

    #[test]
    fn overflow_is_counted_and_told_once() {
        let queue = EventQueue::new(2).unwrap();
        for number in 0..5 {
            queue.push(event(number));
        }
        let drained = queue.drain(10);
        assert_eq!(drained.events, [event(0), event(1)]);
        assert_eq!(drained.lost, 3);
        assert_eq!(queue.drain(10).lost, 0);
        assert_eq!(queue.lost(), 3);
    }

    #[test]
    fn no_wake_up_is_lost_between_threads() {
        const COUNT: u32 = 20_000;
        let queue = Arc::new(EventQueue::new(COUNT as usize).unwrap());
        let writer = {
            let queue = queue.clone();
            std::thread::spawn(move || (0..COUNT).for_each(|number| queue.push(event(number))))
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut seen = 0;
        while seen < COUNT {
            assert!(Instant::now() < deadline, "stuck after {seen}");
            let mut poll = libc::pollfd {
                fd: queue.fileno(),
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one valid pollfd, length 1.
            let ready = unsafe { libc::poll(&mut poll, 1, 5_000) };
            assert_eq!(ready, 1, "descriptor silent after {seen}");
            seen += u32::try_from(queue.drain(7).events.len()).unwrap();
        }
        writer.join().unwrap();
        // The last events may have been drained between their arrival and their signal: then the
        // descriptor wakes once more, for nothing.
        assert_eq!(queue.drain(7).events, []);
        assert!(!is_readable(&queue));
    }
}
