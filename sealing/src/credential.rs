//! `ConclaveCredential` (docs/reference/sealing-protocol.md, 2): who a leaf says it is, checked.

use openmls::prelude::{BasicCredential, Credential, OpenMlsCrypto, SignatureScheme};

const VERSION: u8 = 1;
const DEVICE_LABEL: &[u8] = b"conclave device v1";

/// A `<V>` vector (RFC 9420, 2.1.2) at the start of `bytes`, and what follows. Lengths here fit the
/// one-byte and two-byte forms; the shortest form is required.
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (length, rest) = match first >> 6 {
        0 => (usize::from(first), rest),
        1 => {
            let (&second, rest) = rest.split_first()?;
            let length = (usize::from(first & 0x3f) << 8) | usize::from(second);
            if length < 64 {
                return None;
            }
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn parts(identity: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&version, rest) = identity.split_first()?;
    let (account_key, rest) = vector(rest)?;
    let (certificate, rest) = vector(rest)?;
    (version == VERSION && rest.is_empty()).then_some((account_key, certificate))
}

/// The account key of an identity whose certificate is right for this device key; `Err` says what
/// is wrong.
pub fn verify(
    crypto: &impl OpenMlsCrypto,
    identity: &[u8],
    device_key: &[u8],
) -> Result<Option<Vec<u8>>, &'static str> {
    let (account_key, certificate) =
        parts(identity).ok_or("the credential is no ConclaveCredential")?;
    match (account_key.len(), certificate.len()) {
        (0, 0) => Ok(None),
        (32, 64) => {
            let content = [DEVICE_LABEL, device_key].concat();
            crypto
                .verify_signature(SignatureScheme::ED25519, &content, account_key, certificate)
                .map_err(|_| "the account did not certify this device")?;
            Ok(Some(account_key.to_vec()))
        }
        _ => Err("account key or certificate has a wrong length"),
    }
}

/// The same for a leaf's credential.
pub fn account_of(
    crypto: &impl OpenMlsCrypto,
    credential: &Credential,
    device_key: &[u8],
) -> Result<Option<Vec<u8>>, &'static str> {
    let basic =
        BasicCredential::try_from(credential.clone()).map_err(|_| "not a basic credential")?;
    verify(crypto, basic.identity(), device_key)
}
