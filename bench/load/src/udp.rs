//! The media socket of one participant: like a browser's it is one socket for each connection and
//! takes one datagram a packet (no segment offload on the receiving side, so that a server's use
//! of it is charged for the split as on a real network).
//!
//! Times of arrival are the kernel's, so a load generator that is late to read does not count as
//! latency of the server.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::os::fd::AsRawFd;
use std::time::{SystemTime, UNIX_EPOCH};

use mio::{Interest, Registry, Token, net::UdpSocket};
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;

/// Room for a second of a busy receiver, as far as the kernel's limits allow.
const BUFFER: usize = 2 * 1024 * 1024;
/// Larger datagrams are not WebRTC's.
const DATAGRAM: usize = 2_048;

pub struct MediaSocket {
    socket: UdpSocket,
    local: SocketAddr,
    control: Vec<u8>,
    /// Datagrams that the kernel threw away because this program did not read in time.
    pub overflows: u64,
    /// Datagrams that could not be sent because the socket was full.
    pub unsent: u64,
}

pub struct Datagram {
    pub length: usize,
    pub source: SocketAddr,
    pub arrived_us: u64,
}

impl MediaSocket {
    /// A socket on the local address from which `server` is reached.
    pub fn open(server: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let any = if server.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let probe = StdSocket::bind(any)?;
        probe.connect(server)?;
        let socket = StdSocket::bind((probe.local_addr()?.ip(), 0))?;
        socket.set_nonblocking(true)?;
        let options = socket2::SockRef::from(&socket);
        options.set_recv_buffer_size(BUFFER)?;
        options.set_send_buffer_size(BUFFER)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        let local = socket.local_addr()?;
        let mut socket = UdpSocket::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE)?;
        let control = nix::cmsg_space!(TimeSpec, u32);
        Ok(MediaSocket {
            socket,
            local,
            control,
            overflows: 0,
            unsent: 0,
        })
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The next datagram, `None` when there is none.
    pub fn receive(&mut self, buffer: &mut [u8; DATAGRAM]) -> io::Result<Option<Datagram>> {
        loop {
            let mut slices = [IoSliceMut::new(&mut buffer[..])];
            let received = recvmsg::<SockaddrStorage>(
                self.socket.as_raw_fd(),
                &mut slices,
                Some(&mut self.control),
                MsgFlags::MSG_DONTWAIT,
            );
            let message = match received {
                Ok(message) => message,
                Err(Errno::EAGAIN) => return Ok(None),
                // An ICMP error of an earlier datagram: the server's port is closed for now.
                Err(Errno::EINTR | Errno::ECONNREFUSED) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let mut arrived_us = None;
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::ScmTimestampns(time) => {
                        arrived_us =
                            Some(time.tv_sec() as u64 * 1_000_000 + time.tv_nsec() as u64 / 1_000);
                    }
                    ControlMessageOwned::RxqOvfl(dropped) => self.overflows = u64::from(dropped),
                    _ => {}
                }
            }
            if let Some(source) = message.address.as_ref().and_then(socket_address) {
                let arrived_us = arrived_us.unwrap_or_else(now_us);
                return Ok(Some(Datagram {
                    length: message.bytes,
                    source,
                    arrived_us,
                }));
            }
        }
    }

    /// Send, or count it as unsent: like a network, a socket may lose what it cannot take.
    pub fn send(&mut self, destination: SocketAddr, payload: &[u8]) -> io::Result<()> {
        match self.socket.send_to(payload, destination) {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::ConnectionRefused
                ) =>
            {
                self.unsent += 1;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

pub type DatagramBuffer = [u8; DATAGRAM];

pub fn datagram_buffer() -> Box<DatagramBuffer> {
    Box::new([0; DATAGRAM])
}

fn socket_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage
        .as_sockaddr_in()
        .map(|&v4| SocketAddr::V4(v4.into()));
    v4.or_else(|| {
        storage
            .as_sockaddr_in6()
            .map(|&v6| SocketAddr::V6(v6.into()))
    })
}

/// Microseconds since the Unix epoch, the clock of the kernel's time stamps.
pub fn now_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_come_with_the_time_of_their_arrival() {
        let mut poll = mio::Poll::new().unwrap();
        let peer = StdSocket::bind("127.0.0.1:0").unwrap();
        let server = peer.local_addr().unwrap();
        let mut socket = MediaSocket::open(server, poll.registry(), Token(0)).unwrap();
        assert!(socket.local().ip().is_loopback());
        let before = now_us();
        peer.send_to(b"hello", socket.local()).unwrap();
        let mut events = mio::Events::with_capacity(4);
        poll.poll(&mut events, Some(std::time::Duration::from_secs(5)))
            .unwrap();
        let mut buffer = datagram_buffer();
        let datagram = socket.receive(&mut buffer).unwrap().unwrap();
        assert_eq!(&buffer[..datagram.length], b"hello");
        assert_eq!(datagram.source, server);
        assert!(datagram.arrived_us >= before && datagram.arrived_us <= now_us());
        assert!(socket.receive(&mut buffer).unwrap().is_none());
        socket.send(server, b"back").unwrap();
        let mut answer = [0; 16];
        assert_eq!(peer.recv(&mut answer).unwrap(), 4);
    }
}
