//! Opens what one client sends: SRTP and SRTCP (RFC 3711, RFC 7714).
//!
//! Of a packet that is not authentic nothing is kept. What is needed to tell repeats of RTP, and to
//! know the roll-over counter, is in a [`Replay`] for each SSRC, which belongs to whoever knows the
//! SSRCs (`ingress`).

use rustc_hash::FxHashMap;
use str0m::crypto::{AeadAes128Gcm, Aes128CmSha1_80};

use super::srtp::{CM_TAG, Cipher, GCM_TAG, RTCP_HEADER, RTCP_INDEX, Session};

/// RFC 3711, 3.3.1: a roll-over counter of 32 bits, and what is in the packet.
const INDEX_BITS: u32 = 48;
/// Packets behind the newest one that may still come. RFC 3711, 3.3.2 asks for 64; a client without
/// retransmission streams repeats lost packets as they were, up to a second later.
const WINDOW: u64 = 512;
/// More sender SSRCs than any client has; beyond it the windows of SRTCP start over.
const REPLAY_WINDOWS: usize = 256;

/// Which packets of one SSRC came, by their index: the sequence number with the roll-over counter.
#[derive(Debug, Clone)]
pub struct Replay {
    highest: u64,
    seen: [u64; (WINDOW / 64) as usize],
}

impl Replay {
    /// For a stream whose first packet has this index.
    pub fn new(first: u64) -> Self {
        Replay {
            highest: first,
            seen: [0; (WINDOW / 64) as usize],
        }
    }

    /// The index of the next packet, estimated as in RFC 3711, 3.3.1. `None`: below zero or past the
    /// end of the key's life.
    pub fn index(&self, sequence: u16) -> Option<u64> {
        let (round, last) = (self.highest >> 16, self.highest as u16);
        let half = 1 << 15;
        let round = if last < half && sequence.saturating_sub(last) > half {
            round.checked_sub(1)?
        } else if last >= half && last - half > sequence {
            round + 1
        } else {
            round
        };
        let index = round << 16 | u64::from(sequence);
        (index >> INDEX_BITS == 0).then_some(index)
    }

    /// False: it came already, or is too old to know.
    pub fn is_new(&self, index: u64) -> bool {
        let (word, bit) = place(index);
        index > self.highest || (self.highest - index < WINDOW && self.seen[word] & bit == 0)
    }

    /// An authentic packet came that is new.
    pub fn mark(&mut self, index: u64) {
        if index > self.highest {
            if index - self.highest >= WINDOW {
                self.seen = [0; (WINDOW / 64) as usize];
            } else {
                for skipped in self.highest + 1..=index {
                    let (word, bit) = place(skipped);
                    self.seen[word] &= !bit;
                }
            }
            self.highest = index;
        }
        let (word, bit) = place(index);
        self.seen[word] |= bit;
    }
}

fn place(index: u64) -> (usize, u64) {
    ((index % WINDOW / 64) as usize, 1 << (index % 64))
}

/// Opens the RTP and RTCP of one client.
pub struct SrtpReceiver {
    rtp: Session,
    rtcp: Session,
    /// Replay window for each sender SSRC of RTCP: highest index, and bit n = `highest - n` was seen.
    windows: FxHashMap<u32, (u32, u64)>,
}

impl SrtpReceiver {
    pub(super) fn new(rtp: Session, rtcp: Session) -> Self {
        SrtpReceiver {
            rtp,
            rtcp,
            windows: FxHashMap::default(),
        }
    }

