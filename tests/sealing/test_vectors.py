"""The test vectors of docs/reference/sealing-protocol.md, computed by a second implementation.

The first is the web client's (`web/src/sealing/`, checked against the same vectors by its own
tests). Here nothing is shared with it: `cryptography`, `hashlib` and `hmac` only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

pytestmark = pytest.mark.unit

_ROOT = Path(__file__).parents[2]
_PROTOCOL = _ROOT / "docs" / "reference" / "sealing-protocol.md"
_LISTS = _ROOT / "web" / "src" / "sealing" / "words" / "lists"

Vectors = dict[str, Any]


def _vectors() -> Vectors:
    block = re.search(r"```json\n(\{.*?\n\})\n```", _PROTOCOL.read_text("utf-8"), re.DOTALL)
    assert block is not None
    found: Vectors = json.loads(block[1])
    return found


def _words(language: str) -> list[str]:
    text = (_LISTS / f"{language}.ts").read_text("utf-8")
    return text.split("`")[1].split()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), "sha256")


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def seal(key: bytes, nonce: bytes, content: bytes, aad: bytes) -> bytes:
    return nonce + AESGCM(key).encrypt(nonce, content, aad)


def vector(content: bytes) -> bytes:
    """`<V>`, RFC 9420, 2.1.2."""
    size = len(content)
    return (bytes([size]) if size < 64 else (0x4000 + size).to_bytes(2, "big")) + content


def public(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed: bytes, *parts: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(b"".join(parts))


def pkcs8(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def words(data: bytes, count: int, language: str) -> str:
    number = int.from_bytes(data, "big") >> (len(data) * 8 - count * 11)
    found = _words(language)
    return " ".join(found[(number >> (11 * (count - 1 - place))) & 0x7FF] for place in range(count))


def digits(digest: bytes) -> str:
    return f"{int.from_bytes(digest, 'big') % 10**30:030}"


def text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def work(challenge: bytes, key_package: bytes, bits: int) -> Vectors:
    """The smallest nonce that a crowded door takes, and its hash."""
    begun = b"conclave work v1" + challenge + sha256(key_package)
    for number in range(1 << 24):
        digest = sha256(begun, nonce := number.to_bytes(8, "big"))
        if digest.startswith(bytes(bits // 8)):
            return {"work_nonce": nonce, "work_hash": digest}
    raise AssertionError("no nonce")


def computed(given: Vectors) -> Vectors:
    """All that follows from the inputs, by the letter of the document."""
    raw = {name: bytes.fromhex(value) for name, value in given.items() if name in _HEX_INPUTS}
    meeting_id = given["meeting_id"].encode()
    account_key = public(raw["account_seed"])
    device_key = public(raw["device_seed"])
    fingerprint = sha256(b"conclave account v1", account_key)[:16]
    admission, intro, psk = (
        hkdf(raw["link_secret"], meeting_id, b"conclave %s v1" % name)
        for name in (b"admission", b"intro", b"psk")
    )
    certificate = sign(raw["account_seed"], b"conclave device v1", device_key)
    instance, ref = raw["instance"], raw["key_package_ref"]
    sealed_intro = seal(
        intro,
        raw["intro_nonce"],
        text({"v": 1, "name": given["name"], "colour": given["colour"]}),
        b"conclave intro v1" + meeting_id + instance,
    )
    proof = mac(admission, b"conclave knock v1", ref, meeting_id, instance)
    content = b"conclave knock v1" + ref + meeting_id + instance + sha256(sealed_intro, proof)
    fields = bytes([1, len(meeting_id)]) + meeting_id + instance + device_key + fingerprint
    meeting_mac = mac(admission, b"conclave meeting v1", fields)
    code = sha256(b"conclave code v1", instance, device_key, meeting_mac)
    door = sha256(b"conclave door v1", ref)
    accounts = [
        digits(hashlib.sha512(b"conclave safety v1" + key).digest())
        for key in (account_key, raw["other_account_key"])
    ]
    recovery = raw["recovery_secret"] + sha256(raw["recovery_secret"])[:1]
    vault = {
        "v": 1,
        "account": {"key": b64(pkcs8(raw["account_seed"])), "public": b64(account_key)},
        "meetings": [
            {
                "id": given["meeting_id"],
                "secret": b64(raw["link_secret"]),
                "title": given["title"],
                "at": given["at"],
            }
        ],
        "pins": [{"key": b64(raw["other_account_key"]), "name": given["name"], "at": given["at"]}],
    }
    wrapping = hkdf(raw["recovery_secret"], b"", b"conclave recovery v1")
    link = (
        f"https://meet.example/m/{given['meeting_id']}"
        f"#1.{b64(raw['link_secret'])}.{b64(fingerprint)}"
    )
    invitation_seed = hkdf(raw["invitation_seed"], meeting_id, b"conclave invitation v1")
    invitation_key = public(invitation_seed)
    sealed_name = seal(
        intro,
        raw["invited_nonce"],
        text({"v": 1, "name": given["invited_name"]}),
        b"conclave invited v1" + meeting_id + invitation_key,
    )
    invited = (
        bytes([1])
        + vector(meeting_id)
        + invitation_key
        + bytes([given["role"]])
        + given["expires_at"].to_bytes(8, "big")
        + vector(sealed_name)
        + account_key
    )
    invitation = invited + sign(raw["account_seed"], b"conclave invitation v1", invited)
    binding = sign(invitation_seed, b"conclave binding v1", meeting_id, device_key)
    reveal = raw["device_key_share"] + raw["device_nonce"]
    commitment = sha256(b"conclave device link v1", reveal)
    device = sha256(b"conclave device words v1", commitment, raw["device_offer"], reveal)
    found: Vectors = {
        "account_key": account_key,
        "host_fingerprint": fingerprint,
        "link": link,
        "personal_link": f"{link}.{b64(raw['invitation_seed'])}",
        "admission_key": admission,
        "intro_key": intro,
        "link_psk": psk,
        "sealed_title": seal(
            intro,
            raw["title_nonce"],
            text({"v": 1, "title": given["title"]}),
            b"conclave title v1" + meeting_id,
        ),
        "sealed_plan": seal(
            intro, raw["plan_nonce"], given["plan"].encode(), b"conclave plan v1" + meeting_id
        ),
        "device_key": device_key,
        "certificate": certificate,
        "credential": bytes([1, 32]) + account_key + bytes([0x40, 64]) + certificate,
        "invitation_key": invitation_key,
        "invitation_id": b64(sha256(b"conclave invitation id v1", invitation_key)[:16]),
        "sealed_invited_name": sealed_name,
        "invitation": invitation,
        "binding": binding,
        "invited_credential": bytes([2, 0, 0]) + vector(vector(invitation) + binding),
        "identity": b64(sha256(device_key, instance))[:22],
        "sealed_intro": sealed_intro,
        "proof": proof,
        "knock_content": content,
        "knock_sign": sign(raw["device_seed"], content),
        "meeting_fields": fields,
        "meeting_mac": meeting_mac,
        "meeting_code_de": words(code, 8, "de"),
        "meeting_code_en": words(code, 8, "en"),
        "roster_code": digits(sha256(b"conclave roster v1", raw["epoch_authenticator"])),
        "door_words_de": words(door, 3, "de"),
        "door_words_en": words(door, 3, "en"),
        "safety_number": "".join(sorted(accounts)),
        "recovery_words_de": words(recovery, 24, "de"),
        "recovery_words_en": words(recovery, 24, "en"),
        "wrapping_key": wrapping,
        "wrapped_vault_key": seal(
            wrapping, raw["wrap_nonce"], raw["vault_key"], b"conclave vault key v1"
        ),
        "vault_json": text(vault).decode(),
        "vault_blob": seal(raw["vault_key"], raw["vault_nonce"], text(vault), b"conclave vault v1"),
        "device_commitment": commitment,
        "device_words_de": words(device, 3, "de"),
        "device_words_en": words(device, 3, "en"),
        **work(raw["work_challenge"], raw["work_key_package"], given["work_bits"]),
    }
    return {
        name: value.hex() if isinstance(value, bytes) else value for name, value in found.items()
    }


_HEX_INPUTS = {
    "link_secret",
    "account_seed",
    "device_seed",
    "invitation_seed",
    "invited_nonce",
    "other_account_key",
    "title_nonce",
    "plan_nonce",
    "intro_nonce",
    "instance",
    "key_package_ref",
    "epoch_authenticator",
    "recovery_secret",
    "vault_key",
    "wrap_nonce",
    "vault_nonce",
    "device_key_share",
    "device_nonce",
    "device_offer",
    "work_challenge",
    "work_key_package",
}
VECTORS = _vectors()


@pytest.mark.parametrize("name", sorted(computed(VECTORS["given"])))
def test_the_document_says(name: str) -> None:
    assert VECTORS["follows"][name] == computed(VECTORS["given"])[name]


def test_it_says_nothing_else() -> None:
    assert set(VECTORS["follows"]) == set(computed(VECTORS["given"]))


def test_what_is_sealed_opens_only_as_it_is() -> None:
    follows = VECTORS["follows"]
    key = bytes.fromhex(follows["intro_key"])
    sealed = bytearray.fromhex(follows["sealed_title"])
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        AESGCM(key).decrypt(
            bytes(sealed[:12]),
            bytes(sealed[12:]),
            b"conclave title v1" + VECTORS["given"]["meeting_id"].encode(),
        )


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_lists_are_as_long_as_their_numbers(language: str) -> None:
    assert len(set(_words(language))) == 2048
