"""One-time codes (TOTP, RFC 6238, with HOTP of RFC 4226): SHA-1, 6 digits, steps of 30 seconds, as
every authenticator app computes them. Pure; that a step counts once is the caller's to store."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
_STEP_SECONDS = 30
# One step before and after: clocks differ, and people type slowly (RFC 6238, 5.2).
_DRIFT = (0, -1, 1)
_FORM = re.compile(r"[0-9]{6}")


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step (RFC 4226, 5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def step_of(secret: bytes, code: str, now: datetime, *, after: int = -1) -> int | None:
    """The time step that `code` belongs to, if it is right now and later than step `after`."""
    present = int(now.timestamp()) // _STEP_SECONDS
    found = None
    for drift in _DRIFT:
        step = present + drift
        if step > after and hmac.compare_digest(
            code_at(secret, step).encode(), code.encode("utf-8", "replace")
        ):
            found = step
    return found


def is_code(text: str) -> bool:
    """Six digits: anything else may be a recovery code."""
    return _FORM.fullmatch(text) is not None


def secret_text(secret: bytes) -> str:
    """For typing it in by hand: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, login: str, issuer: str) -> str:
    """`otpauth://` URI for a QR code (Key Uri Format of Google Authenticator)."""
    label = f"{quote(issuer, safe='')}:{quote(login, safe='')}"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret_text(secret), 'issuer': issuer})}"
