"""What is derived from a link, and how a leaf says who it is (sealing-protocol.md, 1, 2 and 8).

Pure. Must never keep a secret beyond the value it returns.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from conclave_sealing.encoding import vector

LINK_PSK_ID = b"conclave link v1"
_PART = r"\.([A-Za-z0-9_-]{22})"
_FRAGMENT = re.compile(rf"1{_PART}{_PART}(?:{_PART})?")


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: object, length: int | None = None) -> bytes:
    """Strict: exactly what `b64` writes, of `length` bytes where one is named; else ValueError."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(content) != text or (length is not None and len(content) != length):
        raise ValueError("not base64url of this length")
    return content


@dataclass(frozen=True, slots=True)
class LinkKeys:
    admission: bytes
    intro: bytes
    psk: bytes


@dataclass(frozen=True, slots=True)
class Link:
    meeting: str
    secret: bytes
    fingerprint: bytes
    seed: bytes | None = None
    """Of a personal invitation, 16 bytes."""

    @classmethod
    def read(cls, url: str) -> Link | None:
        """None where the fragment is missing or damaged: that way leads to the lobby."""
        address, _, fragment = url.partition("#")
        found = _FRAGMENT.fullmatch(fragment)
        meeting = address.rpartition("/m/")[2].strip("/")
        if not found or not meeting or "/" in meeting:
            return None
        try:
            seed = None if found[3] is None else unb64(found[3], 16)
            return cls(meeting, unb64(found[1], 16), unb64(found[2], 16), seed)
        except ValueError:
            return None

    def fragment(self) -> str:
        parts = [self.secret, self.fingerprint] + ([] if self.seed is None else [self.seed])
        return ".".join(["1", *map(b64, parts)])

    def keys(self) -> LinkKeys:
        def derive(info: bytes) -> bytes:
            return HKDF(SHA256(), 32, self.meeting.encode(), info).derive(self.secret)

        return LinkKeys(
            admission=derive(b"conclave admission v1"),
            intro=derive(b"conclave intro v1"),
            psk=derive(b"conclave psk v1"),
        )


def authenticate(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), "sha256")


def seal(key: bytes, nonce: bytes, content: bytes, aad: bytes) -> bytes:
    """`nonce (12) || AES-256-GCM`."""
    return nonce + AESGCM(key).encrypt(nonce, content, aad)


def unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    if len(sealed) < 12 + 16:
        return None
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], aad)
    except InvalidTag:
        return None


def public_half(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def verify(key: bytes, content: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint_of(account_key: bytes) -> bytes:
    return sha256(b"conclave account v1" + account_key).digest()[:16]


def credential_of(
    device_key: bytes, account_seed: bytes | None = None, bound: bytes | None = None
) -> bytes:
    """An encoded `ConclaveCredential`: certified by the account, or of nobody. Version 2 with an
    encoded `Bound`, else version 1."""
    account_key = certificate = b""
    if account_seed is not None:
        account = Ed25519PrivateKey.from_private_bytes(account_seed)
        account_key = account.public_key().public_bytes_raw()
        certificate = account.sign(b"conclave device v1" + device_key)
    fields = vector(account_key) + vector(certificate)
    return b"\x01" + fields if bound is None else b"\x02" + fields + vector(bound)


def identity_of(signature_key: bytes, instance: bytes) -> str:
    return b64(sha256(signature_key + instance).digest())[:22]


def roster_code(authenticator: bytes) -> str:
    """Thirty digits."""
    digest = sha256(b"conclave roster v1" + authenticator).digest()
    return f"{int.from_bytes(digest, 'big') % 10**30:030d}"
