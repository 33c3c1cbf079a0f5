"""What a crowded door asks for, done as docs/reference/sealing-protocol.md (7) says."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from conclave.sealing.schemas import decoded
from tests.sealing.delivery.tab import b64, knock


def met(challenge: bytes, bits: int, content: bytes) -> bytes:
    """The first nonce that will do."""
    begun = sha256(b"conclave work v1" + challenge + sha256(content).digest())
    for number in range(1 << 30):
        tried = begun.copy()
        tried.update(nonce := number.to_bytes(8, "big"))
        if int.from_bytes(tried.digest(), "big") >> (256 - bits) == 0:
            return nonce
    raise AssertionError("no nonce")


def paid_knock(asked: dict[str, Any]) -> dict[str, Any]:
    """The knock again, after an `error` with code `work`."""
    fields = knock()
    content = decoded(fields["key_package"])
    nonce = met(decoded(asked["challenge"]), asked["bits"], content)
    return {**fields, "work": {"challenge": asked["challenge"], "nonce": b64(nonce)}}
