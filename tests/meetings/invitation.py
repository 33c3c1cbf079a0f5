"""A host's browser that invites, and an invited person's that binds its device
(docs/reference/sealing-protocol.md, 2), as far as the server is concerned."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def private_key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def vector(content: bytes) -> bytes:
    size = len(content)
    return (bytes([size]) if size < 64 else (0x4000 | size).to_bytes(2, "big")) + content


@dataclass(frozen=True)
class Invitation:
    meeting: str
    person: str = "anna"
    role: int = 0
    expires_at: int = 0
    name: bytes = bytes(40)
    host: str = "host"
    key: Ed25519PrivateKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", private_key(f"{self.meeting} {self.person}"))

    @property
    def id(self) -> str:
        return b64(sha256(b"conclave invitation id v1" + public(self.key)).digest()[:16])

    def fields(self) -> bytes:
        return (
            b"\x01"
            + vector(self.meeting.encode())
            + public(self.key)
            + bytes([self.role])
            + self.expires_at.to_bytes(8, "big")
            + vector(self.name)
            + public(private_key(self.host))
        )

    def encode(self) -> bytes:
        fields = self.fields()
        return fields + private_key(self.host).sign(b"conclave invitation v1" + fields)

    def binding(self, device: bytes) -> bytes:
        return self.key.sign(b"conclave binding v1" + self.meeting.encode() + device)

    def knock(self, device: str = "phone") -> dict[str, str]:
        """The fields that a knock with it has."""
        key = public(private_key(device))
        return {"invitation": self.id, "device": b64(key), "binding": b64(self.binding(key))}


def device(name: str = "phone") -> str:
    return b64(public(private_key(name)))
