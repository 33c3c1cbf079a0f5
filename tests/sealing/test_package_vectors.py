"""What the headless member derives, against the vectors of docs/reference/sealing-protocol.md."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conclave_sealing import Engine, KeyPackageFacts
from conclave_sealing import keys as derive
from conclave_sealing.context import MeetingContext, Policy
from conclave_sealing.invitation import Bound, binding_of, make_invitation
from conclave_sealing.knock import Knock, check_knock, make_knock
from conclave_sealing.work import do_work

pytestmark = pytest.mark.unit

Vectors = dict[str, Any]

PROTOCOL = Path(__file__).parents[2] / "docs" / "reference" / "sealing-protocol.md"


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    block = re.search(r"```json\n(\{.*?\n\})\n```", PROTOCOL.read_text("utf-8"), re.DOTALL)
    assert block is not None
    found = json.loads(block[1])
    merged: Vectors = found["given"] | found["follows"]
    return merged


@pytest.fixture(scope="module")
def link(vectors: Vectors) -> derive.Link:
    found = derive.Link.read(vectors["link"])
    assert found is not None
    return found


def test_the_link_and_its_keys(vectors: Vectors, link: derive.Link) -> None:
    assert link.meeting == vectors["meeting_id"]
    assert link.secret.hex() == vectors["link_secret"]
    assert link.fingerprint.hex() == vectors["host_fingerprint"]
    assert vectors["link"].endswith("#" + link.fragment())
    assert link.seed is None
    keys = link.keys()
    assert keys.admission.hex() == vectors["admission_key"]
    assert keys.intro.hex() == vectors["intro_key"]
    assert keys.psk.hex() == vectors["link_psk"]
    for damaged in (vectors["link"][:-1], vectors["link"] + "A", vectors["link"].split("#")[0]):
        assert derive.Link.read(damaged) is None


def test_credential_and_identity(vectors: Vectors) -> None:
    device = derive.public_half(bytes.fromhex(vectors["device_seed"]))
    assert device.hex() == vectors["device_key"]
    account = bytes.fromhex(vectors["account_seed"])
    credential = derive.credential_of(device, account)
    assert credential.hex() == vectors["credential"]
    account_key = bytes.fromhex(vectors["account_key"])
    assert derive.fingerprint_of(account_key).hex() == vectors["host_fingerprint"]
    instance = bytes.fromhex(vectors["instance"])
    assert derive.identity_of(device, instance) == vectors["identity"]
    authenticator = bytes.fromhex(vectors["epoch_authenticator"])
    assert derive.roster_code(authenticator) == vectors["roster_code"]
    engine = Engine(bytes.fromhex(vectors["device_seed"]), credential)
    assert engine.inspect(engine.key_package()[0]).account_key == account_key
    with pytest.raises(RuntimeError, match="did not certify"):
        Engine(bytes(32), credential)


def test_the_invitation_and_its_binding(vectors: Vectors, link: derive.Link) -> None:
    personal = derive.Link.read(vectors["personal_link"])
    assert personal is not None
    assert personal.seed is not None
    assert personal.seed.hex() == vectors["invitation_seed"]
    assert replace(personal, seed=None) == link
    assert vectors["personal_link"].endswith("#" + personal.fragment())
    made = make_invitation(
        bytes.fromhex(vectors["account_seed"]),
        link,
        name=vectors["invited_name"],
        role=vectors["role"],
        expires_at=vectors["expires_at"],
        nonce=bytes.fromhex(vectors["invited_nonce"]),
        seed=personal.seed,
    )
    assert made.key.hex() == vectors["invitation_key"]
    assert made.id_text == vectors["invitation_id"]
    assert made.name.hex() == vectors["sealed_invited_name"]
    assert made.encode().hex() == vectors["invitation"]
    assert made.is_of(personal)
    assert made.open_name(link) == vectors["invited_name"]
    device_seed = bytes.fromhex(vectors["device_seed"])
    device = bytes.fromhex(vectors["device_key"])
    assert binding_of(link.meeting, personal.seed, device).hex() == vectors["binding"]
    credential = derive.credential_of(
        device, bound=Bound(made, binding_of(link.meeting, personal.seed, device)).encode()
    )
    assert credential.hex() == vectors["invited_credential"]
    engine = Engine(device_seed, credential)
    facts = engine.inspect(engine.key_package()[0])
    assert (facts.account_key, facts.invitation) == (None, made.encode())


def test_the_meeting_in_the_group(vectors: Vectors, link: derive.Link) -> None:
    device = bytes.fromhex(vectors["device_key"])
    instance = bytes.fromhex(vectors["instance"])
    made = MeetingContext.make(link.meeting, instance, device, link, Policy())
    fields, mac = (bytes.fromhex(vectors[name]) for name in ("meeting_fields", "meeting_mac"))
    # Open, not locked, no history, nobody named; no template, what everybody may, nobody else.
    assert made.encode() == fields + mac + bytes(6) + b"\x00" + b"\x01\xf7" + bytes(2)
    assert made.proves(link)


def test_the_knock(vectors: Vectors, link: derive.Link) -> None:
    ref = bytes.fromhex(vectors["key_package_ref"])
    instance = bytes.fromhex(vectors["instance"])
    device_seed = bytes.fromhex(vectors["device_seed"])
    intro = bytes.fromhex(vectors["sealed_intro"])
    engine = Engine(device_seed, derive.credential_of(derive.public_half(device_seed)))
    knock = Knock(
        b"package", intro, bytes.fromhex(vectors["proof"]), bytes.fromhex(vectors["knock_sign"])
    )
    facts = KeyPackageFacts(ref, engine.signature_key)
    guest = check_knock(knock, facts, meeting=link.meeting, instance=instance, link=link)
    assert guest is not None
    assert guest.has_proof
    assert (guest.name, guest.colour) == (vectors["name"], vectors["colour"])
    made = make_knock(
        (b"package", ref),
        engine.sign,
        meeting=link.meeting,
        instance=instance,
        link=link,
        profile=("x", 1),
        nonce=bytes(12),
    )
    assert made.proof == knock.proof
    for wrong in (
        Knock(b"package", intro, bytes(32), knock.sign),
        Knock(b"package", intro, knock.proof, bytes(64)),
        Knock(b"package", b"", knock.proof, knock.sign),
        Knock(b"package", intro, b"", knock.sign),
    ):
        assert not check_knock(wrong, facts, meeting=link.meeting, instance=instance, link=link)


def test_the_work_for_a_crowded_door(vectors: Vectors) -> None:
    challenge = bytes.fromhex(vectors["work_challenge"])
    key_package = bytes.fromhex(vectors["work_key_package"])
    assert do_work(challenge, vectors["work_bits"], key_package).hex() == vectors["work_nonce"]
    with pytest.raises(ValueError, match="too much"):
        do_work(challenge, 25, key_package)
