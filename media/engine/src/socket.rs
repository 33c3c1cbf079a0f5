//! One UDP socket of a shard: batched receives, batched and segmented sends, and a bounded backlog for when the
//! kernel takes no more. No error of the network may end the thread: each is counted by its reason.

use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::ops::Range;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;

use conclave_sfu::Transmit;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use crate::egress::{next_batch, send_runs};

/// Asked of the kernel, which gives less when `net.core.[rw]mem_max` is lower.
const KERNEL_BUFFER: usize = 4 << 20;
/// Holds the longest datagram, or all that the kernel has coalesced into one (GRO).
const RECEIVE_BUFFER: usize = 1 << 16;
/// Datagrams that wait for a socket which takes no more; then the oldest are dropped.
const BACKLOG_LIMIT: usize = 1024;
/// Datagrams that came to nothing here, by reason.
pub(crate) type Dropped = HashMap<&'static str, u64>;

/// Memory for one batch of datagrams; one a shard.
pub(crate) struct ReceiveBuffers {
    memory: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl ReceiveBuffers {
    pub(crate) fn new() -> Self {
        ReceiveBuffers {
            memory: vec![0; BATCH_SIZE * RECEIVE_BUFFER],
            metas: [RecvMeta::default(); BATCH_SIZE],
        }
    }
}

/// Memory for what is being sent; one a shard.
#[derive(Default)]
pub(crate) struct Batch {
    runs: Vec<Range<usize>>,
    #[cfg(target_os = "linux")]
    kernel: crate::mmsg::Kernel,
    #[cfg(not(target_os = "linux"))]
    scratch: Vec<u8>,
}

pub(crate) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    /// Longest run that one segmented send may hold.
    max_run: usize,
    local: SocketAddr,
    token: Token,
    /// There may be something to read: the poll tells it once until everything has been read.
    pub(crate) is_readable: bool,
    backlog: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Socket {
    pub(crate) fn bind(address: SocketAddr, token: Token) -> io::Result<Self> {
        let raw = RawSocket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            raw.set_only_v6(true)?;
        }
        raw.set_nonblocking(true)?;
        raw.set_recv_buffer_size(KERNEL_BUFFER)?;
        raw.set_send_buffer_size(KERNEL_BUFFER)?;
        raw.bind(&address.into())?;
        let io = UdpSocket::from_std(raw.into());
        let state = UdpSocketState::new((&io).into())?;
        Ok(Socket {
            max_run: state.max_gso_segments(),
            state,
            local: io.local_addr()?,
            io,
            token,
            is_readable: true,
            backlog: VecDeque::new(),
        })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        registry.register(&mut self.io, self.token, Interest::READABLE)
    }

    /// Read one batch and hand on each datagram with its source.
    pub(crate) fn receive(
        &mut self,
        buffers: &mut ReceiveBuffers,
        dropped: &mut Dropped,
        mut datagram: impl FnMut(SocketAddr, &[u8]),
    ) {
        let ReceiveBuffers { memory, metas } = buffers;
        let mut chunks = memory.chunks_exact_mut(RECEIVE_BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let count = match self.state.recv((&self.io).into(), &mut slices, metas) {
            Ok(count) => count,
            Err(error) => {
                self.is_readable = false;
                if error.kind() != io::ErrorKind::WouldBlock {
                    count_drop(dropped, "receive_error", 1);
                }
                return;
            }
        };
        // Less than asked for: the kernel had no more, and tells when there is again.
        self.is_readable = count == BATCH_SIZE;
        for (meta, buffer) in metas.iter().zip(&slices).take(count) {
            for payload in buffer[..meta.len].chunks(meta.stride.max(1)) {
                datagram(meta.addr, payload);
            }
        }
    }

    /// Send the datagrams that leave from this socket, and return how many those are. Takes the
    /// payloads of those that have to wait.
    pub(crate) fn send(
        &mut self,
        datagrams: &mut [Transmit],
        batch: &mut Batch,
        dropped: &mut Dropped,
    ) -> usize {
        let mut count = 0;
        let mut next = 0;
        while next < datagrams.len() {
            next = next_batch(datagrams, next, self.local, self.max_run, &mut batch.runs);
            count += batch.runs.iter().map(Range::len).sum::<usize>();
            let mut blocked_at = Some(0);
            if self.backlog.is_empty() {
                let outcome = send_runs(
                    &batch.runs,
                    &mut |runs| {
                        #[cfg(target_os = "linux")]
                        return batch.kernel.send(self.io.as_fd(), datagrams, runs);
                        #[cfg(not(target_os = "linux"))]
                        return self.send_first(&datagrams[runs[0].clone()], &mut batch.scratch);
                    },
                    &mut |error| count_drop(dropped, reason(error), 1),
                );
                blocked_at = outcome.blocked_at;
                if outcome.refuses_segments {
                    tracing::info!("the kernel refuses segmented sends; datagrams go singly");
                    self.max_run = 1;
                }
            }
            if let Some(blocked_at) = blocked_at {
                self.queue_from(blocked_at, datagrams, &batch.runs, dropped);
            }
        }
        count
    }

    pub(crate) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Try the backlog again, and have the poll tell when the socket takes more, or no longer.
    pub(crate) fn flush(&mut self, registry: &Registry, dropped: &mut Dropped) {
        while let Some((destination, payload)) = self.backlog.front() {
            match self.send_one(*destination, payload) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => count_drop(dropped, reason(&error), 1),
                Ok(()) => {}
            }
            self.backlog.pop_front();
        }
        self.watch(registry);
    }

