//! The server's side of ICE-lite (RFC 8445, 2.5): check credentials, answer, follow nominations.
//!
//! Kept apart from the WebRTC stack so that an ICE restart and a client that changes its address
//! are one field each. Sends no checks of its own and believes no source address before a message
//! with the right integrity came from it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::IceCreds;
use str0m::config::CryptoProvider;
use str0m::ice::{StunMessage, TransId};

use super::dtls::crypto;
use crate::ahead;

/// A client is taken for gone (for now) after this long without an authentic message.
pub const DISCONNECTED_AFTER: Duration = Duration::from_secs(10);
/// …and for good this much later.
pub const FAILED_AFTER: Duration = Duration::from_secs(5);
/// Source addresses remembered for one participant (candidate pairs that a client probes).
const MAX_PATHS: usize = 32;

/// Checks remembered, so that a stranger who repeats one from elsewhere moves nothing. A client sends
/// about one in two seconds.
const MAX_CHECKS: usize = 256;

/// A local and a remote address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

#[derive(Debug)]
pub struct IceLite {
    local: IceCreds,
    remote: Option<IceCreds>,
    /// Credentials before the last restart: a client goes on checking with them until the new ones
    /// work, and media must not stop meanwhile.
    previous: Option<(IceCreds, Option<IceCreds>)>,
    /// Where to send: the pair that the client nominated last.
    selected: Option<Path>,
    /// Pairs seen with valid credentials, oldest first.
    paths: Vec<Path>,
    /// Transaction of each recent check and where it came from first.
    checks: VecDeque<(TransId, Path)>,
    last_heard: Option<Instant>,
}

/// Credentials that nobody can guess, however many of ours it has seen (RFC 8445, 5.3): the stack's
/// own come from a generator that gives its state away.
fn credentials() -> IceCreds {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = [0; 12 + 24];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    let text: String = bytes
        .iter()
        .map(|b| char::from(ALPHABET[usize::from(b & 63)]))
        .collect();
    let (ufrag, pass) = text.split_at(12);
    IceCreds {
        ufrag: ufrag.to_owned(),
        pass: pass.to_owned(),
    }
}

/// What became of a STUN message.
#[derive(Debug, PartialEq, Eq)]
pub enum Checked {
    /// Authentic; send these bytes back on `path`. `evicted` no longer belongs to the participant.
    Answer {
        reply: Vec<u8>,
        evicted: Option<Path>,
        is_new_path: bool,
    },
    Rejected(&'static str),
}

impl IceLite {
    pub fn new() -> Self {
        IceLite {
            local: credentials(),
            remote: None,
            previous: None,
            selected: None,
            paths: Vec::new(),
            checks: VecDeque::new(),
            last_heard: None,
        }
    }

    pub fn local(&self) -> &IceCreds {
        &self.local
    }

    pub fn selected(&self) -> Option<Path> {
        self.selected
    }

    /// `selected` is asked soon.
    pub fn fetch(&self) {
        ahead::fetch(&self.selected);
    }

    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    pub fn last_heard(&self) -> Option<Instant> {
        self.last_heard
    }

    /// All user fragments that a message for this participant may carry.
    pub fn fragments(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.local)
            .chain(self.previous.as_ref().map(|(local, _)| local))
            .map(|c| c.ufrag.as_str())
    }

    /// Take the client's credentials. Different ones than before are an ICE restart: we get new
    /// ones too (RFC 8445, 9) and the answer must carry them. True = restarted.
    pub fn set_remote(&mut self, remote: IceCreds) -> bool {
        match &self.remote {
            Some(known) if *known == remote => false,
            None => {
                self.remote = Some(remote);
                false
            }
            Some(_) => {
                let old_local = std::mem::replace(&mut self.local, credentials());
                let old_remote = self.remote.replace(remote);
                self.previous = Some((old_local, old_remote));
                true
            }
        }
    }

