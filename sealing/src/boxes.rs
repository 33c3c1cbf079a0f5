//! HPKE boxes for one person (docs/reference/sealing-protocol.md, 5) and plain signatures.

use openmls::prelude::{HpkeCiphertext, OpenMlsCrypto as _, OpenMlsProvider as _};
use openmls_traits::signatures::Signer as _;

use crate::engine::{Engine, HPKE, guarded};
use crate::refusal::{Failure, Outcome, Reason, refuse};

impl Engine {
    pub fn box_key(&self) -> &[u8] {
        &self.r#box.public
    }

    /// `enc (32) || ciphertext` for whoever holds the private half of `recipient`.
    pub fn seal_to(
        &self,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        content: &[u8],
    ) -> Outcome<Vec<u8>> {
        match self
            .provider
            .crypto()
            .hpke_seal(HPKE, recipient, info, aad, content)
        {
            Ok(sealed) => Ok([sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()].concat()),
            Err(error) => refuse(Reason::Malformed, error.to_string()),
        }
    }

    pub fn open_box(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (enc, ciphertext) = sealed.split_at_checked(32)?;
        let input = HpkeCiphertext {
            kem_output: enc.to_vec().into(),
            ciphertext: ciphertext.to_vec().into(),
        };
        guarded(|| {
            self.provider
                .crypto()
                .hpke_open(HPKE, &input, &self.r#box.private, info, aad)
                .or(Err(Failure::Misuse("not ours")))
        })
        .ok()
    }

    pub fn sign(&self, content: &[u8]) -> Outcome<Vec<u8>> {
        self.signer
            .sign(content)
            .or(Err(Failure::Misuse("the key cannot sign")))
    }
}
