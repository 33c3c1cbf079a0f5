"""The knock: name under the link's key, proof, signature (sealing-protocol.md, 4). Pure."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from conclave_sealing._mls import KeyPackageFacts
from conclave_sealing.keys import Link, authenticate, seal, unseal, verify

_LABEL = b"conclave knock v1"
_INTRO = b"conclave intro v1"
MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Knock:
    key_package: bytes
    intro: bytes
    proof: bytes
    sign: bytes


@dataclass(frozen=True, slots=True)
class Guest:
    """A knock that verified."""

    key_package: bytes
    facts: KeyPackageFacts
    has_proof: bool
    name: str | None
    colour: int


def _named(ref: bytes, meeting: str, instance: bytes) -> bytes:
    return _LABEL + ref + meeting.encode() + instance


def make_knock(
    key_package: tuple[bytes, bytes],
    sign: Callable[[bytes], bytes],
    *,
    meeting: str,
    instance: bytes,
    link: Link | None,
    profile: tuple[str, int],
    nonce: bytes,
) -> Knock:
    content, ref = key_package
    named = _named(ref, meeting, instance)
    intro = proof = b""
    if link is not None:
        keys = link.keys()
        said = json.dumps({"v": 1, "name": profile[0], "colour": profile[1]}).encode()
        intro = seal(keys.intro, nonce, said, _INTRO + meeting.encode() + instance)
        proof = authenticate(keys.admission, named)
    signature = sign(named + sha256(intro + proof).digest())
    return Knock(content, intro, proof, signature)


def check_knock(
    knock: Knock, facts: KeyPackageFacts, *, meeting: str, instance: bytes, link: Link | None
) -> Guest | None:
    """None for one to drop. Who has no link cannot check a proof, and takes it for none."""
    named = _named(facts.ref, meeting, instance)
    if not verify(
        facts.signature_key, named + sha256(knock.intro + knock.proof).digest(), knock.sign
    ):
        return None
    if link is None:
        return Guest(knock.key_package, facts, False, None, 0)
    keys = link.keys()
    if knock.proof and not hmac.compare_digest(knock.proof, authenticate(keys.admission, named)):
        return None
    name, colour = _read_intro(
        unseal(keys.intro, knock.intro, _INTRO + meeting.encode() + instance)
    )
    return Guest(knock.key_package, facts, bool(knock.proof), name, colour)


def _read_intro(said: bytes | None) -> tuple[str | None, int]:
    try:
        found = json.loads(said or b"null")
    except (ValueError, RecursionError):
        return None, 0
    match found:
        case {"v": 1, "name": str(name), "colour": int(colour)} if (
            0 < len(name) <= MAX_NAME and 0 <= colour < 12
        ):
            return name, colour
    return None, 0
