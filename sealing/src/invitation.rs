//! `Invitation` and `Bound` (docs/reference/sealing-protocol.md, 2): by which personal link a leaf
//! came. Whether an invitation counts in a group is the judge's affair, not this module's.

use openmls::prelude::{OpenMlsCrypto, SignatureScheme};

use crate::encoding::vector;

const VERSION: u8 = 1;
const INVITATION_LABEL: &[u8] = b"conclave invitation v1";
const BINDING_LABEL: &[u8] = b"conclave binding v1";
const MAX_ROLE: u8 = 3;
/// UTF-16 units.
const MAX_MEETING_ID: usize = 40;
/// What a browser's numbers hold exactly.
const MAX_EXPIRY: u64 = (1 << 53) - 1;
const KEY: usize = 32;
const SIGNATURE: usize = 64;
/// A nonce, a tag, and at least one byte between them; or nothing at all.
const NAMES: std::ops::RangeInclusive<usize> = 29..=512;

struct Invitation<'a> {
    meeting_id: &'a [u8],
    /// Its own key's public half.
    key: &'a [u8],
    account_key: &'a [u8],
    /// All fields before the signature.
    signed: &'a [u8],
    signature: &'a [u8],
}

/// `None` unless these are exactly the bytes of an Invitation.
fn read(bytes: &[u8]) -> Option<Invitation<'_>> {
    let (&version, rest) = bytes.split_first()?;
    let (meeting_id, rest) = vector(rest)?;
    let (key, rest) = rest.split_at_checked(KEY)?;
    let (&role, rest) = rest.split_first()?;
    let (expires_at, rest) = rest.split_first_chunk()?;
    let (name, rest) = vector(rest)?;
    let (account_key, signature) = rest.split_at_checked(KEY)?;
    let is_one = version == VERSION
        && std::str::from_utf8(meeting_id)
            .is_ok_and(|id| id.encode_utf16().count() <= MAX_MEETING_ID)
        && role <= MAX_ROLE
        && u64::from_be_bytes(*expires_at) <= MAX_EXPIRY
        && (name.is_empty() || NAMES.contains(&name.len()))
        && signature.len() == SIGNATURE;
    is_one.then(|| Invitation {
        meeting_id,
        key,
        account_key,
        signed: &bytes[..bytes.len() - SIGNATURE],
        signature,
    })
}

/// The encoded Invitation of a `Bound` that its account has signed and that is bound to this
/// device; `Err` says what is wrong.
pub fn verify<'a>(
    crypto: &impl OpenMlsCrypto,
    bound: &'a [u8],
    device_key: &[u8],
) -> Result<&'a [u8], &'static str> {
    let (encoded, binding) = vector(bound)
        .filter(|(_, binding)| binding.len() == SIGNATURE)
        .ok_or("what is bound is no Bound")?;
    let invitation = read(encoded).ok_or("the invitation is no Invitation")?;
    let signed = [INVITATION_LABEL, invitation.signed].concat();
    crypto
        .verify_signature(
            SignatureScheme::ED25519,
            &signed,
            invitation.account_key,
            invitation.signature,
        )
        .map_err(|_| "the account did not sign this invitation")?;
    let bound_to = [BINDING_LABEL, invitation.meeting_id, device_key].concat();
    crypto
        .verify_signature(SignatureScheme::ED25519, &bound_to, invitation.key, binding)
        .map_err(|_| "the invitation is not bound to this device")?;
    Ok(encoded)
}
