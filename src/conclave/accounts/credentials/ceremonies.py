"""WebAuthn ceremonies (Level 3, 7.1 and 7.2) without database: options out, answers checked.

py_webauthn checks challenge, origin, relying party, flags, keys and signatures; here is what it
leaves to its caller. Must never tell why an answer was refused: `Refused` is all there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from conclave.kernel.app import App
from conclave.kernel.origin import split_origin

TIMEOUT_MS = 300_000
CHALLENGE_BYTES = 32
NAME = "conclave"


class Refused(Exception):
    """The answer is not good."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks for the signature."""

    id: str
    """A host name: passkeys of another one are not even shown by browsers."""
    origin: str


@dataclass(frozen=True, slots=True)
class NewCredential:
    credential_id: bytes
    public_key: bytes
    sign_count: int
    is_backup_eligible: bool
    is_backed_up: bool


@dataclass(frozen=True, slots=True)
class StoredCredential:
    credential_id: bytes
    public_key: bytes
    is_backup_eligible: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A signature that is good; whether the counter is, the caller compares."""

    sign_count: int
    is_backed_up: bool


def relying_party(app: App, connection: HTTPConnection) -> RelyingParty:
    """That of the public URL, else that of the page which asks; its origin has passed
    `check_origin`, so it is the host under which the browser reached us."""
    origin = app.settings.http.public_url or connection.headers.get("origin", "").lower()
    parts = split_origin(origin)
    if parts is None:
        raise Refused
    return RelyingParty(parts[1].removesuffix("."), origin)


def creation_options(
    party: RelyingParty,
    challenge: bytes,
    *,
    user_id: str,
    user_name: str,
    known: Sequence[bytes],
) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptionsJSON (5.1.8): a discoverable credential that asks for a
    PIN or a finger; no attestation, since every authenticator is welcome."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_id=user_id.encode(),
        user_name=user_name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        attestation=structs.AttestationConveyancePreference.NONE,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=own) for own in known],
    )
    return _json(options)


def request_options(
    party: RelyingParty, challenge: bytes, *, allowed: Sequence[bytes] = ()
) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptionsJSON (5.1.8); without `allowed` the authenticator shows
    what it has for this site."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=own) for own in allowed],
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return _json(options)


def registered(party: RelyingParty, challenge: bytes, answer: dict[str, Any]) -> NewCredential:
    """The new credential in a RegistrationResponseJSON. Raises `Refused`."""
    import webauthn
    from webauthn.helpers import parse_attestation_object, parse_registration_credential_json
    from webauthn.helpers.structs import CredentialDeviceType

    try:
        credential = parse_registration_credential_json(answer)
        _require_same_origin(credential.response.client_data_json)
        attested = parse_attestation_object(credential.response.attestation_object)
        # None was asked for; what a browser may send all the same is a key's own signature.
        # Chains of certificates are not looked at.
        if attested.fmt not in {"none", "packed"} or attested.att_stmt.x5c:
            raise Refused
        found = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        if found.credential_id != credential.raw_id or len(found.credential_id) > 1023:
            raise Refused
    except Exception as error:  # whatever a hostile answer made the parsers say
        raise Refused from error
    return NewCredential(
        found.credential_id,
        found.credential_public_key,
        found.sign_count,
        found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        found.credential_backed_up,
    )


def asserted(
    party: RelyingParty, challenge: bytes, answer: dict[str, Any], stored: StoredCredential
) -> Proof:
    """The proof in an AuthenticationResponseJSON by `stored`. Raises `Refused`.

    The counter is left to the caller: only of a good signature it means anything.
    """
    import webauthn
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.structs import CredentialDeviceType

    try:
        credential = parse_authentication_credential_json(answer)
        _require_same_origin(credential.response.client_data_json)
        found = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=stored.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        is_eligible = found.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        # 7.2, step 18: that never changes.
        if found.credential_id != stored.credential_id or is_eligible != stored.is_backup_eligible:
            raise Refused
    except Exception as error:  # whatever a hostile answer made the parsers say
        raise Refused from error
    return Proof(found.new_sign_count, found.credential_backed_up)


def has_gone_back(before: int, now: int) -> bool:
    """Did the counter not grow (7.2, step 22)? Authenticators without one always say 0."""
    return (before > 0 or now > 0) and now <= before


def named(answer: dict[str, Any]) -> tuple[bytes, bytes | None]:
    """(credential id, user handle) that an AuthenticationResponseJSON names. Raises `Refused`."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        credential = parse_authentication_credential_json(answer)
    except Exception as error:
        raise Refused from error
    return credential.raw_id, credential.response.user_handle


def _require_same_origin(client_data: bytes) -> None:
    """5.8.1: our pages are framed nowhere, so nobody signs in a frame of another page."""
    content = json.loads(client_data)
    if content.get("crossOrigin") or content.get("topOrigin"):
        raise Refused


def _json(options: Any) -> dict[str, Any]:
    from webauthn import options_to_json

    made: dict[str, Any] = json.loads(options_to_json(options))
    return made
