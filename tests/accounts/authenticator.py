"""A WebAuthn authenticator and its browser in software (WebAuthn Level 3, 6 and 5.8.1).

Makes good answers by default; every part that a hostile one would change can be said otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Literal

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ORIGIN = "http://localhost:8080"


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def unb64(value: str) -> bytes:
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class Credential:
    id: bytes
    rp_id: str
    user_handle: bytes
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    count: int = 0

    def cose(self) -> bytes:
        """COSE_Key (RFC 9053, 7.1 and 7.2)."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            raw = self.key.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw
            )
            return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: raw})
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def sign(self, content: bytes) -> bytes:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(content)
        return self.key.sign(content, ec.ECDSA(hashes.SHA256()))


@dataclass
class Authenticator:
    algorithm: Literal["ES256", "EdDSA"] = "ES256"
    counts: bool = True
    """Has a counter; many passkey providers have none."""
    flags: int = UP | UV | BE | BS
    origin: str = ORIGIN
    credentials: list[Credential] = field(default_factory=list)

    def create(
        self,
        options: dict[str, Any],
        *,
        rp_id: str | None = None,
        challenge: str | None = None,
        client: dict[str, Any] | None = None,
        flags: int | None = None,
        credential_id: bytes | None = None,
    ) -> dict[str, Any]:
        """navigator.credentials.create(): a RegistrationResponseJSON."""
        made = Credential(
            credential_id or os.urandom(32),
            options["rp"]["id"],
            unb64(options["user"]["id"]),
            ec.generate_private_key(ec.SECP256R1())
            if self.algorithm == "ES256"
            else ed25519.Ed25519PrivateKey.generate(),
        )
        self.credentials.append(made)
        attested = bytes(16) + len(made.id).to_bytes(2, "big") + made.id + made.cose()
        data = self._data(rp_id or made.rp_id, made, (self.flags if flags is None else flags) | AT)
        content = self._client("webauthn.create", challenge or options["challenge"], client)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data + attested})
        return {
            "id": b64(made.id),
            "rawId": b64(made.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": b64(content),
                "attestationObject": b64(attestation),
                "transports": ["internal"],
            },
        }

    def get(
        self,
        options: dict[str, Any],
        *,
        credential: Credential | None = None,
        rp_id: str | None = None,
        challenge: str | None = None,
        client: dict[str, Any] | None = None,
        flags: int | None = None,
        count: int | None = None,
        user_handle: bytes | None = None,
        sign_by: Credential | None = None,
    ) -> dict[str, Any]:
        """navigator.credentials.get(): an AuthenticationResponseJSON."""
        used = credential or self.credentials[-1]
        if self.counts:
            used.count += 1
        data = self._data(
            rp_id or used.rp_id,
            used,
            self.flags if flags is None else flags,
            count=used.count if count is None else count,
        )
        content = self._client("webauthn.get", challenge or options["challenge"], client)
        signature = (sign_by or used).sign(data + hashlib.sha256(content).digest())
        return {
            "id": b64(used.id),
            "rawId": b64(used.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64(content),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(user_handle or used.user_handle),
            },
        }

    def _data(
        self, rp_id: str, credential: Credential, flags: int, *, count: int | None = None
    ) -> bytes:
        counter = credential.count if count is None else count
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, changes: dict[str, Any] | None) -> bytes:
        content = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps({**content, **(changes or {})}).encode()
