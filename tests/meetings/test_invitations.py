"""Personal invitations at the server: kept, shown, bound to one device, taken back."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from conclave.kernel.ids import unguessable_id
from conclave.meetings import certificates
from conclave.meetings.certificates import Unreadable
from conclave.meetings.models import Invitation as Row
from tests.meetings.invitation import Invitation, b64, device
from tests.sealing.delivery.tab import instance_id, knock
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

MEETING = "mtg_00000000000000000000000001"


def path(meeting: str, *rest: str) -> str:
    return "/".join((f"/api/v1/meetings/{meeting}/invitations", *rest))


async def invite(host: Person, *invitations: Invitation) -> httpx2.Response:
    content = [b64(invitation.encode()) for invitation in invitations]
    return await host.post(path(invitations[0].meeting), json={"invitations": content})


async def open_sitting(stage: Stage, host: Person, meeting: str) -> None:
    tab = await stage.tab(meeting, host)
    answer = await tab.ask("create", instance=instance_id(), identity="A" * 22)
    assert answer["t"] == "ok", answer


async def test_a_host_invites_and_sees_who_has_come(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna, ben = Invitation(meeting), Invitation(meeting, "ben", role=1)
    answer = await invite(host, anna, ben)
    assert answer.status_code == 201
    # Once more does no harm.
    assert (await invite(host, anna)).json()["invitations"][0]["id"] == anna.id
    listed = (await host.get(path(meeting))).json()["invitations"]
    assert {one["id"] for one in listed} == {anna.id, ben.id}
    assert all(one["state"] == "unused" and one["device"] is None for one in listed)

    await open_sitting(stage, host, meeting)
    tab = await stage.tab(meeting)
    assert (await tab.ask("knock", **knock(), **anna.knock()))["t"] == "ok"
    (used,) = [
        one for one in (await host.get(path(meeting))).json()["invitations"] if one["id"] == anna.id
    ]
    assert (used["state"], used["device"]) == ("used", device())
    assert used["bound_at"] is not None
    assert used["passed_on_at"] is None


async def test_the_invited_person_learns_what_the_link_is_worth(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting)
    await invite(host, anna)
    answer = await stage.guest().get(path(meeting, anna.id))
    assert answer.json() == {
        "id": anna.id,
        "certificate": b64(anna.encode()),
        "state": "unused",
        "device": None,
    }


async def test_the_first_device_keeps_it(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting)
    await invite(host, anna)
    await open_sitting(stage, host, meeting)
    members = await stage.tab(meeting)
    del members
    first, again, other = [await stage.tab(meeting) for _ in range(3)]
    for tab, key in ((first, "phone"), (again, "phone"), (other, "laptop")):
        assert (await tab.ask("knock", **knock(), **anna.knock(key)))["t"] == "ok"
    (row,) = (await host.get(path(meeting))).json()["invitations"]
    assert row["device"] == device("phone")
    assert row["passed_on_at"] is not None

    changed = await host.patch(path(meeting, anna.id), json={"change": "release"})
    assert changed.json()["state"] == "unused"
    fresh = await stage.tab(meeting)
    await fresh.ask("knock", **knock(), **anna.knock("laptop"))
    (row,) = (await host.get(path(meeting))).json()["invitations"]
    assert row["device"] == device("laptop")


async def test_of_two_that_come_at_once_one_keeps_it(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting)
    await invite(host, anna)
    await open_sitting(stage, host, meeting)
    tabs = [await stage.tab(meeting) for _ in range(4)]
    names = ["a", "b", "c", "d"]
    await asyncio.gather(
        *(
            tab.ask("knock", **knock(), **anna.knock(name))
            for tab, name in zip(tabs, names, strict=True)
        )
    )
    (row,) = (await host.get(path(meeting))).json()["invitations"]
    assert row["device"] in {device(name) for name in names}
    assert row["passed_on_at"] is not None


async def test_members_are_told_the_device_and_not_more(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting)
    await invite(host, anna)
    inside = await stage.tab(meeting, host)
    await inside.ask("create", instance=instance_id(), identity="A" * 22)
    for name in ("phone", "laptop"):
        tab = await stage.tab(meeting)
        await tab.ask("knock", **knock(), **anna.knock(name))
        told = await inside.until("knock")
        assert told["bound"] == device("phone")
        assert set(told) == {"t", "seat", "key_package", "intro", "proof", "sign", "bound", "note"}
    tab = await stage.tab(meeting)
    await tab.ask("knock", **knock())
    assert (await inside.until("knock"))["bound"] is None


async def test_a_cohost_by_invitation_may_what_cohosts_may(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting, role=1)
    await invite(host, anna)
    inside = await stage.tab(meeting, host)
    await inside.ask("create", instance=instance_id(), identity="A" * 22)
    cohost = await stage.tab(meeting)
    await cohost.ask("knock", **knock(), **anna.knock())
    assert (await inside.commit(0, admitted={cohost.seat: "B" * 22}))["t"] == "ok"
    waiting = await stage.knocker(meeting)
    assert (await cohost.ask("deny", seat=waiting.seat))["t"] == "ok"
    # Another device of the same invitation is nobody's co-host.
    other = await stage.tab(meeting)
    await other.ask("knock", **knock(), **anna.knock("laptop"))
    assert (await inside.commit(1, admitted={other.seat: "C" * 22}))["t"] == "ok"
    waiting = await stage.knocker(meeting)
    assert (await other.ask("deny", seat=waiting.seat))["code"] == "forbidden"


async def test_taken_back_expired_unknown_and_forged_ones_open_nothing(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    now = int(stage.clock.now().timestamp())
    revoked, expired = Invitation(meeting), Invitation(meeting, "ben", expires_at=now + 60)
    await invite(host, revoked, expired)
    await open_sitting(stage, host, meeting)
    await host.patch(path(meeting, revoked.id), json={"change": "revoke"})
    stage.clock.advance(timedelta(seconds=61))

    async def code(**fields: str) -> str:
        tab = await stage.tab(meeting)
        answer = await tab.ask("knock", **knock(), **fields)
        return str(answer.get("code", answer["t"]))

    assert await code(**revoked.knock()) == "revoked"
    assert await code(**expired.knock()) == "expired"
    assert await code(**Invitation(meeting, "nobody").knock()) == "revoked"
    forged = {**revoked.knock(), "binding": Invitation(meeting, "eve").knock()["binding"]}
    assert await code(**forged) == "revoked"
    assert (await stage.guest().get(path(meeting, expired.id))).json()["state"] == "expired"

    await host.patch(path(meeting, revoked.id), json={"change": "restore"})
    assert await code(**revoked.knock()) == "ok"


@pytest.mark.parametrize(
    "fields",
    [
        {"invitation": "A" * 22},
        {"device": device()},
        {"invitation": "A" * 22, "device": device()},
        {"invitation": "A" * 21 + "B", "device": device(), "binding": "A" * 86},
        {"invitation": "A" * 22, "device": device(), "binding": "A" * 85},
        {"invitation": "A" * 22, "device": device()[:-1], "binding": "A" * 86},
        {"invitation": 7, "device": device(), "binding": "A" * 86},
    ],
)
async def test_half_an_invitation_is_no_frame(stage: Stage, fields: dict[str, object]) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await open_sitting(stage, host, meeting)
    tab = await stage.tab(meeting)
    tab.say("knock", n=1, **knock(), **fields)
    assert (await tab.until("error"))["code"] == "malformed"


async def test_a_meeting_by_invitation_waits_for_its_host(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    about = f"/api/v1/meetings/{meeting}"
    assert (await stage.guest().get(about)).json()["entry"] == "open"
    assert (await host.put(f"{about}/entry", json={"entry": "invited"})).status_code == 204
    assert (await stage.guest().get(about)).json()["entry"] == "invited"
    guest = await stage.tab(meeting)
    answer = await guest.ask("create", instance=instance_id(), identity="B" * 22)
    assert answer["code"] == "closed"
    await open_sitting(stage, host, meeting)
    assert (await guest.until("instance"))["instance"] == instance_id()


async def test_only_the_host_sees_and_changes_them(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting)
    await invite(host, anna)
    guest = stage.guest()
    assert (await guest.get(path(meeting))).status_code == 401
    assert (await invite(guest, Invitation(meeting, "ben"))).status_code == 401
    change = {"change": "revoke"}
    assert (await guest.patch(path(meeting, anna.id), json=change)).status_code == 401
    assert (
        await guest.put(f"/api/v1/meetings/{meeting}/entry", json={"entry": "open"})
    ).status_code == 401


async def test_what_is_no_invitation_is_refused_and_nothing_is_kept(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    good = Invitation(meeting)
    other = Invitation(await stage.meeting(host))
    for bad in (
        good.encode()[:-1],
        good.encode() + b"\0",
        good.encode()[:-1] + bytes([good.encode()[-1] ^ 1]),
        other.encode(),
        replace(good, name=bytes(513)).encode(),
        replace(good, name=bytes(28)).encode(),
        replace(good, role=4).encode(),
        b"",
    ):
        content = [b64(good.encode()), b64(bad)]
        answer = await host.post(path(meeting), json={"invitations": content})
        assert answer.status_code == 422, bad
    assert (await host.get(path(meeting))).json() == {"invitations": []}
    bodies: list[dict[str, list[str]]] = [
        {"invitations": []},
        {"invitations": ["="]},
        {"invitations": ["A" * 1_401]},
        {},
    ]
    for body in bodies:
        assert (await host.post(path(meeting), json=body)).status_code == 422
    assert (await host.patch(path(meeting, "A" * 22), json={"change": "revoke"})).status_code == 404
    assert (await host.patch(path(meeting, "short"), json={"change": "revoke"})).status_code == 422
    assert (await stage.guest().get(path(meeting, "A" * 22))).status_code == 404
    assert (await stage.guest().get(path(unguessable_id("mtg"), good.id))).status_code == 404


async def test_a_meeting_has_so_many(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conclave.meetings.invitations.MOST", 2)
    host = await stage.operator()
    meeting = await stage.meeting(host)
    people = [Invitation(meeting, name) for name in ("a", "b", "c")]
    assert (await invite(host, *people)).json()["code"] == "too_many_invitations"
    assert (await invite(host, *people[:2])).status_code == 201
    assert (await invite(host, people[2])).status_code == 409


async def test_nothing_is_left_after_the_end(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    anna = Invitation(meeting)
    await invite(host, anna)
    await host.post(f"/api/v1/meetings/{meeting}/end")
    assert (await stage.guest().get(path(meeting, anna.id))).status_code == 404
    async with stage.app.db.read() as session:
        assert list(await session.scalars(select(Row))) == []


@given(st.integers(0, 400), st.integers(1, 255))
def test_every_other_certificate_is_refused(at: int, flip: int) -> None:
    content = bytearray(Invitation(MEETING).encode())
    content[at % len(content)] ^= flip
    with pytest.raises(Unreadable):
        certificates.read(bytes(content), MEETING)


@given(st.binary(max_size=300))
def test_bytes_are_no_certificate(content: bytes) -> None:
    with pytest.raises(Unreadable):
        certificates.read(content, MEETING)


def test_a_time_past_all_calendars_is_none() -> None:
    with pytest.raises(Unreadable):
        certificates.read(Invitation(MEETING, expires_at=(1 << 53) - 1).encode(), MEETING)
    assert urlsafe_b64decode(Invitation(MEETING).id + "==")
