"""Personal invitations as bytes: links, invitations, bindings, and credentials that carry them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from conclave_sealing import Engine, Refused
from conclave_sealing.encoding import vector
from conclave_sealing.invitation import (
    ATTENDEE,
    COHOST,
    MAX_EXPIRY,
    NEVER,
    Bound,
    Invitation,
    binding_of,
    invitation_key,
    make_invitation,
)
from conclave_sealing.keys import Link, credential_of, fingerprint_of, public_half
from tests.sealing.engines import account_seed
from tests.sealing.key_package import key_package_of

pytestmark = pytest.mark.unit

OWNER = account_seed("owner")
DEVICE = sha256(b"device").digest()
KEY = public_half(DEVICE)
SEED = bytes(range(16))
LINK = Link("mtg_test", bytes(16), fingerprint_of(public_half(OWNER)), SEED)
LABEL = b"conclave invitation v1"


def made(name: str = "Anna", role: int = ATTENDEE, expires_at: int = NEVER) -> Invitation:
    return make_invitation(
        OWNER, LINK, name=name, role=role, expires_at=expires_at, nonce=bytes(12), seed=SEED
    )


def credential(invitation: bytes, binding: bytes | None = None) -> bytes:
    binding = binding_of(LINK.meeting, SEED, KEY) if binding is None else binding
    return credential_of(KEY, bound=vector(invitation) + binding)


def refused(identity: bytes) -> str:
    """Why; in a KeyPackage that came from outside and for an engine of one's own, alike."""
    with pytest.raises(RuntimeError) as misuse:
        Engine(DEVICE, identity)
    stranger = Engine(bytes(32), credential_of(public_half(bytes(32))))
    with pytest.raises(Refused) as caught:
        stranger.inspect(key_package_of(DEVICE, identity))
    assert caught.value.reason == "forbidden"
    assert caught.value.detail == str(misuse.value)
    return caught.value.detail


def test_a_credential_of_either_version_is_taken() -> None:
    stranger = Engine(bytes(32), credential_of(public_half(bytes(32))))
    invitation = made()
    bound = Bound(invitation, binding_of(LINK.meeting, SEED, KEY)).encode()
    for account in (None, account_seed("anna")):
        for carried in (None, bound):
            identity = credential_of(KEY, account, carried)
            assert identity[0] == (1 if carried is None else 2)
            facts = stranger.inspect(key_package_of(DEVICE, identity))
            assert facts.signature_key == KEY
            assert facts.account_key == (account and public_half(account))
            assert facts.invitation == (carried and invitation.encode())


def test_what_was_right_for_one_device_is_not_for_another() -> None:
    stranger = Engine(bytes(32), credential_of(public_half(bytes(32))))
    identity = credential(made().encode())
    thief = sha256(b"thief").digest()
    for _ in range(2):
        assert stranger.inspect(key_package_of(DEVICE, identity)).signature_key == KEY
        with pytest.raises(Refused, match="not bound to this device"):
            stranger.inspect(key_package_of(thief, identity))


def test_the_third_part_of_a_link_is_whole_or_the_link_is_none() -> None:
    url = f"https://host/m/mtg_test#{LINK.fragment()}"
    assert Link.read(url) == LINK
    plain = replace(LINK, seed=None)
    assert Link.read(f"https://host/m/mtg_test#{plain.fragment()}") == plain
    for missing in range(1, 23):
        assert Link.read(url[:-missing]) is None
    for wrong in (url + "A", url + ".", f"{url}.{'A' * 22}", url[:-1] + "B", url[:-1] + "!"):
        assert Link.read(wrong) is None


def test_a_name_is_for_who_holds_the_link() -> None:
    invitation = made("Søren")
    assert invitation.open_name(replace(LINK, seed=None)) == "Søren"
    assert invitation.open_name(replace(LINK, secret=b"x" * 16)) is None
    assert replace(invitation, key=bytes(32)).open_name(LINK) is None
    assert made("").name == b""
    assert made("").open_name(LINK) is None
    assert 29 <= len(made("\x01" * 64).name) <= 512
    with pytest.raises(ValueError, match="too long"):
        made("x" * 65)


def test_no_other_invitation_than_that_of_the_link_is_accepted() -> None:
    invitation = made()
    assert invitation.is_of(LINK)
    other = account_seed("other")
    for wrong in (
        replace(LINK, seed=None),
        replace(LINK, seed=bytes(16)),
        replace(LINK, meeting="mtg_other"),
        replace(LINK, fingerprint=fingerprint_of(public_half(other))),
    ):
        assert not invitation.is_of(wrong)
    assert not replace(invitation, role=COHOST).is_of(LINK)
    assert not replace(invitation, expires_at=1).is_of(LINK)


def test_it_is_over_an_hour_after_its_end() -> None:
    assert not made().is_over(1e12)
    assert not made(expires_at=1_000).is_over(1_000 + 3_600)
    assert made(expires_at=1_000).is_over(1_000 + 3_601)
    assert not made(expires_at=MAX_EXPIRY).is_over(1e12)


