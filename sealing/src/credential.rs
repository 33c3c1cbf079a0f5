//! `ConclaveCredential` (docs/reference/sealing-protocol.md, 2): who a leaf says it is, checked.

use openmls::prelude::{BasicCredential, Credential, OpenMlsCrypto, SignatureScheme};

use crate::encoding::vector;
use crate::invitation;

/// Without an invitation.
const PLAIN: u8 = 1;
const INVITED: u8 = 2;
const DEVICE_LABEL: &[u8] = b"conclave device v1";

/// What a credential says and has proved.
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

/// The same for a leaf's credential.
pub fn of_leaf(
    crypto: &impl OpenMlsCrypto,
    credential: &Credential,
    device_key: &[u8],
) -> Result<Proven, &'static str> {
    let basic =
        BasicCredential::try_from(credential.clone()).map_err(|_| "not a basic credential")?;
    verify(crypto, basic.identity(), device_key)
}
