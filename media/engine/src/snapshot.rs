//! Figures that shard threads publish and anybody may read at any time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use conclave_sfu::Stats;

#[derive(Debug, Clone, Default)]
pub struct ShardStats {
    /// Processor time of the thread since it started.
    pub cpu: Duration,
    /// Commands that wait for the thread.
    pub command_queue: usize,
    /// The core's counters, with the driver's own reasons in `datagrams_dropped`.
    pub core: Stats,
}

#[derive(Debug, Clone, Default)]
pub struct EngineStats {
    pub rooms: usize,
    pub participants: usize,
    pub event_queue: usize,
    pub events_lost: u64,
    pub commands_refused: u64,
    pub shards: Vec<ShardStats>,
}

/// The latest figures of one shard: written by its thread about once a second.
#[derive(Default)]
pub(crate) struct Published(Mutex<ShardStats>);

impl Published {
    pub(crate) fn set(&self, stats: ShardStats) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }

    pub(crate) fn get(&self) -> ShardStats {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Processor time that the calling thread has used.
pub(crate) fn thread_cpu() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writes; the clock exists on every system this is built for.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    if result != 0 {
        return Duration::ZERO;
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}
