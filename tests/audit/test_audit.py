"""The audit log: written from what has happened, in one line that cannot be changed unseen."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from conclave import audit
from conclave.audit import service
from conclave.audit.chain import START, Entry, Link, fits, hash_of
from conclave.audit.kinds import KINDS
from conclave.audit.models import AuditEntry
from conclave.kernel.ids import unguessable_id
from conclave.kernel.outbox import StoredEvent
from tests.accounts.steps import invited
from tests.meetings.invitation import Invitation, b64
from tests.meetings.test_invitations import open_sitting
from tests.sealing.delivery.tab import knock
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit


async def log_of(person: Person, query: str = "") -> list[dict[str, object]]:
    answer = await person.get(f"/api/v1/audit{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["entries"])


async def test_security_acts_are_written_down_in_order(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    invitation = Invitation(meeting)
    path = f"/api/v1/meetings/{meeting}"
    await operator.post(f"{path}/invitations", json={"invitations": [b64(invitation.encode())]})
    await operator.patch(f"{path}/invitations/{invitation.id}", json={"change": "revoke"})
    await operator.post(f"{path}/end")
    await stage.settled()
    entries = await log_of(operator)
    types = [entry["type"] for entry in reversed(entries)]
    assert types[-3:] == ["meeting.opened", "invitation.revoked", "meeting.ended"]
    numbers = [entry["number"] for entry in reversed(entries)]
    assert numbers == list(range(1, len(entries) + 1))
    revoked = entries[1]
    assert revoked["details"] == {"invitation_id": invitation.id}
    assert revoked["meeting_id"] == meeting

    own = (await operator.get(f"{path}/audit")).json()
    assert [entry["type"] for entry in own["entries"]] == [
        "meeting.ended", "invitation.revoked", "meeting.opened",
    ]  # fmt: skip
    assert own["has_more"] is False


async def test_every_change_of_a_personal_link_is_told_once(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    invitation = Invitation(meeting)
    path = f"/api/v1/meetings/{meeting}"
    await operator.post(f"{path}/invitations", json={"invitations": [b64(invitation.encode())]})
    await open_sitting(stage, operator, meeting)
    members = await stage.tab(meeting)
    del members
    tab = await stage.tab(meeting)
    assert (await tab.ask("knock", **knock(), **invitation.knock("phone")))["t"] == "ok"
    for change in ("release", "release", "revoke", "revoke", "restore", "restore"):
        changed = await operator.patch(
            f"{path}/invitations/{invitation.id}", json={"change": change}
        )
        assert changed.status_code == 200
    await stage.settled()
    own = (await operator.get(f"{path}/audit")).json()["entries"]
    acts = [entry["type"] for entry in own if entry["type"].startswith("invitation.")]
    assert acts == [
        "invitation.restored", "invitation.revoked", "invitation.released", "invitation.bound",
    ]  # fmt: skip
    assert len({entry["user_id"] for entry in own if entry["type"] != "invitation.bound"}) == 1


async def test_an_event_that_comes_twice_is_written_once(stage: Stage) -> None:
    operator = await stage.operator()
    await stage.settled()
    before = len(await log_of(operator))
    event = StoredEvent(99, "evt_x", await org_of(stage), "meeting.opened", {"id": "m"}, NOW)
    await service.record(stage.app, event)
    await service.record(stage.app, event)
    assert len(await log_of(operator)) == before + 1


async def test_fields_that_nobody_named_are_not_kept(stage: Stage) -> None:
    operator = await stage.operator()
    await stage.settled()
    payload = {"id": "m", "opened_by": "u", "title": "secret", "reason": "host"}
    await service.record(
        stage.app, StoredEvent(99, "evt_x", await org_of(stage), "meeting.ended", payload, NOW)
    )
    assert (await log_of(operator))[0]["details"] == {"reason": "host"}


async def test_only_who_may_reads_it(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    guest = stage.guest()
    assert (await guest.get("/api/v1/audit")).status_code == 401
    assert (await guest.get(f"/api/v1/meetings/{meeting}/audit")).status_code == 401
    other = unguessable_id("mtg")
    assert (await operator.get(f"/api/v1/meetings/{other}/audit")).status_code == 404
    for query in ("?before=0", "?before=x", "?before=99999999999999999999"):
        assert (await operator.get(f"/api/v1/audit{query}")).status_code == 422


async def test_it_is_read_in_pages(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAGE", 2)
    operator = await stage.operator()
    for _ in range(4):
        await stage.meeting(operator)
    await stage.settled()
    answer = (await operator.get("/api/v1/audit")).json()
    assert answer["has_more"] is True
    first, second = answer["entries"]
    assert first["number"] == second["number"] + 1
    (following, _) = await log_of(operator, f"?before={second['number']}")
    assert following["number"] == second["number"] - 1


async def test_a_host_finds_own_meetings_after_their_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PAGE", 2)
    operator = await stage.operator()
    old = await stage.meeting(operator)
    stage.clock.advance(timedelta(days=360))
    operator = await stage.operator()
    # Two of them in the same moment: none is passed over, none comes twice.
    opened = {await stage.meeting(operator) for _ in range(3)}
    ended = min(opened)
    await operator.post(f"/api/v1/meetings/{ended}/end")
    found: list[dict[str, object]] = []
    query = ""
    while True:
        answer = await operator.get(f"/api/v1/audit/meetings{query}")
        assert answer.status_code == 200, answer.text
        found += answer.json()["meetings"]
        if not answer.json()["has_more"]:
            break
        query = f"?before={found[-1]['id']}"
    ids = [one["id"] for one in found]
    assert ids == [*sorted(opened, reverse=True), old]
    assert {one["id"] for one in found if one["ended_at"] is None} == {*opened, old} - {ended}
    # As long as the log may have something of it, and no longer.
    stage.clock.advance(timedelta(days=6))
    operator = await stage.operator()
    ids = [one["id"] for one in (await operator.get("/api/v1/audit/meetings")).json()["meetings"]]
    assert old not in ids


async def test_of_others_meetings_nothing_is_told(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    other = await invited(stage, operator)
    path = "/api/v1/audit/meetings"
    assert (await other.get(path)).json() == {"meetings": [], "has_more": False}
    # Another's meeting is no place to go on from, nor is one that never was.
    await stage.meeting(other)
    for place in (meeting, unguessable_id("mtg")):
        answer = await other.get(f"{path}?before={place}")
        assert answer.json() == {"meetings": [], "has_more": False}, answer.text
    for place in ("", "%00", "1", meeting.upper(), f"{meeting}x", "mtg_" + "%C3%A4" * 26):
        assert (await other.get(f"{path}?before={place}")).status_code == 422
    assert (await stage.guest().get(path)).status_code == 401


@pytest.mark.parametrize("harm", ["changed", "taken out", "put in"])
async def test_what_is_done_to_it_shows(stage: Stage, harm: str) -> None:
    operator = await stage.operator()
    for _ in range(4):
        await stage.meeting(operator)
    await stage.settled()
    org_id = await org_of(stage)
    whole = await audit.verify(stage.app.db, org_id)
    assert (whole.fault, whole.first, whole.last) == (None, 1, whole.entries)
    async with stage.app.db.transaction() as tx:
        if harm == "changed":
            await tx.execute(
                update(AuditEntry).where(AuditEntry.number == 3).values(meeting_id="another")
            )
        elif harm == "taken out":
            await tx.execute(delete(AuditEntry).where(AuditEntry.number == 3))
        else:
            last = await tx.scalar(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1))
            assert last is not None
            tx.add(
                AuditEntry(
                    org_id=org_id, number=last.number + 1, event_id="evt_forged", at=NOW,
                    type="meeting.opened", user_id=None, meeting_id=None, details={},
                    previous=last.previous, hash=last.hash,
                )
            )  # fmt: skip
    found = await audit.verify(stage.app.db, org_id)
    assert found.fault == {"changed": 3, "taken out": 4, "put in": whole.last + 1}[harm]


async def test_the_oldest_go_and_the_rest_still_hangs_together(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_PURGE_EVERY", 1)
    operator = await stage.operator()
    await stage.meeting(operator)
    await stage.settled()
    stage.clock.advance(timedelta(days=366))
    operator = await stage.operator()
    await stage.meeting(operator)
    await stage.settled()
    verdict = await audit.verify(stage.app.db, await org_of(stage))
    assert verdict.fault is None
    assert verdict.first > 1
    assert verdict.entries == verdict.last - verdict.first + 1


async def test_nothing_is_whole(stage: Stage) -> None:
    verdict = await audit.verify(stage.app.db, "org_nobody")
    assert (verdict.entries, verdict.fault, verdict.head) == (0, None, START)


def test_kinds_keep_ids_and_words_only() -> None:
    kept = {name for kind in KINDS.values() for name in kind.keeps}
    assert not kept & {"login", "name", "title", "address", "token", "email", "text"}


NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def org_of(stage: Stage) -> str:
    from conclave import accounts

    return await accounts.ensure_organisation(stage.app.db, stage.clock)


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    previous = START
    for number in range(1, length + 1):
        entry = Entry("org", number, f"evt_{number}", NOW, "meeting.opened", None, "m", {})
        links.append(Link(entry, previous, hash_of(previous, entry)))
        previous = links[-1].hash
    return links


def first_fault(links: list[Link]) -> int | None:
    pairs = zip([None, *links], links, strict=False)
    return next((link.entry.number for before, link in pairs if not fits(before, link)), None)


@given(st.integers(2, 12), st.data())
def test_every_way_to_disorder_a_chain_shows(length: int, data: st.DataObject) -> None:
    links = chain(length)
    assert first_fault(links) is None
    at = data.draw(st.integers(0, length - 1))
    assert first_fault(links[at:]) is None
    if at < length - 1:
        without = [*links[:at], *links[at + 1 :]]
        assert (first_fault(without) is None) == (at == 0)
    twice = [*links[: at + 1], *links[at:]]
    assert first_fault(twice) is not None
    if length > 1:
        other = data.draw(st.integers(0, length - 1).filter(lambda place: place != at))
        swapped = list(links)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        assert first_fault(swapped) is not None


def test_every_act_of_accounts_is_a_kind() -> None:
    from conclave.accounts import events

    kinds = (getattr(value, "type", None) for value in vars(events).values())
    types = {kind for kind in kinds if isinstance(kind, str)}
    assert types
    assert types <= KINDS.keys()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_has_words_for_every_kind(language: str) -> None:
    texts = Path(__file__).parents[2] / "web" / "src" / "i18n" / language / "log.json"
    acts = json.loads(texts.read_text())["act"]
    known = {f"{group}.{act}" for group, words in acts.items() for act in words}
    assert known == set(KINDS)
