"""What listeners are told, whatever webhooks do: repeated, late, lost, or in a wrong order."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.kernel.errors import Unavailable
from conclave.media.engine import (
    ParticipantJoined,
    ParticipantLeft,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)
from conclave.media.livekit import reconcile
from conclave.media.livekit.reconcile import Ledger, People, differences
from conclave.media.livekit.sequence import Sequence

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

IDENTITIES = st.sampled_from(["alice", "bob", "carol"])
SNAPSHOT = st.none() | st.dictionaries(IDENTITIES, st.sampled_from(["PA_1", "PA_2", "PA_3"]))


class Believer:
    """A listener that believes what it is told, and that it makes sense."""

    def __init__(self, people: People | None = None) -> None:
        self.people: set[str] | None = None if people is None else set(people)

    def hear(self, events: list[RoomEvent]) -> None:
        for event in events:
            match event:
                case RoomStarted():
                    assert self.people is None
                    self.people = set()
                case ParticipantJoined():
                    assert self.people is not None
                    assert event.identity not in self.people
                    self.people.add(event.identity)
                case ParticipantLeft():
                    assert self.people is not None
                    self.people.remove(event.identity)
                case RoomFinished():
                    assert self.people == set()
                    self.people = None


@given(SNAPSHOT, SNAPSHOT)
def test_differences_lead_from_one_snapshot_to_the_other(
    before: People | None, after: People | None
) -> None:
    listener = Believer(before)
    events = differences("room", before, after)
    listener.hear(events)
    assert listener.people == (None if after is None else set(after))
    if before == after:
        assert events == []


WEBHOOK = st.one_of(
    st.tuples(st.just("started")),
    st.tuples(st.just("finished")),
    st.tuples(st.sampled_from(["joined", "left"]), IDENTITIES, st.integers(1, 6)),
    st.tuples(st.just("settle"), SNAPSHOT),
)


@given(st.lists(WEBHOOK, max_size=40))
def test_any_webhooks_in_any_order_make_sense_to_listeners(calls: list[tuple[object, ...]]) -> None:
    ledger, listener = Ledger(), Believer()
    for call in calls:
        match call:
            case ("started",):
                listener.hear(ledger.started("room"))
            case ("finished",):
                listener.hear(ledger.finished("room"))
            case ("joined", str(who), sid):
                listener.hear(ledger.joined("room", who, f"PA_{sid}"))
            case ("left", str(who), sid):
                listener.hear(ledger.left("room", who, f"PA_{sid}"))
            case ("settle", snapshot):
                assert snapshot is None or isinstance(snapshot, dict)
                listener.hear(ledger.settle("room", snapshot))
                # Asking is always right in the end, and asking again changes nothing.
                assert ledger.settle("room", snapshot) == []
        people = ledger.people("room")
        assert listener.people == (None if people is None else set(people))


def test_a_join_that_comes_after_its_leave_is_passed_over() -> None:
    ledger = Ledger()
    ledger.started("room")
    assert ledger.left("room", "alice", "PA_1") == []
    assert ledger.joined("room", "alice", "PA_1") == []
    assert ledger.joined("room", "alice", "PA_2") == [ParticipantJoined("room", "alice")]
    assert ledger.left("room", "alice", "PA_1") == [], "of an earlier join"
    assert ledger.people("room") == {"alice": "PA_2"}


def test_somebody_who_comes_again_has_left_before() -> None:
    ledger = Ledger()
    ledger.joined("room", "alice", "PA_1")
    assert ledger.joined("room", "alice", "PA_2") == [
        ParticipantLeft("room", "alice"),
        ParticipantJoined("room", "alice"),
    ]


def test_what_is_gone_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "GONE_KEPT", 5)
    ledger = Ledger()
    for number in range(50):
        ledger.joined("room", "alice", f"PA_{number}")
        ledger.left("room", "alice", f"PA_{number}")
    assert len(ledger._gone) == 5
    ledger.finished("room")
    assert ledger.rooms == frozenset()


async def test_jobs_of_a_room_wait_for_one_another() -> None:
    sequence, done = Sequence(), []
    hold = asyncio.Event()

    async def job(room: str, number: int) -> None:
        if room == "a":
            await hold.wait()
        done.append((room, number))

    for number in range(3):
        for room in ("a", "b"):
            sequence.put(room, partial(job, room, number))
    await sequence.run("b", partial(job, "b", 3))
    assert done == [("b", 0), ("b", 1), ("b", 2), ("b", 3)]
    hold.set()
    await sequence.idle()
    assert done[4:] == [("a", 0), ("a", 1), ("a", 2)]
    assert sequence.rooms == 0


async def test_a_job_that_fails_does_not_stop_the_next() -> None:
    sequence, done = Sequence(), asyncio.Event()

    async def broken() -> None:
        raise RuntimeError

    async def good() -> None:
        done.set()

    sequence.put("room", broken)
    sequence.put("room", good)
    await asyncio.wait_for(done.wait(), 5)


async def test_too_much_is_refused_and_the_end_is_bounded() -> None:
    sequence = Sequence(max_waiting=2)

    async def stuck() -> None:
        await asyncio.Event().wait()

    sequence.put("a", stuck)
    sequence.put("b", stuck)
    with pytest.raises(Unavailable):
        sequence.put("c", stuck)
    await sequence.stop(patience=0.01)
    assert sequence.rooms == 0
