"""Which knock passes when many knock at once, and what it costs.

So many a minute pass as they come, by source and by meeting. Above that a knock brings work that
its machine has done (`kernel/work.py`), the more the more pay; and above the ceiling it waits.
Hosts, who was inside a moment ago, and the bound device of a personal invitation have lanes of
their own, so that no crowd keeps them out. All of it is counted in this process: with several the
same holds for each. Must never let anybody in: that is the members' affair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from conclave.kernel.app import App
from conclave.kernel.errors import LimitReached
from conclave.kernel.ratelimit import Rate
from conclave.kernel.work import Pressure, Toll
from conclave.sealing.connections import Connection
from conclave.sealing.doorkeeper import Invited
from conclave.sealing.machine import Refused
from conclave.sealing.schemas import Work, decoded, encoded

LEAST_BITS = 16
MOST_BITS = 19
"""Half a million tries: two seconds of a slow phone (docs/reference/benchmarks.md)."""
_STEP = 10.0
"""Paid knocks of late that make the first further bit due; each doubling makes one more."""
_MINUTE = 60.0
# One seat that was inside, one invitation: more than anybody needs who loses the connection.
_RETURNS = Rate(12, _MINUTE)
_INVITED = Rate(12, _MINUTE)
_HOSTS = Rate(60, _MINUTE)


class WorkWanted(Refused):
    """Answered with what there is to do: then the same knock may come again."""

    def __init__(self, challenge: bytes, bits: int) -> None:
        super().__init__("work", "Many people are coming at once; this device has to work for it.")
        self.challenge = encoded(challenge)
        self.bits = bits


@dataclass(slots=True)
class Visit:
    """One knock, as far as the price goes."""

    meeting_id: str
    source: str
    key_package: str
    work: Work | None
    pressure: Pressure
    """Of the meeting: counts the knocks that came with work."""
    has_paid: bool = False


def bits_at(pressure: float) -> int:
    return min(MOST_BITS, LEAST_BITS + int(math.log2(1 + pressure / _STEP)))


class Door:
    def __init__(self, app: App) -> None:
        self._limiter = app.limiter
        self._settings = app.settings.sealing
        self._toll = Toll(app.clock)

    def expects(self, connection: Connection, meeting_id: str) -> bool:
        """A host, or a seat that was inside: they come before everybody else."""
        if connection.role == "host":
            return self._passes("knock_host", meeting_id, _HOSTS)
        former = connection.former
        return former is not None and self._passes("knock_return", former.hex(), _RETURNS)

    def look_up(self, visit: Visit) -> None:
        """An invitation is looked up in the tables, which costs us something: within limits."""
        rate = Rate(self._settings.knocks_per_source, _MINUTE)
        if not self._passes("knock_invitation", visit.source, rate):
            self._take_work(visit)

    def invites(self, invitation_id: str | None, invited: Invited | None) -> bool:
        """A personal invitation on the device that it is bound to."""
        return (
            invitation_id is not None
            and invited is not None
            and invited.outcome == "bound"
            and self._passes("knock_invited", invitation_id, _INVITED)
        )

    def charge(self, visit: Visit) -> None:
        """Everybody else's lane. Raises `WorkWanted`, or `LimitReached` above the ceiling."""
        settings = self._settings
        is_free = self._passes(
            "knock_free", visit.source, Rate(settings.free_knocks_per_source, _MINUTE)
        ) and self._passes(
            "knock_free_meeting", visit.meeting_id, Rate(settings.free_knocks_per_meeting, _MINUTE)
        )
        if not is_free:
            self._take_work(visit)

    def _take_work(self, visit: Visit) -> None:
        if visit.has_paid:
            return
        settings = self._settings
        work = visit.work
        challenge = b"" if work is None else decoded(work.challenge)
        is_met = work is not None and self._toll.is_met(
            visit.meeting_id,
            visit.source,
            decoded(visit.key_package),
            challenge,
            decoded(work.nonce),
        )
        if not is_met:
            self._limiter.hit(
                "knock_challenge", visit.source, Rate(2 * settings.knocks_per_source, _MINUTE)
            )
            bits = bits_at(visit.pressure.value)
            raise WorkWanted(self._toll.challenge(visit.meeting_id, visit.source, bits), bits)
        # Before it is spent: who is told to wait has not worked in vain.
        self._limiter.hit("knock", visit.source, Rate(settings.knocks_per_source, _MINUTE))
        self._limiter.hit(
            "knock_meeting", visit.meeting_id, Rate(settings.knocks_per_meeting, _MINUTE)
        )
        if not self._toll.spend(challenge):
            raise LimitReached("Too many are at the doors here. Please try again in a moment.")
        visit.pressure.add()
        visit.has_paid = True

    def _passes(self, name: str, key: str, rate: Rate) -> bool:
        try:
            self._limiter.hit(name, key, rate)
        except LimitReached:
            return False
        return True
