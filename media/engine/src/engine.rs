//! The engine's handle: starts the threads, routes commands, collects events and figures.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use conclave_sfu::{Command, Shard, ShardConfig};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use mio::{Poll, Token, Waker};

use crate::command_queue::{CommandSender, command_queue};
use crate::config::{Config, StartError};
use crate::directory::Directory;
use crate::event_queue::{Drained, EventQueue};
use crate::shard::{ShardThread, WAKE};
use crate::snapshot::{EngineStats, Published, ShardStats};
use crate::socket::Socket;

/// How long `shutdown` waits for the threads.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("the media engine is closed")]
    Closed,
    #[error("the media engine is overloaded: too many commands wait")]
    Full,
}

/// All shards of a process. Every method may be called from any thread and returns at once, but
/// for `shutdown`.
pub struct Engine {
    shards: Vec<ShardHandle>,
    directory: Arc<Mutex<Directory>>,
    events: Arc<EventQueue>,
    stop: Arc<AtomicBool>,
    threads: Mutex<Threads>,
}

struct ShardHandle {
    commands: CommandSender,
    published: Arc<Published>,
    locals: Vec<SocketAddr>,
}

struct Threads {
    handles: Vec<JoinHandle<()>>,
    /// Disconnected once every thread has ended.
    ended: Receiver<()>,
}

impl Engine {
    /// Bind every socket, then start the threads. Nothing is left behind when either fails.
    pub fn start(config: &Config) -> Result<Engine, StartError> {
        config.check()?;
        let mut bound = Vec::with_capacity(config.shards);
        for index in 0..config.shards {
            bound.push(bind(config, index)?);
        }
        let (running, ended) = bounded::<()>(0);
        let mut engine = Engine {
            shards: Vec::with_capacity(config.shards),
            directory: Arc::new(Mutex::new(Directory::new(config.shards))),
            events: Arc::new(EventQueue::new(config.event_limit)?),
            stop: Arc::new(AtomicBool::new(false)),
            threads: Mutex::new(Threads {
                handles: Vec::new(),
                ended,
            }),
        };
        for (index, sockets) in bound.into_iter().enumerate() {
            let thread = engine.add_shard(config, index, sockets)?;
            let running = running.clone();
            let handle = std::thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || {
                    let _running = running;
                    thread.run();
                })?;
            engine.threads().handles.push(handle);
        }
        Ok(engine)
    }

    /// Queue a command to the shard that it is for. What names somebody unknown is ignored.
    pub fn send(&self, command: Command) -> Result<(), CommandError> {
        // Held over both steps, so that commands of one room keep their order.
        let mut directory = self.directory();
        if directory.is_closed() {
            return Err(CommandError::Closed);
        }
        let Some((shard, change)) = directory.route(&command) else {
            return Ok(());
        };
        self.shards[shard]
            .commands
            .send(command)
            .map_err(|_| CommandError::Full)?;
        directory.apply(shard, change);
        Ok(())
    }

    /// Sequence of the last reliable data packet received from a participant; 0 for none.
    pub fn last_reliable_sequence(&self, participant: &str) -> u32 {
        self.directory().sequence(participant)
    }

    /// Readable while events wait; open as long as the engine exists, closed or not.
    pub fn fileno(&self) -> RawFd {
        self.events.fileno()
    }

    /// Take up to `limit` events. Possible after `shutdown` too.
    pub fn drain(&self, limit: usize) -> Drained {
        self.events.drain(limit)
    }

    pub fn stats(&self) -> EngineStats {
        let (rooms, participants) = {
            let directory = self.directory();
            (directory.room_count(), directory.participant_count())
        };
        let shards: Vec<ShardStats> = self
            .shards
            .iter()
            .map(|shard| ShardStats {
                command_queue: shard.commands.len(),
                ..shard.published.get()
            })
            .collect();
        EngineStats {
            rooms,
            participants,
            event_queue: self.events.len(),
            events_lost: self.events.lost(),
            commands_refused: self.shards.iter().map(|s| s.commands.refused()).sum(),
            shards,
        }
    }

    /// Where each shard is bound.
    pub fn local_addresses(&self) -> Vec<Vec<SocketAddr>> {
        self.shards.iter().map(|s| s.locals.clone()).collect()
    }

    /// Say goodbye to all clients, end the threads and close the sockets; at most 1 s.
    pub fn shutdown(&self) {
        let mut threads = self.threads();
        if !self.directory().close() {
            return;
        }
        self.stop.store(true, Ordering::Release);
        self.shards.iter().for_each(|shard| shard.commands.wake());
        let deadline = Instant::now() + SHUTDOWN_LIMIT;
        match threads.ended.recv_deadline(deadline) {
            Err(RecvTimeoutError::Timeout) => {
                tracing::error!("a shard thread did not end in time and is left behind");
                threads.handles.clear();
            }
            _ => {
                for handle in threads.handles.drain(..) {
                    if handle.join().is_err() {
                        tracing::error!("a shard thread has panicked");
                    }
                }
            }
        }
    }

    fn add_shard(
        &mut self,
        config: &Config,
        index: usize,
        mut sockets: Vec<Socket>,
    ) -> Result<ShardThread, StartError> {
        let poll = Poll::new()?;
        for socket in &mut sockets {
            socket.register(poll.registry())?;
        }
        let (sender, receiver) = command_queue(Waker::new(poll.registry(), WAKE)?);
        let locals: Vec<SocketAddr> = sockets.iter().map(Socket::local).collect();
        let shard = Shard::new(
            ShardConfig {
                candidates: config.candidates(&locals),
            },
            Instant::now(),
        );
        let published = Arc::new(Published::default());
        self.shards.push(ShardHandle {
            commands: sender,
            published: published.clone(),
            locals,
        });
        Ok(ShardThread {
            index,
            poll,
            sockets,
            shard,
            commands: receiver,
            events: self.events.clone(),
            directory: self.directory.clone(),
            published,
            stop: self.stop.clone(),
        })
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shutdown();
    }
}

fn bind(config: &Config, index: usize) -> Result<Vec<Socket>, StartError> {
    config
        .binds(index)
        .enumerate()
        .map(|(token, address)| {
            Socket::bind(address, Token(token))
                .map_err(|source| StartError::Bind { address, source })
        })
        .collect()
}