@pytest.mark.parametrize("role", [ATTENDEE, COHOST])
@pytest.mark.parametrize("name", ["", "Anna"])
def test_what_an_invitation_says_is_read_exactly(role: int, name: str) -> None:
    invitation = made(name, role, MAX_EXPIRY)
    content = invitation.encode()
    assert Invitation.read(content) == invitation
    for at in range(len(content)):
        assert Invitation.read(content[:at]) is None
    assert Invitation.read(content + b"\0") is None


def test_every_bit_of_a_credential_counts() -> None:
    identity = credential(made().encode())
    assert Engine(DEVICE, identity)
    for at in range(len(identity)):
        for bit in range(8):
            changed = bytearray(identity)
            changed[at] ^= 1 << bit
            with pytest.raises(RuntimeError):
                Engine(DEVICE, bytes(changed))


def test_no_other_length_of_a_credential_is_taken() -> None:
    identity = credential(made().encode())
    for at in range(len(identity)):
        with pytest.raises(RuntimeError):
            Engine(DEVICE, identity[:at])
    bound = Bound(made(), binding_of(LINK.meeting, SEED, KEY)).encode()
    plain = credential_of(KEY)
    for wrong in (
        identity + b"\0",
        plain + vector(bound),
        plain + vector(b""),
        b"\x02" + plain[1:],
        b"\x02" + plain[1:] + vector(b""),
        b"\x03" + identity[1:],
        b"\x02" + plain[1:] + vector(bound + b"\0"),
        b"\x02" + plain[1:] + vector(bound[:-1]),
        b"\x02" + plain[1:] + b"\x80" + len(bound).to_bytes(3, "big") + bound,
        credential(b""),
        credential(made().encode() + b"\0"),
        credential(made().encode()[:-1]),
    ):
        assert refused(wrong)


def test_a_binding_is_of_this_device_this_seed_and_this_meeting() -> None:
    content = made().encode()
    for binding in (
        bytes(64),
        binding_of(LINK.meeting, SEED, public_half(bytes(32))),
        binding_of(LINK.meeting, bytes(16), KEY),
        binding_of("mtg_other", SEED, KEY),
    ):
        assert refused(credential(content, binding)) == "the invitation is not bound to this device"


def test_an_invitation_is_signed_by_the_account_inside_it() -> None:
    other = account_seed("other")
    for forged in (
        replace(made(), role=COHOST),
        replace(made(), expires_at=1),
        replace(made(), name=b""),
        replace(made(), account_key=public_half(other)),
        replace(made(), signature=bytes(64)),
        # The meeting is swapped, and the binding is made for the new one.
        replace(made(), meeting=b"mtg_other", key=made().key),
    ):
        said = refused(credential(forged.encode()))
        assert said == "the account did not sign this invitation"
    swapped = replace(made(), meeting=b"mtg_other")
    signature = Ed25519PrivateKey.from_private_bytes(OWNER).sign(LABEL + swapped.content())
    said = refused(credential(replace(swapped, signature=signature).encode()))
    assert said == "the invitation is not bound to this device"


# Forty UTF-16 units and one more, in one, two and four bytes of UTF-8; what is no UTF-8.
_IDS = st.sampled_from(
    [text.encode() for one in ("a", "ä", "\ufeff") for text in (one * 40, one * 41)]
    + [text.encode() for text in ("\U0001f600" * 20, "\U0001f600" * 20 + "a")]
    + [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"mtg\x80"]
)
_SIZES = st.sampled_from([0, 1, 27, 28, 29, 63, 64, 511, 512, 513, 600])


@given(
    version=st.sampled_from([0, 1, 1, 1, 2, 255]),
    meeting=st.binary(max_size=8) | st.text(max_size=45).map(str.encode) | _IDS,
    role=st.sampled_from([0, 0, 1, 1, 2, 255]),
    expires_at=st.sampled_from([0, 1, 2**53 - 1, 2**53, 2**64 - 1]),
    name=_SIZES,
    after=st.sampled_from([b"", b"", b"\0"]),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_both_readers_take_the_same(
    *, version: int, meeting: bytes, role: int, expires_at: int, name: int, after: bytes
) -> None:
    """The engine and this package: whatever a host may have signed."""
    key = Ed25519PrivateKey.from_private_bytes(invitation_key(LINK.meeting, SEED))
    content = (
        bytes([version])
        + vector(meeting)
        + key.public_key().public_bytes_raw()
        + bytes([role])
        + expires_at.to_bytes(8, "big")
        + vector(bytes(name))
        + public_half(OWNER)
    )
    signature = Ed25519PrivateKey.from_private_bytes(OWNER).sign(LABEL + content)
    encoded = content + signature + after
    identity = credential(encoded, key.sign(b"conclave binding v1" + meeting + KEY))
    if Invitation.read(encoded) is None:
        assert refused(identity)
    else:
        engine = Engine(DEVICE, identity)
        assert engine.inspect(engine.key_package()[0]).invitation == encoded


@given(bound=st.binary(max_size=400))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_noise_is_no_binding(bound: bytes) -> None:
    with pytest.raises(RuntimeError):
        Engine(DEVICE, credential_of(KEY, bound=bound))
    assert Invitation.read(bound) is None