    /// Watch for writability only while there is a backlog: without one, each datagram that the
    /// kernel has sent would wake the thread.
    pub(crate) fn watch(&mut self, registry: &Registry) {
        let interest = if self.backlog.is_empty() {
            Interest::READABLE
        } else {
            Interest::READABLE | Interest::WRITABLE
        };
        if let Err(error) = registry.reregister(&mut self.io, self.token, interest) {
            tracing::warn!(%error, "cannot watch a socket");
        }
    }

    fn send_one(&self, destination: SocketAddr, contents: &[u8]) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: None,
            src_ip: None,
        };
        self.state.try_send((&self.io).into(), &transmit)
    }

    /// One message a call, where the kernel is not Linux's.
    #[cfg(not(target_os = "linux"))]
    fn send_first(&self, run: &[Transmit], scratch: &mut Vec<u8>) -> io::Result<usize> {
        let mut contents = run[0].payload.as_slice();
        if run.len() > 1 {
            scratch.clear();
            run.iter()
                .for_each(|datagram| scratch.extend_from_slice(&datagram.payload));
            contents = scratch;
        }
        let transmit = quinn_udp::Transmit {
            destination: run[0].destination,
            ecn: None,
            contents,
            segment_size: (run.len() > 1).then_some(run[0].payload.len()),
            src_ip: None,
        };
        self.state.try_send((&self.io).into(), &transmit)?;
        Ok(1)
    }

    /// Those of the runs that are at `first` or behind it.
    fn queue_from(
        &mut self,
        first: usize,
        datagrams: &mut [Transmit],
        runs: &[Range<usize>],
        dropped: &mut Dropped,
    ) {
        for at in runs.iter().cloned().flatten().filter(|at| *at >= first) {
            self.queue(&mut datagrams[at], dropped);
        }
    }

    fn queue(&mut self, transmit: &mut Transmit, dropped: &mut Dropped) {
        if self.backlog.len() >= BACKLOG_LIMIT {
            self.backlog.pop_front();
            count_drop(dropped, "send_backlog_full", 1);
        }
        let payload = std::mem::take(&mut transmit.payload);
        self.backlog.push_back((transmit.destination, payload));
    }
}

pub(crate) fn count_drop(dropped: &mut Dropped, reason: &'static str, count: u64) {
    let total = dropped.entry(reason).or_insert(0);
    if *total == 0 {
        tracing::warn!(reason, "datagrams are being dropped");
    }
    *total += count;
}

