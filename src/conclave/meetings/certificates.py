"""Personal invitations as the host's browser signs them (docs/reference/sealing-protocol.md, 2).

Read strictly and checked as far as this is possible without the link: whose account it is, only
members can tell. Must never hold a seed or a name in the clear.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

InvitedRole = Literal["attendee", "cohost", "presenter", "listener"]

MAX_BYTES = 1_024
_ROLES: tuple[InvitedRole, ...] = ("attendee", "cohost", "presenter", "listener")
_MAX_NAME = 512
_LEAST_NAME = 29
_SIGNATURE = 64


class Unreadable(ValueError):
    """No invitation, or one that its account has not signed."""


@dataclass(frozen=True, slots=True)
class Certificate:
    meeting_id: str
    key: bytes
    """Ed25519; the private half is in the person's link."""
    role: InvitedRole
    expires_at: datetime | None
    id: str
    """base64url, 22 characters."""


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.rest = content

    def take(self, length: int) -> bytes:
        if length > len(self.rest):
            raise Unreadable
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length: int, most: int) -> int:
        value = int.from_bytes(self.take(length), "big")
        if value > most:
            raise Unreadable
        return value

    def vector(self) -> bytes:
        """RFC 9420, 2.1.2, by its shortest length."""
        first = self.number(1, 0x7F)
        if first < 0x40:
            return self.take(first)
        length = (first & 0x3F) << 8 | self.number(1, 0xFF)
        if length < 0x40:
            raise Unreadable
        return self.take(length)


def read(content: bytes, meeting_id: str) -> Certificate:
    """The certificate for this meeting. `Unreadable` for anything that is not exactly one."""
    reader = _Reader(content)
    if reader.number(1, 1) != 1 or reader.vector() != meeting_id.encode():
        raise Unreadable
    key = reader.take(32)
    role = _ROLES[reader.number(1, len(_ROLES) - 1)]
    seconds = reader.number(8, (1 << 53) - 1)
    name = reader.vector()
    account = reader.take(32)
    signature = reader.take(_SIGNATURE)
    if reader.rest or (name and not _LEAST_NAME <= len(name) <= _MAX_NAME):
        raise Unreadable
    if not verifies(account, b"conclave invitation v1" + content[:-_SIGNATURE], signature):
        raise Unreadable
    return Certificate(meeting_id, key, role, _instant(seconds), id_of(key))


def id_of(key: bytes) -> str:
    digest = sha256(b"conclave invitation id v1" + key).digest()[:16]
    return urlsafe_b64encode(digest).decode().rstrip("=")


def is_bound(certificate: Certificate, device: bytes, binding: bytes) -> bool:
    """Whether the holder of the link says that this device is theirs."""
    content = b"conclave binding v1" + certificate.meeting_id.encode() + device
    return verifies(certificate.key, content, binding)


def verifies(key: bytes, content: bytes, signature: bytes) -> bool:
    """Ed25519 (RFC 8032); False for keys and signatures of any other shape."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _instant(seconds: int) -> datetime | None:
    if seconds == 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise Unreadable from None
