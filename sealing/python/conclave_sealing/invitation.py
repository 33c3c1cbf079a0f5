"""A personal invitation: made by a host, bound to the device that uses it (sealing-protocol.md, 2).

Pure. Whether an invitation counts in a group is for `judge.py` to say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from conclave_sealing.encoding import Reader, vector
from conclave_sealing.keys import Link, b64, fingerprint_of, public_half, seal, unseal, verify
from conclave_sealing.knock import MAX_NAME

ATTENDEE, COHOST, PRESENTER, LISTENER = range(4)
NEVER = 0
"""As `expires_at`."""
GRACE_S = 3600.0
"""How long after its end members still let somebody in: their clocks differ."""
MAX_SEALED_NAME = 512
MAX_MEETING_ID = 40
"""UTF-16 units."""
MAX_EXPIRY = (1 << 53) - 1
"""What a browser's numbers hold exactly."""
_LABEL = b"conclave invitation v1"
_NAME = b"conclave invited v1"
_BINDING = b"conclave binding v1"


def invitation_key(meeting: str, seed: bytes) -> bytes:
    """The private half of an invitation's Ed25519 key, 32 bytes, from the 16 of the link."""
    return HKDF(SHA256(), 32, meeting.encode(), _LABEL).derive(seed)


def invitation_id(key: bytes) -> bytes:
    """16 bytes; `key` is the public half."""
    return sha256(b"conclave invitation id v1" + key).digest()[:16]


@dataclass(frozen=True, slots=True)
class Invitation:
    meeting: bytes
    key: bytes
    """The public half, 32 bytes."""
    role: int
    """ATTENDEE, COHOST, PRESENTER or LISTENER."""
    expires_at: int
    """Seconds since 1970, or NEVER."""
    name: bytes
    """Sealed, 29 to 512 bytes, or empty."""
    account_key: bytes
    """The host's, 32 bytes."""
    signature: bytes

    @property
    def id(self) -> bytes:
        return invitation_id(self.key)

    @property
    def id_text(self) -> str:
        """As in frames and addresses."""
        return b64(self.id)

    def content(self) -> bytes:
        """What the account signs, without the label: all fields before the signature."""
        return (
            b"\x01"
            + vector(self.meeting)
            + self.key
            + bytes([self.role])
            + self.expires_at.to_bytes(8, "big")
            + vector(self.name)
            + self.account_key
        )

    def encode(self) -> bytes:
        return self.content() + self.signature

    @classmethod
    def read(cls, content: bytes) -> Invitation | None:
        """None unless these are exactly the bytes of an Invitation. Its signature is not looked at:
        see `is_signed`."""
        reader = Reader(content)
        try:
            if reader.number(1, 1) != 1:
                return None
            found = cls(
                meeting=_read_meeting(reader),
                key=reader.take(32),
                role=reader.number(1, LISTENER),
                expires_at=reader.number(8, MAX_EXPIRY),
                name=reader.vector(),
                account_key=reader.take(32),
                signature=reader.take(64),
            )
            reader.end()
        except ValueError:
            return None
        size = len(found.name)
        return found if size == 0 or 12 + 16 < size <= MAX_SEALED_NAME else None

    def is_signed(self) -> bool:
        return verify(self.account_key, _LABEL + self.content(), self.signature)

    def is_of(self, link: Link) -> bool:
        """Made for whoever holds this link's seed, by the host that the link names."""
        return (
            link.seed is not None
            and self.meeting == link.meeting.encode()
            and self.key == public_half(invitation_key(link.meeting, link.seed))
            and fingerprint_of(self.account_key) == link.fingerprint
            and self.is_signed()
        )

    def is_over(self, wall: float) -> bool:
        """At `wall` seconds since 1970, with an hour of grace."""
        return self.expires_at != NEVER and wall > self.expires_at + GRACE_S

    def open_name(self, link: Link) -> str | None:
        """Whom the host meant; None where the link cannot open it, or it is no name."""
        said = unseal(link.keys().intro, self.name, _name_aad(link.meeting, self.key))
        try:
            found = json.loads(said or b"null")
        except (ValueError, RecursionError):
            return None
        match found:
            case {"v": 1, "name": str(name)} if 0 < len(name) <= MAX_NAME:
                return name
        return None


def _read_meeting(reader: Reader) -> bytes:
    found = reader.vector()
    if len(found.decode().encode("utf-16-le")) > 2 * MAX_MEETING_ID:
        raise ValueError("too long an id")
    return found


def _name_aad(meeting: str, key: bytes) -> bytes:
    return _NAME + meeting.encode() + key


def make_invitation(
    account_seed: bytes,
    link: Link,
    *,
    name: str,
    role: int,
    expires_at: int,
    nonce: bytes,
    seed: bytes,
) -> Invitation:
    """For whoever is given `link` with `seed`. No name: it carries none. `nonce`: 12 random bytes;
    ValueError where the name is longer than 64 characters."""
    if len(name) > MAX_NAME:
        raise ValueError("too long a name")
    key = public_half(invitation_key(link.meeting, seed))
    sealed = b""
    if name:
        said = json.dumps({"v": 1, "name": name}, separators=(",", ":"), ensure_ascii=False)
        sealed = seal(link.keys().intro, nonce, said.encode(), _name_aad(link.meeting, key))
    account = Ed25519PrivateKey.from_private_bytes(account_seed)
    made = Invitation(
        meeting=link.meeting.encode(),
        key=key,
        role=role,
        expires_at=expires_at,
        name=sealed,
        account_key=account.public_key().public_bytes_raw(),
        signature=bytes(64),
    )
    return replace(made, signature=account.sign(_LABEL + made.content()))


def binding_of(meeting: str, seed: bytes, device_key: bytes) -> bytes:
    """64 bytes: the holder of the seed takes this device for its own."""
    key = Ed25519PrivateKey.from_private_bytes(invitation_key(meeting, seed))
    return key.sign(_BINDING + meeting.encode() + device_key)


@dataclass(frozen=True, slots=True)
class Bound:
    """An invitation and the device that is its owner's."""

    invitation: Invitation
    binding: bytes

    def encode(self) -> bytes:
        return vector(self.invitation.encode()) + self.binding
