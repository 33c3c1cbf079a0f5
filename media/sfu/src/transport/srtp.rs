//! SRTP and SRTCP contexts (RFC 3711, RFC 7714), and the one for what the shard sends.
//!
//! Media is protected here and opened in `unprotect.rs` instead of inside the WebRTC stack: one
//! header, one cipher call and one buffer for a packet.

use std::fmt;

use str0m::config::CryptoProvider;
use str0m::crypto::dtls::{KeyingMaterial, SrtpProfile};
use str0m::crypto::{
    AeadAes128Gcm, Aes128CmSha1_80, Aes128CmSha1_80Cipher, Sha1HmacProvider, SrtpProvider,
};

use super::gcm::{self, GcmKey};
use super::unprotect::SrtpReceiver;
use crate::ahead;
use crate::buffers::Buffers;

const LABEL_RTP: u8 = 0;
const LABEL_RTCP: u8 = 3;
pub(super) const RTCP_HEADER: usize = 8;
pub(super) const RTCP_INDEX: usize = 4;
pub(super) const GCM_TAG: usize = gcm::TAG;
pub(super) const CM_TAG: usize = Aes128CmSha1_80::HMAC_TAG_LEN;

/// The secrets of one DTLS session, as exported by it.
pub struct SrtpSecrets {
    material: KeyingMaterial,
    profile: SrtpProfile,
}

impl fmt::Debug for SrtpSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpSecrets")
    }
}

impl SrtpSecrets {
    pub fn new(material: &[u8], profile: SrtpProfile) -> Self {
        SrtpSecrets {
            material: KeyingMaterial::new(material),
            profile,
        }
    }

    /// Contexts of one DTLS side: what it sends and what it receives.
    ///
    /// `None` when the profile is unknown or the material has the wrong length.
    pub fn contexts(
        &self,
        crypto: &CryptoProvider,
        is_client: bool,
    ) -> Option<(SrtpSender, SrtpReceiver)> {
        let rtp = Session::derive(crypto, self, is_client, LABEL_RTP, true)?;
        let rtcp = Session::derive(crypto, self, is_client, LABEL_RTCP, true)?;
        let rtp_in = Session::derive(crypto, self, !is_client, LABEL_RTP, false)?;
        let rtcp_in = Session::derive(crypto, self, !is_client, LABEL_RTCP, false)?;
        Some((
            SrtpSender {
                rtp,
                rtcp,
                rtcp_index: 0,
            },
            SrtpReceiver::new(rtp_in, rtcp_in),
        ))
    }
}

pub(super) enum Cipher {
    Cm {
        cipher: Box<dyn Aes128CmSha1_80Cipher>,
        hmac_key: [u8; 20],
        salt: [u8; 14],
    },
    /// With a key of 128 or 256 bits.
    Gcm { key: GcmKey, salt: [u8; 12] },
}

pub(super) struct Session {
    pub cipher: Cipher,
    pub sha1: &'static dyn Sha1HmacProvider,
}

impl Session {
    fn derive(
        crypto: &CryptoProvider,
        secrets: &SrtpSecrets,
        client: bool,
        label: u8,
        encrypt: bool,
    ) -> Option<Session> {
        let srtp = crypto.srtp_provider;
        let (key_len, salt_len) = match secrets.profile {
            SrtpProfile::AES128_CM_SHA1_80 => (16, 14),
            SrtpProfile::AEAD_AES_128_GCM => (16, 12),
            SrtpProfile::AEAD_AES_256_GCM => (32, 12),
            _ => return None,
        };
        let material: &[u8] = &secrets.material;
        if material.len() != 2 * (key_len + salt_len) {
            return None;
        }
        // Layout (RFC 5764, 4.2): client key, server key, client salt, server salt.
        let side = usize::from(!client);
        let master = &material[side * key_len..][..key_len];
        let master_salt = &material[2 * key_len + side * salt_len..][..salt_len];

        let cipher = match secrets.profile {
            SrtpProfile::AES128_CM_SHA1_80 => Cipher::Cm {
                cipher: srtp
                    .aes_128_cm_sha1_80()
                    .create_cipher(prf(srtp, master, master_salt, label), encrypt),
                hmac_key: prf(srtp, master, master_salt, label + 1),
                salt: prf(srtp, master, master_salt, label + 2),
            },
            SrtpProfile::AEAD_AES_128_GCM => Cipher::Gcm {
                key: GcmKey::new(&prf::<16>(srtp, master, master_salt, label))?,
                salt: prf(srtp, master, master_salt, label + 2),
            },
            _ => Cipher::Gcm {
                key: GcmKey::new(&prf::<32>(srtp, master, master_salt, label))?,
                salt: prf(srtp, master, master_salt, label + 2),
            },
        };
        Some(Session {
            cipher,
            sha1: crypto.sha1_hmac_provider,
        })
    }
}

