//! One thread that carries many participants over one poll.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::client::{Client, Interval};
use crate::histogram::Histogram;
use crate::scenario::{Shared, Spec};
use crate::udp::datagram_buffer;

/// How often the main thread's figures are brought up to date.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);

/// Two media sockets and the WebSocket, of each participant.
const TOKENS: usize = 3;
const SIGNAL: usize = 2;

/// What the main thread sees of a worker while it runs.
#[derive(Default, Clone)]
pub struct Gauges {
    pub connected: u64,
    pub ready: u64,
    pub done: u64,
    pub joins: u64,
    pub failures: u64,
    /// Since the last look.
    pub packets: u64,
    pub bytes: u64,
    pub latency: Histogram,
}

#[derive(Default)]
pub struct Board {
    gauges: Mutex<Gauges>,
    is_leaving: AtomicBool,
}

impl Board {
    /// Everybody is to leave now.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    fn publish(&self, clients: &[Client], wanted_layer: u8, interval: &mut Interval) {
        let count =
            |test: &dyn Fn(&Client) -> bool| clients.iter().filter(|it| test(it)).count() as u64;
        let mut gauges = self
            .gauges
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        gauges.connected = count(&Client::is_connected);
        gauges.ready = count(&|it| it.is_ready(wanted_layer));
        gauges.done = count(&Client::is_done);
        gauges.joins = clients.iter().map(|it| it.tally.joins).sum();
        gauges.failures = clients.iter().map(|it| it.tally.failures).sum();
        let interval = std::mem::take(interval);
        gauges.packets += interval.packets;
        gauges.bytes += interval.bytes;
        gauges.latency.merge(&interval.latency);
    }

    /// The figures so far; what is counted since the last look begins anew.
    pub fn take(&self) -> Gauges {
        let mut gauges = self
            .gauges
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let taken = gauges.clone();
        gauges.packets = 0;
        gauges.bytes = 0;
        gauges.latency = Histogram::default();
        taken
    }
}

/// Carry participants until all have left or `hard_stop` has come.
pub fn run(
    specs: Vec<Spec>,
    shared: &Shared,
    board: &Arc<Board>,
    hard_stop: Instant,
) -> io::Result<Vec<Client>> {
    let start = Instant::now();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1_024);
    let mut buffer = datagram_buffer();
    let mut interval = Interval::default();
    let mut next_publish = start;
    let mut is_leaving = false;
    let mut clients: Vec<Client> = specs
        .into_iter()
        .enumerate()
        .map(|(at, spec)| {
            let seed = shared.seed.wrapping_mul(31).wrapping_add(at as u64);
            let tokens = std::array::from_fn(|of| Token(at * TOKENS + of));
            Client::new(spec, tokens, seed, start)
        })
        .collect();
    loop {
        let now = Instant::now();
        for client in clients.iter_mut().filter(|client| client.next_due() <= now) {
            client.tick(now, shared, poll.registry(), &mut interval);
        }
        if next_publish <= now {
            next_publish = now + PUBLISH_EVERY;
            board.publish(&clients, shared.wanted_layer, &mut interval);
        }
        if !is_leaving && board.is_leaving.load(Ordering::Relaxed) {
            is_leaving = true;
            clients.iter_mut().for_each(|client| client.stop(now));
        }
        // Who is done does not come back.
        if now >= hard_stop || clients.iter().all(Client::is_done) {
            board.publish(&clients, shared.wanted_layer, &mut interval);
            return Ok(clients);
        }
        let due = clients
            .iter()
            .map(Client::next_due)
            .fold(next_publish, Instant::min);
        match poll.poll(
            &mut events,
            Some(due.saturating_duration_since(Instant::now())),
        ) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            let Token(token) = event.token();
            let Some(client) = clients.get_mut(token / TOKENS) else {
                continue;
            };
            let now = Instant::now();
            match token % TOKENS {
                SIGNAL => client.on_signal(now, shared, &mut interval),
                link => client.on_datagrams(link, now, &mut buffer, shared, &mut interval),
            }
        }
    }
}
