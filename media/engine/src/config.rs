//! What an engine is started with, checked, and turned into the addresses of each shard.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};

use conclave_sfu::Candidate;

#[derive(Debug, Clone)]
pub struct Config {
    /// Number of shard threads; 1 to 256.
    pub shards: usize,
    /// Shard k binds `udp_port + k` on every address; 0 lets the system choose (tests).
    pub udp_port: u16,
    /// Where to bind and what to offer, most preferred first.
    pub addresses: Vec<IpAddr>,
    /// What clients are told instead of the first local address of its family (1:1 NAT).
    pub public_ip: Option<IpAddr>,
    /// Events that may wait for `drain`; more are lost and counted.
    pub event_limit: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Invalid(String),
    #[error("cannot bind UDP {address}: {source}")]
    Bind {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot start the media engine: {0}")]
    System(#[from] io::Error),
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let invalid = |reason: String| Err(StartError::Invalid(reason));
        if !(1..=256).contains(&self.shards) {
            return invalid(format!("shards must be 1 to 256, not {}", self.shards));
        }
        if usize::from(self.udp_port) + self.shards - 1 > usize::from(u16::MAX) {
            return invalid(format!(
                "no room for {} shards above UDP port {}",
                self.shards, self.udp_port
            ));
        }
        if self.event_limit == 0 {
            return invalid("event_limit must be at least 1".to_owned());
        }
        if self.addresses.is_empty() {
            return invalid("at least one address is needed".to_owned());
        }
        let mut seen = HashSet::new();
        for address in self.addresses.iter().chain(&self.public_ip) {
            if address.is_unspecified() || address.is_multicast() {
                return invalid(format!("{address} is not an address clients can reach"));
            }
        }
        match self.addresses.iter().find(|address| !seen.insert(*address)) {
            Some(twice) => invalid(format!("address {twice} is named twice")),
            None => Ok(()),
        }
    }

    /// Where shard `index` binds its sockets.
    pub(crate) fn binds(&self, index: usize) -> impl Iterator<Item = SocketAddr> {
        let port = match self.udp_port {
            0 => 0,
            // `check` has made sure that this fits.
            port => port + u16::try_from(index).unwrap_or(0),
        };
        self.addresses
            .iter()
            .map(move |address| SocketAddr::new(*address, port))
    }

    /// What a shard whose sockets got these addresses offers to clients.
    pub(crate) fn candidates(&self, locals: &[SocketAddr]) -> Vec<Candidate> {
        let translated = self.public_ip.and_then(|public| {
            locals
                .iter()
                .position(|local| local.is_ipv4() == public.is_ipv4() && !local.ip().is_loopback())
                .map(|position| (position, public))
        });
        let mut candidates = Vec::with_capacity(locals.len());
        for (position, local) in locals.iter().enumerate() {
            let advertised = match translated {
                Some((at, public)) if at == position => SocketAddr::new(public, local.port()),
                _ => *local,
            };
            candidates.push(Candidate {
                local: *local,
                advertised,
            });
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(addresses: &[&str]) -> Config {
        Config {
            shards: 2,
            udp_port: 7882,
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            public_ip: None,
            event_limit: 16,
        }
    }

    #[test]
    fn each_shard_has_its_own_port_on_every_address() {
        let config = config(&["127.0.0.1", "::1"]);
        let second: Vec<String> = config.binds(1).map(|a| a.to_string()).collect();
        assert_eq!(second, ["127.0.0.1:7883", "[::1]:7883"]);
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        let cases: [(Config, &str); 7] = [
            (config(&[]), "at least one"),
            (config(&["0.0.0.0"]), "0.0.0.0"),
            (config(&["ff02::1"]), "ff02::1"),
            (config(&["::1", "::1"]), "twice"),
            (
                Config {
                    shards: 0,
                    ..config(&["::1"])
                },
                "shards",
            ),
            (
                Config {
                    udp_port: 65535,
                    ..config(&["::1"])
                },
                "65535",
            ),
            (
                Config {
                    event_limit: 0,
                    ..config(&["::1"])
                },
                "event_limit",
            ),
        ];
        for (config, word) in cases {
            let text = config.check().unwrap_err().to_string();
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn a_public_address_replaces_the_first_local_one_of_its_family() {
        let config = Config {
            public_ip: Some("203.0.113.7".parse().unwrap()),
            ..config(&["::1"])
        };
        let locals: Vec<SocketAddr> = [
            "127.0.0.1:7882",
            "[fd00::2]:7882",
            "10.0.0.2:7882",
            "10.0.1.2:7882",
        ]
        .iter()
        .map(|a| a.parse().unwrap())
        .collect();
        let advertised: Vec<String> = config
            .candidates(&locals)
            .iter()
            .map(|c| c.advertised.to_string())
            .collect();
        assert_eq!(
            advertised,
            [
                "127.0.0.1:7882",
                "[fd00::2]:7882",
                "203.0.113.7:7882",
                "10.0.1.2:7882"
            ]
        );
    }
}