/// AES-CM key derivation (RFC 3711, 4.3.3), 128 and 256 bits.
fn prf<const N: usize>(srtp: &dyn SrtpProvider, master: &[u8], salt: &[u8], label: u8) -> [u8; N] {
    let mut out = [0; N];
    let mut block = [0; 16];
    block[..salt.len()].copy_from_slice(salt);
    block[7] ^= label;
    for (round, chunk) in out.chunks_mut(16).enumerate() {
        block[14..].copy_from_slice(&(round as u16).to_be_bytes());
        let mut stream = [0; 32];
        match master.len() {
            16 => srtp.srtp_aes_128_ecb_round(master, &block, &mut stream),
            _ => srtp.srtp_aes_256_ecb_round(master, &block, &mut stream),
        }
        chunk.copy_from_slice(&stream[..chunk.len()]);
    }
    out
}

/// Protects what one participant is sent.
pub struct SrtpSender {
    rtp: Session,
    rtcp: Session,
    rtcp_index: u32,
}

impl SrtpSender {
    /// A packet is protected soon.
    pub fn fetch(&self) {
        ahead::fetch(&self.rtp);
    }

    /// As `fetch`, a little later.
    pub fn fetch_cipher(&self) {
        match &self.rtp.cipher {
            Cipher::Cm { cipher, .. } => ahead::fetch(&**cipher),
            Cipher::Gcm { key, .. } => key.fetch(),
        }
    }

    /// Header + payload -> protected datagram. `index` is the extended sequence number; the caller
    /// never uses one twice on an SSRC (a repeated index would repeat the nonce).
    pub fn protect_rtp(
        &mut self,
        header: &[u8],
        payload: &[u8],
        ssrc: u32,
        index: u64,
        buffers: &mut Buffers,
    ) -> Option<Vec<u8>> {
        let sha1 = self.rtp.sha1;
        let clear = header.len();
        let tagged = clear + payload.len();
        match &mut self.rtp.cipher {
            Cipher::Cm {
                cipher,
                hmac_key,
                salt,
            } => {
                let mut out = buffers.take(tagged + CM_TAG);
                out[..clear].copy_from_slice(header);
                let iv = Aes128CmSha1_80::rtp_iv(*salt, ssrc, index);
                cipher.encrypt(&iv, payload, &mut out[clear..]).ok()?;
                Aes128CmSha1_80::rtp_hmac(
                    |k, p| sha1.sha1_hmac(k, p),
                    hmac_key,
                    &mut out,
                    index,
                    tagged,
                );
                Some(out)
            }
            Cipher::Gcm { key, salt } => {
                let mut out = buffers.take(tagged + GCM_TAG);
                out[..clear].copy_from_slice(header);
                let iv = AeadAes128Gcm::rtp_iv(*salt, ssrc, (index >> 16) as u32, index as u16);
                key.seal(&iv, header, payload, &mut out[clear..])?;
                Some(out)
            }
        }
    }

    /// Compound RTCP packet (at least its first eight bytes) -> protected datagram.
    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        if packet.len() < RTCP_HEADER {
            return None;
        }
        let sha1 = self.rtcp.sha1;
        self.rtcp_index = (self.rtcp_index + 1) & 0x7fff_ffff;
        let index = self.rtcp_index;
        let trailer = (index | 0x8000_0000).to_be_bytes();
        let ssrc = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        let (head, body) = packet.split_at(RTCP_HEADER);
        let mut aad = [0; RTCP_HEADER + RTCP_INDEX];
        aad[..RTCP_HEADER].copy_from_slice(head);
        aad[RTCP_HEADER..].copy_from_slice(&trailer);
        match &mut self.rtcp.cipher {
            Cipher::Cm {
                cipher,
                hmac_key,
                salt,
            } => {
                let mut out = vec![0; packet.len() + RTCP_INDEX + CM_TAG];
                out[..RTCP_HEADER].copy_from_slice(head);
                let iv = Aes128CmSha1_80::rtp_iv(*salt, ssrc, u64::from(index));
                cipher.encrypt(&iv, body, &mut out[RTCP_HEADER..]).ok()?;
                out[packet.len()..][..RTCP_INDEX].copy_from_slice(&trailer);
                let end = packet.len() + RTCP_INDEX;
                Aes128CmSha1_80::rtcp_hmac(|k, p| sha1.sha1_hmac(k, p), hmac_key, &mut out, end);
                Some(out)
            }
            Cipher::Gcm { key, salt } => {
                let mut out = vec![0; packet.len() + GCM_TAG + RTCP_INDEX];
                out[..RTCP_HEADER].copy_from_slice(head);
                let end = packet.len() + GCM_TAG;
                let iv = AeadAes128Gcm::rtcp_iv(*salt, ssrc, index);
                key.seal(&iv, &aad, body, &mut out[RTCP_HEADER..end])?;
                out[end..].copy_from_slice(&trailer);
                Some(out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::crypto::from_feature_flags;

    #[test]
    fn wrong_material_is_refused() {
        let secrets = SrtpSecrets::new(&[1; 10], SrtpProfile::AEAD_AES_128_GCM);
        assert!(secrets.contexts(&from_feature_flags(), false).is_none());
    }
}