fn reason(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "send_refused",
        Some(libc::ENOBUFS | libc::ENOMEM) => "send_no_buffers",
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN | libc::EADDRNOTAVAIL) => {
            "send_unreachable"
        }
        Some(libc::EMSGSIZE) => "send_too_long",
        _ => "send_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::time::Duration;

    const LOOPBACKS: [&str; 2] = ["127.0.0.1:0", "[::1]:0"];

    fn transmit(from: &Socket, to: SocketAddr, size: usize) -> Transmit {
        Transmit {
            source: from.local(),
            destination: to,
            payload: vec![0x55; size],
        }
    }

    /// Of two bytes that count up, so that order can be told.
    fn numbered(from: &Socket, to: SocketAddr, number: usize, size: usize) -> Transmit {
        let mut one = transmit(from, to, size.max(2));
        one.payload[..2].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
        one
    }

    fn number(datagram: &[u8]) -> usize {
        u16::from_be_bytes([datagram[0], datagram[1]]).into()
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn bind(loopback: &str) -> Option<(Socket, Poll)> {
        let Ok(mut socket) = Socket::bind(loopback.parse().unwrap(), Token(0)) else {
            assert!(loopback.starts_with('['), "IPv4 loopback is always there");
            return None;
        };
        let poll = Poll::new().unwrap();
        socket.register(poll.registry()).unwrap();
        Some((socket, poll))
    }

    fn send(from: &mut Socket, datagrams: &mut [Transmit]) -> Dropped {
        let mut dropped = Dropped::new();
        let count = from.send(datagrams, &mut Batch::default(), &mut dropped);
        assert_eq!(count, datagrams.len());
        dropped
    }

    fn receive_all(socket: &mut Socket, poll: &mut Poll, want: usize) -> Vec<Vec<u8>> {
        let mut buffers = ReceiveBuffers::new();
        let mut dropped = Dropped::new();
        let mut events = Events::with_capacity(8);
        let mut got = Vec::new();
        for _ in 0..20 {
            while socket.is_readable {
                socket.receive(&mut buffers, &mut dropped, |_, datagram| {
                    got.push(datagram.to_vec());
                });
            }
            if got.len() >= want {
                break;
            }
            poll.poll(&mut events, Some(Duration::from_millis(100)))
                .unwrap();
            socket.is_readable |= !events.is_empty();
        }
        assert!(dropped.is_empty());
        got
    }

    #[test]
    fn segmented_sends_arrive_as_the_datagrams_they_were() {
        for loopback in LOOPBACKS {
            let Some((mut receiver, mut poll)) = bind(loopback) else {
                continue;
            };
            let (mut sender, _) = bind(loopback).unwrap();
            let mut run: Vec<Transmit> = (0..20)
                .map(|number| {
                    let size = if number == 19 { 50 } else { 900 };
                    numbered(&sender, receiver.local(), number, size)
                })
                .collect();
            let dropped = send(&mut sender, &mut run);
            assert!(dropped.is_empty(), "{dropped:?}");
            // Not one after the other because segmentation was refused.
            assert!(cfg!(not(target_os = "linux")) || sender.max_run > 1);
            let got = receive_all(&mut receiver, &mut poll, 20);
            let numbers: Vec<usize> = got.iter().map(|datagram| number(datagram)).collect();
            assert_eq!(numbers, (0..20).collect::<Vec<usize>>());
            assert_eq!(got[0].len(), 900);
            assert_eq!(got[19].len(), 50);
        }
    }

    #[test]
    fn more_messages_than_a_batch_arrive_in_order_each_at_its_own() {
        for loopback in LOOPBACKS {
            let Some((mut first, mut first_poll)) = bind(loopback) else {
                continue;
            };
            let (mut second, mut second_poll) = bind(loopback).unwrap();
            let (mut sender, _) = bind(loopback).unwrap();
            // Single datagrams for one, runs of two for the other, empty ones in between.
            let mut datagrams = Vec::new();
            for index in 0..200 {
                let runs = [(&first, 2 * index, 150), (&second, index, 900)];
                datagrams.extend(
                    runs.map(|(to, number, size)| numbered(&sender, to.local(), number, size)),
                );
                datagrams.push(numbered(&sender, first.local(), 2 * index + 1, 140));
                datagrams.push(numbered(&sender, first.local(), 2 * index + 1, 140));
                datagrams.push(transmit(&sender, second.local(), 0));
            }
            let dropped = send(&mut sender, &mut datagrams);
            assert!(dropped.is_empty(), "{dropped:?}");
            let got = receive_all(&mut first, &mut first_poll, 600);
            let numbers = got.iter().map(|datagram| number(datagram));
            let want = (0..200).flat_map(|index| [2 * index, 2 * index + 1, 2 * index + 1]);
            assert!(numbers.eq(want));
            let got = receive_all(&mut second, &mut second_poll, 200);
            let numbers = got.iter().filter(|datagram| !datagram.is_empty());
            assert!(numbers.map(|datagram| number(datagram)).eq(0..200));
        }
    }

    #[test]
    fn one_batch_serves_sockets_of_both_families() {
        let (Some((mut four, mut four_poll)), Some((mut six, mut six_poll))) =
            (bind(LOOPBACKS[0]), bind(LOOPBACKS[1]))
        else {
            return;
        };
        let mut mixed: Vec<Transmit> = (0..40)
            .map(|index| {
                let socket = if index % 2 == 0 { &four } else { &six };
                numbered(socket, socket.local(), index, 100)
            })
            .collect();
        let (mut batch, mut dropped) = (Batch::default(), Dropped::new());
        assert_eq!(four.send(&mut mixed, &mut batch, &mut dropped), 20);
        assert_eq!(six.send(&mut mixed, &mut batch, &mut dropped), 20);
        assert!(dropped.is_empty(), "{dropped:?}");
        let got = receive_all(&mut four, &mut four_poll, 20);
        assert!(got.iter().map(|one| number(one)).eq((0..40).step_by(2)));
        let got = receive_all(&mut six, &mut six_poll, 20);
        assert!(got.iter().map(|one| number(one)).eq((1..40).step_by(2)));
    }

    #[test]
    fn what_the_network_refuses_is_counted_and_nothing_else_happens() {
        for loopback in LOOPBACKS {
            let Some((mut receiver, mut poll)) = bind(loopback) else {
                continue;
            };
            let (mut sender, _) = bind(loopback).unwrap();
            let wrong_family: SocketAddr = match receiver.local() {
                SocketAddr::V4(_) => "[::1]:9".parse().unwrap(),
                SocketAddr::V6(_) => address(9),
            };
            let mut no_port = receiver.local();
            no_port.set_port(0);
            let mut datagrams = Vec::new();
            for index in 0..30 {
                datagrams.push(numbered(&sender, receiver.local(), index, 100 + index));
                match index {
                    // A run, then single ones.
                    5 => datagrams.extend([(); 3].map(|()| transmit(&sender, wrong_family, 100))),
                    10 => datagrams.extend([(); 2].map(|()| transmit(&sender, no_port, 100))),
                    15 => datagrams.push(transmit(&sender, wrong_family, 100)),
                    20 => datagrams.push(transmit(&sender, receiver.local(), 65_535)),
                    _ => {}
                }
            }
            let max_run = sender.max_run;
            let dropped = send(&mut sender, &mut datagrams);
            assert_eq!(dropped.values().sum::<u64>(), 7, "{dropped:?}");
            assert_eq!(dropped["send_too_long"], 1);
            assert!(!sender.has_backlog());
            assert_eq!(sender.max_run, max_run, "segments are not to blame");
            let got = receive_all(&mut receiver, &mut poll, 30);
            assert!(got.iter().map(|one| number(one)).eq(0..30));
        }
    }

    #[test]
    fn a_kernel_that_does_not_segment_gets_single_datagrams() {
        let (mut receiver, mut poll) = bind(LOOPBACKS[0]).unwrap();
        let (mut sender, _) = bind(LOOPBACKS[0]).unwrap();
        sender.max_run = 1;
        let mut run: Vec<Transmit> = (0..5)
            .map(|index| numbered(&sender, receiver.local(), index, 100))
            .collect();
        assert!(send(&mut sender, &mut run).is_empty());
        let got = receive_all(&mut receiver, &mut poll, 5);
        assert!(got.iter().map(|one| number(one)).eq(0..5));
    }

    #[test]
    fn what_a_full_kernel_leaves_waits_in_order() {
        let (mut receiver, mut later) = bind(LOOPBACKS[0]).unwrap();
        let (mut sender, poll) = bind(LOOPBACKS[0]).unwrap();
        let mut datagrams: Vec<Transmit> = (0..8)
            .map(|index| numbered(&sender, receiver.local(), index, 100))
            .collect();
        let mut dropped = Dropped::new();
        // The second leaves from another socket; the kernel stopped within the second run.
        sender.queue_from(4, &mut datagrams, &[0..1, 2..6], &mut dropped);
        assert_eq!(sender.backlog.len(), 2);
        // What comes next waits behind, more than a batch of it.
        let mut more: Vec<Transmit> = (6..206)
            .map(|index| numbered(&sender, receiver.local(), index, 100 + index))
            .collect();
        assert!(send(&mut sender, &mut more).is_empty());
        assert_eq!(sender.backlog.len(), 202);
        sender.flush(poll.registry(), &mut dropped);
        assert!(!sender.has_backlog() && dropped.is_empty());
        let got = receive_all(&mut receiver, &mut later, 202);
        assert!(got.iter().map(|one| number(one)).eq(4..206));
    }

    #[test]
    fn the_backlog_is_bounded_and_keeps_the_newest() {
        let mut sender = Socket::bind(address(0), Token(0)).unwrap();
        let mut dropped = Dropped::new();
        for number in 0..BACKLOG_LIMIT + 5 {
            let mut one = numbered(&sender, address(9), number, 2);
            sender.queue(&mut one, &mut dropped);
        }
        assert_eq!(dropped["send_backlog_full"], 5);
        assert_eq!(sender.backlog.front().unwrap().1, 5u16.to_be_bytes());

        let poll = Poll::new().unwrap();
        sender.register(poll.registry()).unwrap();
        let (mut receiver, mut later) = bind(LOOPBACKS[0]).unwrap();
        for waiting in &mut sender.backlog {
            waiting.0 = receiver.local();
        }
        // More sends wait behind the backlog, so that order is kept.
        sender.backlog.truncate(100);
        let mut one = [transmit(&sender, receiver.local(), 3)];
        assert!(send(&mut sender, &mut one).is_empty());
        assert_eq!(sender.backlog.len(), 101);
        sender.flush(poll.registry(), &mut dropped);
        assert!(!sender.has_backlog());
        let got = receive_all(&mut receiver, &mut later, 101);
        assert_eq!(got.len(), 101);
        assert_eq!(got[100].len(), 3);
    }
}
