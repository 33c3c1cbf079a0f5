"""KeyPackages as a stranger may write them: in order but for the credential (RFC 9420, 7, 10)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conclave_sealing import Engine
from conclave_sealing.encoding import Reader, vector
from conclave_sealing.keys import credential_of, public_half

_BASIC = b"\x00\x01"


def _signed(seed: bytes, label: bytes, content: bytes) -> bytes:
    """`content` and its SignWithLabel (RFC 9420, 5.1.2)."""
    named = vector(b"MLS 1.0 " + label) + vector(content)
    return content + vector(Ed25519PrivateKey.from_private_bytes(seed).sign(named))


def key_package_of(seed: bytes, identity: bytes) -> bytes:
    """An encoded KeyPackage (MLSMessage) of this device with whatever identity, rightly signed."""
    honest, _ = Engine(seed, credential_of(public_half(seed))).key_package()
    reader = Reader(honest)
    message, header = reader.take(4), reader.take(4)
    init_key, encryption_key, signature_key = (reader.vector() for _ in range(3))
    assert reader.take(2) == _BASIC
    reader.vector()
    capabilities = b"".join(vector(reader.vector()) for _ in range(5))
    source_and_lifetime = reader.take(1 + 16)
    extensions = vector(reader.vector())
    reader.vector()
    leaf = _signed(
        seed,
        b"LeafNodeTBS",
        vector(encryption_key)
        + vector(signature_key)
        + _BASIC
        + vector(identity)
        + capabilities
        + source_and_lifetime
        + extensions,
    )
    content = header + vector(init_key) + leaf + vector(reader.vector())
    return message + _signed(seed, b"KeyPackageTBS", content)