    /// The plain payload of an RTP packet whose header has `clear` bytes, at the beginning of `plain`,
    /// which is used again for the next one. `None`: forged, or shorter than its tag.
    pub fn open_rtp<'a>(
        &mut self,
        datagram: &[u8],
        clear: usize,
        ssrc: u32,
        index: u64,
        plain: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let sha1 = self.rtp.sha1;
        let tag = match self.rtp.cipher {
            Cipher::Cm { .. } => CM_TAG,
            _ => GCM_TAG,
        };
        let (header, sealed) = datagram.split_at_checked(clear)?;
        let len = sealed.len().checked_sub(tag)?;
        if plain.len() < len {
            plain.resize(len, 0);
        }
        let out = &mut plain[..len];
        match &mut self.rtp.cipher {
            Cipher::Cm {
                cipher,
                hmac_key,
                salt,
            } => {
                let (signed, mac) = datagram.split_at(clear + len);
                let hmac = |key: &[u8], parts: &[&[u8]]| sha1.sha1_hmac(key, parts);
                if !Aes128CmSha1_80::rtp_verify(hmac, hmac_key, signed, index, mac) {
                    return None;
                }
                let iv = Aes128CmSha1_80::rtp_iv(*salt, ssrc, index);
                cipher.decrypt(&iv, &sealed[..len], out).ok()?;
            }
            Cipher::Gcm { key, salt } => {
                let iv = AeadAes128Gcm::rtp_iv(*salt, ssrc, (index >> 16) as u32, index as u16);
                key.open(&iv, header, sealed, out)?;
            }
        }
        Some(out)
    }

    /// The plain compound packet, or `None` when it is malformed, forged or (in clear) unencrypted.
    pub fn open_rtcp(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let sha1 = self.rtcp.sha1;
        let tag = if matches!(self.rtcp.cipher, Cipher::Cm { .. }) {
            CM_TAG
        } else {
            GCM_TAG
        };
        if datagram.len() < RTCP_HEADER + RTCP_INDEX + tag {
            return None;
        }
        let ssrc = u32::from_be_bytes(datagram[4..8].try_into().ok()?);
        let plain_len = datagram.len() - RTCP_INDEX - tag;
        let index_at = if matches!(self.rtcp.cipher, Cipher::Cm { .. }) {
            plain_len
        } else {
            plain_len + tag
        };
        let trailer: [u8; 4] = datagram[index_at..index_at + 4].try_into().ok()?;
        let trailer_value = u32::from_be_bytes(trailer);
        if trailer_value & 0x8000_0000 == 0 {
            return None;
        }
        let index = trailer_value & 0x7fff_ffff;
        let mut out = vec![0; plain_len];
        out[..RTCP_HEADER].copy_from_slice(&datagram[..RTCP_HEADER]);
        let mut aad = [0; RTCP_HEADER + RTCP_INDEX];
        aad[..RTCP_HEADER].copy_from_slice(&datagram[..RTCP_HEADER]);
        aad[RTCP_HEADER..].copy_from_slice(&trailer);
        match &mut self.rtcp.cipher {
            Cipher::Cm {
                cipher,
                hmac_key,
                salt,
            } => {
                let (signed, mac) = datagram.split_at(datagram.len() - CM_TAG);
                if !Aes128CmSha1_80::rtcp_verify(|k, p| sha1.sha1_hmac(k, p), hmac_key, signed, mac)
                {
                    return None;
                }
                let iv = Aes128CmSha1_80::rtp_iv(*salt, ssrc, u64::from(index));
                cipher
                    .decrypt(
                        &iv,
                        &datagram[RTCP_HEADER..plain_len],
                        &mut out[RTCP_HEADER..],
                    )
                    .ok()?;
            }
            Cipher::Gcm { key, salt } => {
                let iv = AeadAes128Gcm::rtcp_iv(*salt, ssrc, index);
                let sealed = &datagram[RTCP_HEADER..index_at];
                key.open(&iv, &aad, sealed, &mut out[RTCP_HEADER..])?;
            }
        }
        self.accept(ssrc, index).then_some(out)
    }

    fn accept(&mut self, ssrc: u32, index: u32) -> bool {
        if self.windows.len() >= REPLAY_WINDOWS && !self.windows.contains_key(&ssrc) {
            self.windows.clear();
        }
        let (highest, seen) = self.windows.entry(ssrc).or_insert((index, 0));
        if index > *highest {
            *seen = seen.checked_shl(index - *highest).unwrap_or(0);
            *highest = index;
        }
        let bit = match 1u64.checked_shl(*highest - index) {
            Some(bit) => bit,
            None => return false,
        };
        let fresh = *seen & bit == 0;
        *seen |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use str0m::crypto::dtls::SrtpProfile;
    use str0m::crypto::from_feature_flags;

    use super::*;
    use crate::buffers::Buffers;
    use crate::transport::srtp::{SrtpSecrets, SrtpSender};

    const PROFILES: [(SrtpProfile, u8); 3] = [
        (SrtpProfile::AES128_CM_SHA1_80, 60),
        (SrtpProfile::AEAD_AES_128_GCM, 56),
        (SrtpProfile::AEAD_AES_256_GCM, 88),
    ];

    /// Both ends of a connection: the client sends.
    fn ends(profile: SrtpProfile, len: u8) -> (SrtpSender, SrtpReceiver) {
        let crypto = from_feature_flags();
        let secrets = SrtpSecrets::new(&(0..len).collect::<Vec<_>>(), profile);
        let (sender, _) = secrets.contexts(&crypto, true).unwrap();
        let (_, receiver) = secrets.contexts(&crypto, false).unwrap();
        (sender, receiver)
    }

    #[test]
    fn rtcp_round_trip_in_every_profile() {
        for (profile, len) in PROFILES {
            let (mut sender, mut receiver) = ends(profile, len);
            let plain: Vec<u8> = (0..32).collect();
            let protected = sender.protect_rtcp(&plain).unwrap();
            let opened = receiver.open_rtcp(&protected);
            assert_eq!(opened.as_deref(), Some(&plain[..]), "{profile:?}");
            assert_eq!(receiver.open_rtcp(&protected), None, "a repeat is refused");
            let mut forged = sender.protect_rtcp(&plain).unwrap();
            forged[9] ^= 1;
            assert_eq!(receiver.open_rtcp(&forged), None);
            for len in 0..protected.len() {
                assert_eq!(receiver.open_rtcp(&protected[..len]), None);
            }
        }
    }

    #[test]
    fn rtp_round_trip_in_every_profile_and_nothing_forged() {
        let (mut buffers, mut plain) = (Buffers::default(), Vec::new());
        for (profile, len) in PROFILES {
            let (mut sender, mut receiver) = ends(profile, len);
            for size in [0, 1, 15, 16, 17, 1200] {
                let (header, payload) = ([0x80, 96, 0, 7, 0, 0, 0, 1, 0, 0, 0, 9], vec![7; size]);
                let index = 5 << 16 | 7;
                let mut sealed = sender
                    .protect_rtp(&header, &payload, 9, index, &mut buffers)
                    .unwrap();
                let mut open = |sealed: &[u8], index| {
                    let opened = receiver.open_rtp(sealed, 12, 9, index, &mut plain);
                    opened.map(<[u8]>::to_vec)
                };
                assert_eq!(open(&sealed, index), Some(payload), "{profile:?} {size}");
                assert_eq!(open(&sealed, index + (1 << 16)), None, "another counter");
                for len in (0..sealed.len()).rev().take(40) {
                    assert_eq!(open(&sealed[..len], index), None);
                }
                for at in 0..sealed.len().min(40) {
                    sealed[at] ^= 1;
                    assert_eq!(open(&sealed, index), None, "{at}");
                    sealed[at] ^= 1;
                }
            }
        }
    }

    #[test]
    fn the_counter_follows_the_stream_over_its_end_and_back() {
        let mut replay = Replay::new(65_534);
        for (sequence, index) in [
            (65_534, 65_534),
            (65_535, 65_535),
            (1, 65_537),
            (0, 65_536),
            (65_533, 65_533),
            (2, 65_538),
        ] {
            assert_eq!(replay.index(sequence), Some(index));
            assert!(replay.is_new(index));
            replay.mark(index);
            assert!(!replay.is_new(index));
        }
        assert_eq!(Replay::new(5).index(60_000), None, "below zero");
        let last = Replay::new((1 << 48) - 1);
        assert_eq!(last.index(0), None, "the key has served its time");
    }

    #[test]
    fn what_is_behind_the_window_is_old() {
        let mut replay = Replay::new(0);
        replay.mark(0);
        replay.mark(WINDOW);
        assert!(!replay.is_new(0) && replay.is_new(1));
        replay.mark(20 * WINDOW);
        for index in 20 * WINDOW - WINDOW + 1..20 * WINDOW {
            assert!(replay.is_new(index));
        }
        assert!(!replay.is_new(20 * WINDOW - WINDOW));
    }

    proptest! {
        /// Each index at most once, in whichever order packets come, and whatever lies in between.
        #[test]
        fn nothing_is_taken_twice(steps in proptest::collection::vec(-700i64..700, 1..400)) {
            let mut replay = Replay::new(100_000);
            let mut taken = std::collections::HashSet::new();
            let mut at = 100_000i64;
            for step in steps {
                at += step;
                let index = replay.index(at as u16).unwrap();
                prop_assert_eq!(index, at as u64);
                if replay.is_new(index) {
                    prop_assert!(taken.insert(index));
                    replay.mark(index);
                }
                prop_assert!(!replay.is_new(index));
                at = at.max(replay.highest as i64 - 5000);
            }
        }
    }
}
