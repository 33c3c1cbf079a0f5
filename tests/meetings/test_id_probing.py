"""Who guesses ids learns nothing: one answer, to the byte, for whatever leads nowhere. How long it
takes is measured by bench/probing.py."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2
import pytest

from conclave.kernel.ids import unguessable_id
from tests.accounts.steps import invited
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

MALFORMED = [
    "mtg_00000000000000000000000000000",
    "mtg_uuuuuuuuuuuuuuuuuuuuuuuuuu",
    "MTG_00000000000000000000000001",
    "usr_00000000000000000000000001",
    "x",
    "%00",
    "mtg_" + "0" * 300,
]
# These say when, and which request it was.
VARYING = {"x-request-id", "date"}


def seen(answer: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
    return answer.status_code, headers, answer.content


async def knocked(stage: Stage, meeting: str) -> tuple[int | None, Mapping[str, object]]:
    """What the socket's handshake says."""
    socket = await stage.guest().socket(f"/api/v1/meetings/{meeting}/sealing")
    await socket.leave()
    return socket.status, socket.problem


async def ended(stage: Stage, host: Person) -> list[str]:
    """One that was ended by its host, one whose host had closed it to all but the invited."""
    plain, closed = await stage.meeting(host), await stage.meeting(host)
    path = f"/api/v1/meetings/{closed}"
    assert (await host.put(f"{path}/entry", json={"entry": "invited"})).status_code == 204
    for meeting in (plain, closed):
        assert (await host.post(f"/api/v1/meetings/{meeting}/end")).status_code == 204
    return [plain, closed]


async def test_attack_id_probing(stage: Stage) -> None:
    host = await stage.operator()
    guest = stage.guest()
    nowhere = [unguessable_id("mtg"), *await ended(stage, host), *MALFORMED]
    for suffix in ("", "/invitations/AAAAAAAAAAAAAAAAAAAAAA"):
        answers = [seen(await guest.get(f"/api/v1/meetings/{one}{suffix}")) for one in nowhere]
        assert answers[0][0] == 404
        assert all(answer == answers[0] for answer in answers), suffix
    sockets = [await knocked(stage, one) for one in nowhere]
    assert sockets[0][0] == 404
    assert all(socket == sockets[0] for socket in sockets)


async def test_attack_id_probing_of_others_meetings(stage: Stage) -> None:
    """A member of the server learns no more of rooms that are not theirs than anybody."""
    host = await stage.operator()
    (gone, _), unknown = await ended(stage, host), unguessable_id("mtg")
    stranger = await invited(stage, host)
    theirs = await stage.meeting(host)
    for method, path, body in (
        ("POST", "end", None),
        ("PUT", "entry", {"entry": "open"}),
        ("PUT", "title", {"sealed_title": None}),
        ("GET", "invitations", None),
    ):
        answers = [
            seen(await stranger.request(method, f"/api/v1/meetings/{one}/{path}", json=body))
            for one in (unknown, gone, theirs)
        ]
        assert answers[0][0] == 404
        assert answers[1:] == answers[:1] * 2, path


async def test_a_locked_room_looks_like_any_other(stage: Stage) -> None:
    """Whether it is locked is a matter of the group: the server has nothing to tell."""
    host = await stage.operator()
    meeting = await stage.meeting(host)
    answer = (await stage.guest().get(f"/api/v1/meetings/{meeting}")).json()
    # What is planned is sealed; and none of it is about a lock.
    planned = {"keep", "keep_until", "sealed_plan"}
    fields = {"id", "is_open", "opened_at", "is_host", "entry", "sealed_title"}
    assert set(answer) == fields | planned