    /// Restart from our side: new credentials of ours, which an offer must carry; the client's come
    /// with the answer.
    pub fn restart(&mut self) {
        let old_local = std::mem::replace(&mut self.local, credentials());
        // A restart that was never answered replaced nothing that works.
        if let Some(remote) = self.remote.take() {
            self.previous = Some((old_local, Some(remote)));
        }
    }

    /// Are these what the client has or may have? Not when it restarts without having been asked.
    pub fn expects(&self, remote: &IceCreds) -> bool {
        self.remote.as_ref().is_none_or(|known| known == remote)
    }

    /// Check one message that named a fragment of ours.
    pub fn check(&mut self, now: Instant, path: Path, message: &StunMessage<'_>) -> Checked {
        if !message.is_binding_request() {
            // ICE-lite sends no requests, so nothing else can be meant for us.
            return Checked::Rejected("stun_not_a_request");
        }
        let Some((ours, theirs)) = message.split_username() else {
            return Checked::Rejected("malformed_stun");
        };
        let provider = &crypto().provider;
        let is_current = ours == self.local.ufrag;
        let (local, remote) = if is_current {
            (&self.local, self.remote.as_ref())
        } else {
            match &self.previous {
                Some((local, remote)) if local.ufrag == ours => (local, remote.as_ref()),
                _ => return Checked::Rejected("stun_unknown_fragment"),
            }
        };
        if remote.is_some_and(|r| r.ufrag != theirs) {
            return Checked::Rejected("stun_wrong_fragment");
        }
        let hmac = |key: &[u8], parts: &[&[u8]]| provider.sha1_hmac_provider.sha1_hmac(key, parts);
        if !message.verify(local.pass.as_bytes(), hmac) {
            return Checked::Rejected("stun_integrity");
        }
        let transaction = message.trans_id();
        match self.checks.iter().find(|(t, _)| *t == transaction) {
            Some((_, first)) if *first != path => {
                return Checked::Rejected("stun_repeated_elsewhere");
            }
            Some(_) => {}
            None => {
                if self.checks.len() >= MAX_CHECKS {
                    self.checks.pop_front();
                }
                self.checks.push_back((transaction, path));
            }
        }
        let mut buffer = [0; 256];
        let reply = StunMessage::binding_reply(message.trans_id(), path.remote);
        let Ok(len) = reply.to_bytes(Some(local.pass.as_bytes()), &mut buffer, hmac) else {
            return Checked::Rejected("stun_reply");
        };

        self.last_heard = Some(now);
        let is_new_path = !self.paths.contains(&path);
        let mut evicted = None;
        if is_new_path {
            if self.paths.len() >= MAX_PATHS {
                let oldest = self
                    .paths
                    .iter()
                    .position(|p| Some(*p) != self.selected)
                    .unwrap_or(0);
                evicted = Some(self.paths.remove(oldest));
            }
            self.paths.push(path);
        }
        // The client (controlling) is the one who chooses; the latest nomination counts. Checks
        // under old credentials move nothing: only the restarted session may.
        if (is_current && message.use_candidate()) || self.selected.is_none() {
            self.selected = Some(path);
        }
        Checked::Answer {
            reply: buffer[..len].to_vec(),
            evicted,
            is_new_path,
        }
    }
}

/// A nominating check, as a client with `remote` credentials would send it to `local` ones.
pub fn nomination(
    provider: &CryptoProvider,
    local: &IceCreds,
    remote: &IceCreds,
) -> Option<Vec<u8>> {
    let username = format!("{}:{}", local.ufrag, remote.ufrag);
    let message =
        StunMessage::binding_request(&username, TransId::new(), true, 1, 2_130_706_431, true);
    let mut buffer = vec![0; 256];
    let hmac = |key: &[u8], parts: &[&[u8]]| provider.sha1_hmac_provider.sha1_hmac(key, parts);
    let len = message
        .to_bytes(Some(local.pass.as_bytes()), &mut buffer, hmac)
        .ok()?;
    buffer.truncate(len);
    Some(buffer)
}
