"""What every part of a `Member` stands on: its keys, its group, and how it speaks to the server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Literal

from conclave_sealing._mls import Engine, GroupFacts
from conclave_sealing.commits import Plan, Wish
from conclave_sealing.content import write_content
from conclave_sealing.context import MeetingContext, Policy
from conclave_sealing.effects import Effect, Over, Send
from conclave_sealing.frames import Frame, write_frame
from conclave_sealing.invitation import Bound, Invitation, binding_of
from conclave_sealing.judge import Role, judge, role_of
from conclave_sealing.keys import Link, credential_of, identity_of, public_half
from conclave_sealing.people import People, Seat

Phase = Literal["away", "outside", "creating", "knocking", "inside", "over"]


def _bound(content: bytes, link: Link | None, device_key: bytes) -> Bound:
    found = Invitation.read(content)
    if found is None or link is None or link.seed is None or not found.is_of(link):
        raise ValueError("not the invitation of this link")
    return Bound(found, binding_of(link.meeting, link.seed, device_key))


class Core:
    def __init__(
        self,
        meeting: str,
        *,
        name: str,
        link: Link | None = None,
        seed: bytes | None = None,
        account_seed: bytes | None = None,
        invitation: bytes | None = None,
        colour: int = 0,
        policy: Policy | None = None,
        random: Callable[[int], bytes] = os.urandom,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`policy`: for a sitting that this member begins. `invitation`: the encoded Invitation of
        the seed in the link; ValueError when it is another's. `wall`: seconds since 1970."""
        self.meeting = meeting
        self.name = name
        self.colour = colour
        self.link = link
        self.phase: Phase = "away"
        self.facts: GroupFacts | None = None
        self._people: People | None = None
        self.plan = Plan(wall)
        self.ignored = 0
        """Frames and messages that were none, or not for us."""
        self._seed = seed or random(32)
        self.key = public_half(self._seed)
        self._bound = None if invitation is None else _bound(invitation, link, self.key)
        self._credential = credential_of(
            self.key, account_seed, None if self._bound is None else self._bound.encode()
        )
        self._policy = policy or Policy()
        self._random = random
        self._wall = wall
        self._engine = self._new_engine()
        self._out: list[Effect] = []
        self._n = 0
        self._requests: dict[int, Frame] = {}
        """Not answered yet."""
        self._works = 0
        """How often it has worked for this knock."""
        self._seat = ""
        self._resume: str | None = None
        self._seq = 0
        self._instance: bytes | None = None
        self._staged: tuple[bytes, Wish, float] | None = None
        self._last_commit = float("-inf")
        self._beat_at = float("inf")
        self._switch_at: float | None = None
        self._seats_before: dict[str, Seat] = {}
        """Before the last commit, should it be undone."""

    @property
    def identity(self) -> str:
        return identity_of(self.key, self._instance or b"")

    @property
    def role(self) -> Role:
        facts, context = self._group()
        own = next(leaf for leaf in facts.roster if leaf.leaf == facts.own_leaf)
        return role_of(own, context)

    @property
    def people(self) -> People:
        if self._people is None:
            raise RuntimeError("not inside")
        return self._people

    def _new_engine(self) -> Engine:
        engine = Engine(self._seed, self._credential, judge)
        if self.link is not None:
            engine.set_psk(self.link.keys().psk)
        return engine

    def _group(self) -> tuple[GroupFacts, MeetingContext]:
        context = None if self.facts is None else MeetingContext.read(self.facts.meeting)
        if self.facts is None or context is None:
            raise RuntimeError("not inside")
        return self.facts, context

    def _finish(self, reason: str) -> None:
        self.phase = "over"
        self._switch_at = self._staged = None
        self._out.append(Over(reason))

    def _request(self, kind: str, **fields: object) -> None:
        self._n += 1
        frame = write_frame(kind, n=self._n, **fields)
        self._requests[self._n] = frame
        self._out.append(Send(frame))

    def _send(self, kind: str, **fields: object) -> None:
        self._out.append(Send(write_frame(kind, **fields)))

    def _take(self) -> list[Effect]:
        out, self._out = self._out, []
        return out

    def _say(self, kind: str, **fields: object) -> None:
        """To everybody inside."""
        content, epoch = self._engine.protect(write_content(kind, **fields))
        self._request("message", epoch=epoch, bytes=content)
