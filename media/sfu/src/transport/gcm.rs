//! AES-GCM of SRTP (RFC 7714) by aws-lc itself. Through aws-lc-rs the key lies behind three pointers,
//! of which the last cannot be asked for, so that it cannot be fetched ahead; and what is sealed has
//! to be copied to its place first.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use aws_lc_sys::{
    EVP_AEAD_CTX, EVP_AEAD_CTX_free, EVP_AEAD_CTX_new, EVP_AEAD_CTX_open, EVP_AEAD_CTX_seal,
    EVP_aead_aes_128_gcm, EVP_aead_aes_256_gcm,
};

use crate::ahead;

pub const TAG: usize = 16;
pub const NONCE: usize = 12;

/// `EVP_AEAD_CTX_seal` and `EVP_AEAD_CTX_open`: context, out, written, room, nonce, input, associated data.
type Function = unsafe extern "C" fn(
    *const EVP_AEAD_CTX,
    *mut u8,
    *mut usize,
    usize,
    *const u8,
    usize,
    *const u8,
    usize,
    *const u8,
    usize,
) -> c_int;

/// A key made ready for use. Must never be used for two packets with one nonce.
pub struct GcmKey(NonNull<EVP_AEAD_CTX>);

// SAFETY: the context belongs to this value alone, and is bound to no thread.
unsafe impl Send for GcmKey {}

impl GcmKey {
    /// `key`: 16 or 32 bytes. `None`: another length, or no memory.
    pub fn new(key: &[u8]) -> Option<Self> {
        // SAFETY: these return constants.
        let algorithm = unsafe {
            match key.len() {
                16 => EVP_aead_aes_128_gcm(),
                32 => EVP_aead_aes_256_gcm(),
                _ => return None,
            }
        };
        // SAFETY: `key` has the length that is told; what comes back is null or ours to free.
        NonNull::new(unsafe { EVP_AEAD_CTX_new(algorithm, key.as_ptr(), key.len(), TAG) })
            .map(GcmKey)
    }

    /// A packet is sealed soon.
    pub fn fetch(&self) {
        // SAFETY: it lives as long as this value, and nobody changes it.
        ahead::fetch(unsafe { self.0.as_ref() });
    }

    /// `out`: the sealed bytes and the tag. `None`: it has not `TAG` bytes more than `plain`.
    pub fn seal(
        &self,
        nonce: &[u8; NONCE],
        aad: &[u8],
        plain: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let fits = out.len() == plain.len() + TAG;
        fits.then(|| self.call(EVP_AEAD_CTX_seal, nonce, aad, plain, out))?
    }

    /// `sealed`: with its tag. `None`: forged, or `out` has not `TAG` bytes less; then `out` says
    /// nothing.
    pub fn open(
        &self,
        nonce: &[u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let fits = sealed.len() == out.len() + TAG;
        fits.then(|| self.call(EVP_AEAD_CTX_open, nonce, aad, sealed, out))?
    }

    fn call(
        &self,
        function: Function,
        nonce: &[u8; NONCE],
        aad: &[u8],
        input: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let mut written = 0;
        // SAFETY: each pointer has the length beside it, and `out`, borrowed for writing, overlaps none.
        let is_done = unsafe {
            function(
                self.0.as_ptr(),
                out.as_mut_ptr(),
                ptr::from_mut(&mut written),
                out.len(),
                nonce.as_ptr(),
                nonce.len(),
                input.as_ptr(),
                input.len(),
                aad.as_ptr(),
                aad.len(),
            )
        };
        (is_done == 1 && written == out.len()).then_some(())
    }
}

impl Drop for GcmKey {
    fn drop(&mut self) {
        // SAFETY: it came from `EVP_AEAD_CTX_new` and is freed once; that wipes the key.
        unsafe { EVP_AEAD_CTX_free(self.0.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    /// RFC 7714, 16.1.1 and 16.2.1: the same packet under both lengths of key.
    #[test]
    fn the_packets_of_the_rfc_come_out() {
        let header = bytes("8040f17b8041f8d35501a0b2");
        let plain =
            bytes("47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
        let nonce: [u8; NONCE] = bytes("51753c6580c2726f20718414").try_into().unwrap();
        let cases = [
            (
                "000102030405060708090a0b0c0d0e0f",
                "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf88338\
                 99d7f27beb16a9152cf765ee4390cce",
            ),
            (
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7\
                 aa3db36dfffd6b0f9bb7878d7a76c13",
            ),
        ];
        for (key, expected) in cases {
            let key = GcmKey::new(&bytes(key)).unwrap();
            let mut sealed = vec![0; plain.len() + TAG];
            key.seal(&nonce, &header, &plain, &mut sealed).unwrap();
            assert_eq!(sealed, bytes(expected));
            let mut opened = vec![0; plain.len()];
            key.open(&nonce, &header, &sealed, &mut opened).unwrap();
            assert_eq!(opened, plain);
            for at in [0, plain.len() - 1, plain.len(), sealed.len() - 1] {
                let mut forged = sealed.clone();
                forged[at] ^= 1;
                assert_eq!(key.open(&nonce, &header, &forged, &mut opened), None);
            }
            let other_header = bytes("8040f17b8041f8d35501a0b3");
            assert_eq!(key.open(&nonce, &other_header, &sealed, &mut opened), None);
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for length in [0, 15, 24, 33] {
            assert!(GcmKey::new(&vec![1; length]).is_none());
        }
        let key = GcmKey::new(&[1; 16]).unwrap();
        for length in [0, 4, 19, 21] {
            assert_eq!(
                key.seal(&[0; NONCE], b"", b"four", &mut vec![0; length]),
                None
            );
        }
        for (sealed, out) in [(0, 0), (15, 0), (20, 3), (20, 5)] {
            let mut out = vec![0; out];
            assert_eq!(key.open(&[0; NONCE], b"", &vec![0; sealed], &mut out), None);
        }
        // Nothing but a tag is a packet, too.
        let mut sealed = [0; TAG];
        key.seal(&[7; NONCE], b"header", b"", &mut sealed).unwrap();
        assert_eq!(key.open(&[7; NONCE], b"header", &sealed, &mut []), Some(()));
    }
}
