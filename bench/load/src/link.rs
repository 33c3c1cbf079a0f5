//! A peer connection with the socket it runs over.

use std::time::Instant;

use mio::{Registry, Token};

use crate::peer::{Peer, PeerEvent, Side, far_away};
use crate::scenario::Shared;
use crate::session::Failure;
use crate::udp::{MediaSocket, now_us};

pub struct Link {
    pub peer: Peer,
    pub socket: MediaSocket,
    /// When `peer` wants to be advanced.
    pub due: Instant,
    pub is_connected: bool,
}

impl Link {
    pub fn open(
        side: Side,
        shared: &Shared,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> Result<Self, Failure> {
        let socket = MediaSocket::open(shared.endpoint.address, registry, token)?;
        let peer = Peer::new(&shared.credentials, side, socket.local(), now_us(), now)?;
        Ok(Link {
            peer,
            socket,
            due: far_away(now),
            is_connected: false,
        })
    }

    /// Say goodbye to the server; errors no longer matter.
    pub fn close(&mut self) {
        let mut datagrams = Vec::new();
        if self.peer.close().is_ok() {
            let _ = self.peer.drain(|event| {
                if let PeerEvent::Datagram(to, bytes) = event {
                    datagrams.push((to, bytes));
                }
            });
        }
        for (to, bytes) in datagrams {
            let _ = self.socket.send(to, &bytes);
        }
    }
}
