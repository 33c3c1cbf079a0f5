//! One UDP socket of a shard: batched receives, segmented sends, and a bounded backlog for when the
//! kernel takes no more. No error of the network may end the thread: each is counted by its reason.

use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;

use conclave_sfu::Transmit;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

/// Asked of the kernel, which gives less when `net.core.[rw]mem_max` is lower.
const KERNEL_BUFFER: usize = 4 << 20;
/// Holds the longest datagram, or all that the kernel has coalesced into one (GRO).
const RECEIVE_BUFFER: usize = 1 << 16;
/// Datagrams that wait for a socket which takes no more; then the oldest are dropped.
const BACKLOG_LIMIT: usize = 1024;
/// The longest datagram that is sent segmented: it fits the smallest MTU of IPv6 (1280), because
/// the kernel refuses segments above the interface's MTU and segmentation would be given up.
const SEGMENT_LIMIT: usize = 1232;
/// Payload of one segmented send: what an IPv4 datagram may hold.
const RUN_LIMIT: usize = 65_507;

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

pub(crate) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
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
        Ok(Socket {
            state: UdpSocketState::new((&io).into())?,
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

    /// Send datagrams of one destination, a run as `run_length` makes it. Takes their payloads.
    pub(crate) fn send(
        &mut self,
        run: &mut [Transmit],
        scratch: &mut Vec<u8>,
        dropped: &mut Dropped,
    ) {
        if !self.backlog.is_empty() {
            run.iter_mut()
                .for_each(|transmit| self.queue(transmit, dropped));
            return;
        }
        if run.len() > 1 && run.len() <= self.state.max_gso_segments() {
            match self.send_segmented(run, scratch) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    run.iter_mut()
                        .for_each(|transmit| self.queue(transmit, dropped));
                    return;
                }
                // Not segmented then. `state` remembers when the kernel cannot do it at all.
                Err(_) => {}
            }
        }
        for transmit in run {
            if !self.backlog.is_empty() {
                self.queue(transmit, dropped);
                continue;
            }
            match self.send_one(transmit.destination, &transmit.payload) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.queue(transmit, dropped);
                }
                Err(error) => count_drop(dropped, reason(&error), 1),
            }
        }
    }

    /// Longest run that one segmented send may hold on this socket.
    pub(crate) fn max_run(&self) -> usize {
        self.state.max_gso_segments()
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

    fn send_segmented(&self, run: &[Transmit], scratch: &mut Vec<u8>) -> io::Result<()> {
        scratch.clear();
        for transmit in run {
            scratch.extend_from_slice(&transmit.payload);
        }
        let transmit = quinn_udp::Transmit {
            destination: run[0].destination,
            ecn: None,
            contents: scratch,
            segment_size: Some(run[0].payload.len()),
            src_ip: None,
        };
        self.state.try_send((&self.io).into(), &transmit)
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

/// How many of the first datagrams can leave in one segmented send: same way, equal length, the
/// last one may be shorter.
pub(crate) fn run_length(transmits: &[Transmit], max: usize) -> usize {
    let Some(first) = transmits.first() else {
        return 0;
    };
    let size = first.payload.len();
    if size == 0 || size > SEGMENT_LIMIT {
        return 1;
    }
    let mut total = size;
    let mut length = 1;
    for next in &transmits[1..] {
        let next_size = next.payload.len();
        total += next_size;
        if length >= max
            || next_size == 0
            || next_size > size
            || total > RUN_LIMIT
            || next.destination != first.destination
            || next.source != first.source
        {
            break;
        }
        length += 1;
        if next_size < size {
            break;
        }
    }
    length
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

    fn transmit(to: SocketAddr, size: usize) -> Transmit {
        Transmit {
            source: "127.0.0.1:1".parse().unwrap(),
            destination: to,
            payload: vec![0x55; size],
        }
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn sizes(list: &[usize]) -> Vec<Transmit> {
        list.iter()
            .map(|size| transmit(address(9), *size))
            .collect()
    }

    #[test]
    fn runs_are_of_one_way_and_equal_length_with_a_shorter_last() {
        assert_eq!(run_length(&[], 64), 0);
        assert_eq!(run_length(&sizes(&[100, 100, 100]), 64), 3);
        assert_eq!(run_length(&sizes(&[100, 100, 60, 60]), 64), 3);
        assert_eq!(run_length(&sizes(&[100, 101]), 64), 1);
        assert_eq!(run_length(&sizes(&[1400, 1400]), 64), 1);
        assert_eq!(run_length(&sizes(&[100, 0]), 64), 1);
        assert_eq!(run_length(&sizes(&[100; 100]), 64), 64);
        assert_eq!(run_length(&sizes(&[100; 100]), 1), 1);
        assert_eq!(run_length(&sizes(&[1232; 64]), 64), 53);
        let two = [transmit(address(9), 100), transmit(address(8), 100)];
        assert_eq!(run_length(&two, 64), 1);
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
        for loopback in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(mut receiver) = Socket::bind(loopback.parse().unwrap(), Token(0)) else {
                assert!(loopback.starts_with('['), "IPv4 loopback is always there");
                continue;
            };
            let mut poll = Poll::new().unwrap();
            receiver.register(poll.registry()).unwrap();
            let mut sender = Socket::bind(loopback.parse().unwrap(), Token(1)).unwrap();
            let mut run: Vec<Transmit> = (0..20)
                .map(|number| {
                    let mut one = transmit(receiver.local(), if number == 19 { 50 } else { 900 });
                    one.payload[0] = number;
                    one
                })
                .collect();
            let length = run_length(&run, 64);
            assert_eq!(length, 20);
            let mut dropped = Dropped::new();
            sender.send(&mut run, &mut Vec::new(), &mut dropped);
            assert!(dropped.is_empty());
            let got = receive_all(&mut receiver, &mut poll, 20);
            let numbers: Vec<u8> = got.iter().map(|datagram| datagram[0]).collect();
            assert_eq!(numbers, (0..20).collect::<Vec<u8>>());
            assert_eq!(got[0].len(), 900);
            assert_eq!(got[19].len(), 50);
        }
    }

    #[test]
    fn what_the_network_refuses_is_counted_and_nothing_else_happens() {
        let mut sender = Socket::bind(address(0), Token(0)).unwrap();
        let mut dropped = Dropped::new();
        let wrong_family: SocketAddr = "[::1]:9".parse().unwrap();
        let mut run = [transmit(wrong_family, 100), transmit(wrong_family, 100)];
        sender.send(&mut run, &mut Vec::new(), &mut dropped);
        let mut long = [transmit(address(9), 65_535)];
        sender.send(&mut long, &mut Vec::new(), &mut dropped);
        assert_eq!(dropped.values().sum::<u64>(), 3, "{dropped:?}");
        assert_eq!(dropped["send_too_long"], 1);
        assert!(!sender.has_backlog());
    }

    #[test]
    fn the_backlog_is_bounded_and_keeps_the_newest() {
        let mut sender = Socket::bind(address(0), Token(0)).unwrap();
        let mut dropped = Dropped::new();
        for number in 0..BACKLOG_LIMIT + 5 {
            let mut one = transmit(address(9), 2);
            one.payload = u16::try_from(number).unwrap().to_be_bytes().to_vec();
            sender.queue(&mut one, &mut dropped);
        }
        assert_eq!(dropped["send_backlog_full"], 5);
        assert_eq!(sender.backlog.front().unwrap().1, 5u16.to_be_bytes());

        let poll = Poll::new().unwrap();
        let mut receiver = Socket::bind(address(0), Token(1)).unwrap();
        for waiting in &mut sender.backlog {
            waiting.0 = receiver.local();
        }
        sender.register(poll.registry()).unwrap();
        let mut later = Poll::new().unwrap();
        receiver.register(later.registry()).unwrap();
        // More sends wait behind the backlog, so that order is kept.
        sender.backlog.truncate(100);
        sender.send(
            &mut [transmit(receiver.local(), 3)],
            &mut Vec::new(),
            &mut dropped,
        );
        assert_eq!(sender.backlog.len(), 101);
        sender.flush(poll.registry(), &mut dropped);
        assert!(!sender.has_backlog());
        let got = receive_all(&mut receiver, &mut later, 101);
        assert_eq!(got.len(), 101);
        assert_eq!(got[100].len(), 3);
    }
}
