"""Opaque bearer tokens (256 random bits, handed out once, stored hashed), and digests of bytes.

The one place where slices get a hash from. Must never be logged or compared in any other way than
by their hash.
"""

from __future__ import annotations

import hashlib
import re
import secrets

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes | None:
    """None when `token` cannot be one of ours; then nothing needs to be looked up."""
    if _FORM.fullmatch(token) is None:
        return None
    return digest_of(token.encode("ascii"))


def digest_of(content: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(content).digest()
