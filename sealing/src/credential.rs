//! `ConclaveCredential` (docs/reference/sealing-protocol.md, 2): who a leaf says it is, checked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use openmls::prelude::{BasicCredential, Credential, OpenMlsCrypto, SignatureScheme};

use crate::encoding::vector;
use crate::invitation;

/// Without an invitation.
const PLAIN: u8 = 1;
const INVITED: u8 = 2;
/// How many are remembered: more than a tree has leaves.
const MAX_KNOWN: usize = 2048;
const DEVICE_LABEL: &[u8] = b"conclave device v1";

/// What a credential says and has proved.
#[derive(Clone)]
pub struct Proven {
    /// The account that certified the device.
    pub account_key: Option<Vec<u8>>,
    /// The encoded Invitation that is bound to the device.
    pub invitation: Option<Vec<u8>>,
}

struct Parts<'a> {
    account_key: &'a [u8],
    certificate: &'a [u8],
    bound: Option<&'a [u8]>,
}

fn parts(identity: &[u8]) -> Option<Parts<'_>> {
    let (&version, rest) = identity.split_first()?;
    let (account_key, rest) = vector(rest)?;
    let (certificate, rest) = vector(rest)?;
    let (bound, rest) = match version {
        PLAIN => (None, rest),
        INVITED => {
            let (bound, rest) = vector(rest)?;
            (Some(bound), rest)
        }
        _ => return None,
    };
    rest.is_empty().then_some(Parts {
        account_key,
        certificate,
        bound,
    })
}

/// An identity whose certificate and binding are right for this device key; `Err` says what is
/// wrong.
pub fn verify(
    crypto: &impl OpenMlsCrypto,
    identity: &[u8],
    device_key: &[u8],
) -> Result<Proven, &'static str> {
    let parts = parts(identity).ok_or("the credential is no ConclaveCredential")?;
    let account_key = match (parts.account_key.len(), parts.certificate.len()) {
        (0, 0) => None,
        (32, 64) => {
            let content = [DEVICE_LABEL, device_key].concat();
            crypto
                .verify_signature(
                    SignatureScheme::ED25519,
                    &content,
                    parts.account_key,
                    parts.certificate,
                )
                .map_err(|_| "the account did not certify this device")?;
            Some(parts.account_key.to_vec())
        }
        _ => return Err("account key or certificate has a wrong length"),
    };
    let invitation = parts
        .bound
        .map(|bound| invitation::verify(crypto, bound, device_key).map(<[u8]>::to_vec))
        .transpose()?;
    Ok(Proven {
        account_key,
        invitation,
    })
}

/// Identity and device key.
type Leaf = (Vec<u8>, Vec<u8>);

/// Credentials that were found right, each with its device key: a tree is looked at after every
/// commit, and three signatures a leaf are too many to verify each time.
#[derive(Default)]
pub struct Known(Mutex<HashMap<Leaf, Proven>>);

impl Known {
    /// `verify` of a leaf's credential.
    pub fn of_leaf(
        &self,
        crypto: &impl OpenMlsCrypto,
        credential: &Credential,
        device_key: &[u8],
    ) -> Result<Proven, &'static str> {
        let basic =
            BasicCredential::try_from(credential.clone()).map_err(|_| "not a basic credential")?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (basic.identity().to_vec(), device_key.to_vec());
        if let Some(proven) = known.get(&key) {
            return Ok(proven.clone());
        }
        let proven = verify(crypto, basic.identity(), device_key)?;
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(key, proven.clone());
        Ok(proven)
    }
}
