"""A member of a sealed meeting as a state machine: frames and time in, effects out.

No socket, no clock, no task. Trusts the server with nothing but the order of what it passes on; a
frame that is none is counted and ignored. Must never send in the clear what belongs into the group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conclave_sealing._mls import KeyPackageFacts
from conclave_sealing.changes import Changing
from conclave_sealing.commits import SPACING_S, AtDoor, Plan
from conclave_sealing.context import MeetingContext
from conclave_sealing.effects import Effect, Inside, Knocked, Send, Trouble
from conclave_sealing.errors import Refused
from conclave_sealing.frames import Frame, read_frame
from conclave_sealing.judge import Role, counting, is_shut, role_of
from conclave_sealing.keys import b64, unb64
from conclave_sealing.knock import Knock, check_knock, make_knock
from conclave_sealing.people import People
from conclave_sealing.talk import BEAT_S
from conclave_sealing.work import MOST_BITS, do_work

ANSWER_S = 5.0
MOST_WORKS = 5
"""In a row: a door that still asks for more is none."""


class Member(Changing):
    # --- what the surroundings call
    def start(self) -> list[Effect]:
        """A socket is open, for the first time or again."""
        since = self._seq if self.phase == "inside" else None
        self._send("hello", resume=self._resume, since=since)
        return self._take()

    def receive(self, value: object, now: float) -> list[Effect]:
        frame = read_frame(value)
        if frame is None:
            self.ignored += 1
        elif self.phase != "over":
            getattr(self, f"_on_{frame['t']}")(frame, now)
            self._work(now)
        return self._take()

    def tick(self, now: float) -> list[Effect]:
        if self._staged is not None and self._staged[2] + ANSWER_S <= now:
            self._discard()
        if self._switch_at is not None and self._switch_at <= now:
            self._switch()
        if self.phase == "inside" and self._beat_at <= now:
            self._beat(now)
        self._work(now)
        return self._take()

    def next_at(self) -> float | None:
        """When `tick` has something to do; None: only after the next frame."""
        times: list[float] = []
        if self._staged is not None:
            times.append(self._staged[2] + ANSWER_S)
        elif self.facts is not None and self.phase == "inside":
            due = self.plan.due(self.people, self.facts)
            if due is not None:
                times.append(max(due, self._last_commit + SPACING_S))
        if self._switch_at is not None:
            times.append(self._switch_at)
        if self.phase == "inside":
            times.append(self._beat_at)
        return min(times, default=None)

    # --- what one can do inside
    def say(self, kind: str, **fields: object) -> list[Effect]:
        """A message to everybody: `chat`, `react`, `hand`, …"""
        self._say(kind, **fields)
        return self._take()

    def chat(self, text: str) -> list[Effect]:
        return self.say("chat", id=b64(self._random(16)), text=text)

    def whisper(self, identity: str, kind: str, **fields: object) -> list[Effect]:
        """The same to one member, whose profile must have come."""
        facts, _ = self._group()
        leaf = self.people.leaf_of(facts, identity)
        profile = self.people.profiles.get(leaf.signature_key) if leaf else None
        if profile is None:
            raise LookupError("no such member, or no profile yet")
        self._whisper(profile, kind, **fields)
        return self._take()

    def admit(self, seat: str, now: float) -> list[Effect]:
        """For hosts and co-hosts, and for another device of the same invitation."""
        self.plan.door[seat].is_admitted = True
        self._work(now)
        return self._take()

    def deny(self, seat: str) -> list[Effect]:
        self._request("deny", seat=seat)
        return self._take()

    def remove(self, identity: str, now: float) -> list[Effect]:
        """For hosts and co-hosts; a host is removed by another host only."""
        facts, context = self._group()
        leaf = self.people.leaf_of(facts, identity)
        if leaf is None or self.role == "member" or self._is_above(role_of(leaf, context)):
            self._out.append(Trouble("not-allowed", "remove"))
        else:
            self.plan.to_remove.add(identity)
            self._work(now)
        return self._take()

    def _is_above(self, role: Role) -> bool:
        return role == "host" and self.role != "host"

    def set_policy(self, now: float, **changes: Any) -> list[Effect]:
        """Fields of `Policy`; for hosts and co-hosts."""
        _, context = self._group()
        if self.role == "member":
            self._out.append(Trouble("not-allowed", "policy"))
            return self._take()
        present = self.plan.meeting or context
        self.plan.meeting = present.with_policy(replace(present.policy, **changes))
        self._work(now)
        return self._take()

    def renew(self, now: float) -> list[Effect]:
        """An empty commit: new keys for everybody."""
        self.plan.is_renewal = True
        self._work(now)
        return self._take()

    def leave(self) -> list[Effect]:
        if self.phase == "inside":
            self._say("bye")
        self._request("leave")
        self._finish("left")
        return self._take()

    # --- coming in
    def _on_hello(self, frame: Frame, now: float) -> None:
        self._seat, self._resume = frame["seat"], frame["resume"]
        if frame["resumed"] and self.phase in {"inside", "knocking"}:
            # What is not answered may have been lost; whoever has it already drops the second.
            lost = [asked for asked in self._requests.values() if asked["t"] == "message"]
            self._out += [Send(asked) for asked in lost]
            return
        self._requests.clear()
        self.phase, self._staged = "outside", None
        self._on_instance(frame, now)

    def _on_instance(self, frame: Frame, now: float) -> None:
        del now
        is_known = frame["instance"] == self._instance and self.phase == "creating"
        if is_known or self.phase not in {"outside", "creating"}:
            return
        self._instance = frame["instance"]
        if self._instance is None:
            self._create()
        else:
            self._knock(self._instance)

    def _create(self) -> None:
        self._instance = self._random(16)
        self._engine = self._new_engine()
        context = MeetingContext.make(
            self.meeting, self._instance, self.key, self.link, self._policy
        )
        self.facts = self._engine.create(self._instance, context.encode())
        self.phase = "creating"
        self._request("create", instance=self._instance, identity=self.identity)

    def _knock(self, instance: bytes) -> None:
        self._engine = self._new_engine()
        knock = make_knock(
            self._engine.key_package(),
            self._engine.sign,
            meeting=self.meeting,
            instance=instance,
            link=self.link,
            profile=(self.name, self.colour),
            nonce=self._random(12),
        )
        self.facts = None
        self.phase = "knocking"
        self._request(
            "knock",
            instance=instance,
            key_package=knock.key_package,
            intro=knock.intro,
            proof=knock.proof,
            sign=knock.sign,
            **self._by_invitation(),
        )

    def _by_invitation(self) -> dict[str, object]:
        """What a knock tells the server of it: the first device to say so keeps the invitation."""
        if self._bound is None:
            return {}
        invitation, binding = self._bound.invitation, self._bound.binding
        return {"invitation": invitation.id_text, "device": self.key, "binding": binding}

    def _on_welcome(self, frame: Frame, now: float) -> None:
        if self.phase != "knocking" or self._instance is None:
            return
        try:
            facts = self._engine.join(frame["bytes"])
        except Refused as refused:
            self._out.append(Trouble("not-our-group", str(refused)))
            self._finish("not-our-group")
            return
        context = MeetingContext.read(facts.meeting)
        is_ours = (
            context is not None
            and facts.group_id == context.instance == self._instance
            and context.meeting == self.meeting.encode()
            and (self.link is None or context.proves(self.link))
            and frame["identity"] == self.identity
        )
        if not is_ours:
            self._finish("not-our-group")
            return
        self.facts = facts
        self._works = 0
        self._seq = frame["seq"]
        self._enter(now)
        for seat in frame["seats"]:
            self.people.admit(seat["seat"], seat["identity"], now)
            if not seat["is_live"]:
                self.people.set_state(seat["seat"], "lost", now)
        ticket = frame["ticket"]
        self._out.append(Inside(self.identity, ticket["url"], ticket["token"]))
        self._new_epoch(now, at_once=True)
        self._profile()

    def _enter(self, now: float) -> None:
        self.phase = "inside"
        self.plan = Plan(self._wall)
        self._people = People(self._instance or b"", self._seat)
        self.people.admit(self._seat, self.identity, now)
        self._beat_at = now + BEAT_S

    def _on_waiting(self, frame: Frame, now: float) -> None:
        """Nothing to do but to wait."""

    def _on_denied(self, frame: Frame, now: float) -> None:
        del now
        if self.phase == "knocking":
            self._finish(frame["reason"])

    # --- who is there
    def _on_knock(self, frame: Frame, now: float) -> None:
        if self.phase != "inside" or self._instance is None:
            return
        knock = Knock(frame["key_package"], frame["intro"], frame["proof"], frame["sign"])
        try:
            facts: KeyPackageFacts = self._engine.inspect(knock.key_package)
        except Refused:
            self.ignored += 1
            return
        guest = check_knock(
            knock, facts, meeting=self.meeting, instance=self._instance, link=self.link
        )
        if guest is None:
            self.ignored += 1
            return
        _, context = self._group()
        is_out = facts.signature_key in self.people.banned or is_shut(facts, context)
        if is_out and self.role != "member":
            self._request("deny", seat=frame["seat"])
            return
        invitation = counting(facts.invitation, context)
        self.plan.door[frame["seat"]] = AtDoor(guest, now, bound=frame["bound"])
        self._out.append(
            Knocked(
                frame["seat"],
                guest.name,
                guest.has_proof,
                None if invitation is None else invitation.id_text,
            )
        )

    def _on_knock_gone(self, frame: Frame, now: float) -> None:
        del now
        self.plan.door.pop(frame["seat"], None)

    def _on_reopened(self, frame: Frame, now: float) -> None:
        if self.phase != "inside" or frame["seq"] <= self._seq:
            return
        self._seq = frame["seq"]
        if self._is_undone(frame, now):
            return
        # The commit that let us in is undone, or one before it: we are outside again.
        self.phase = "outside"
        self._switch_at = self._staged = None
        self._on_instance({"instance": self._instance}, now)

    def _on_presence(self, frame: Frame, now: float) -> None:
        if self.phase == "inside":
            self.people.set_state(frame["seat"], frame["state"], now)
            self._note_leader()

    def _on_granted(self, frame: Frame, now: float) -> None:
        """The server's copy of a role; ours is in the group."""

    def _on_removed(self, frame: Frame, now: float) -> None:
        del now
        self._finish("replaced" if frame["why"] == "replaced" else "removed")

    def _on_ended(self, frame: Frame, now: float) -> None:
        del frame, now
        self._finish("ended")

    def _on_bye(self, frame: Frame, now: float) -> None:
        """The socket closes; the surroundings open another one."""

    def _on_ping(self, frame: Frame, now: float) -> None:
        del frame, now
        self._send("pong")

    # --- answers
    def _on_ok(self, frame: Frame, now: float) -> None:
        asked = self._requests.pop(frame["n"], None)
        if asked and asked["t"] == "create" and frame["ticket"] is not None:
            self._enter(now)
            ticket = frame["ticket"]
            self._out.append(Inside(self.identity, ticket["url"], ticket["token"]))
            self._new_epoch(now, at_once=True)

    def _on_error(self, frame: Frame, now: float) -> None:
        del now
        asked = self._requests.pop(frame["n"], None)
        match asked["t"] if asked else "":
            case "commit" if self._staged is not None:
                wish = self._staged[1]
                self._discard()
                if frame["code"] != "conflict":
                    self._out.append(Trouble("not-allowed", frame["code"]))
                    self._drop(wish)
            case "create" if self.phase == "creating":
                # Somebody was faster, or only a host may begin: `instance` tells when there is one.
                self.phase = "outside"
            case "knock" if asked and self._can_work(frame):
                self._work_for(asked, frame["challenge"], frame["bits"])
            case "knock" if frame["code"] == "no_instance":
                self.phase = "outside"
            case "knock":
                self._finish(frame["code"])

    def _can_work(self, frame: Frame) -> bool:
        bits = frame["bits"]
        return (
            self.phase == "knocking"
            and frame["code"] == "work"
            and self._works < MOST_WORKS
            and frame["challenge"] is not None
            and bits is not None
            and bits <= MOST_BITS
        )

    def _work_for(self, asked: Frame, challenge: bytes, bits: int) -> None:
        """The same knock once more, with what the door asked for. Takes its time: this program
        has nobody who looks at it meanwhile."""
        nonce = do_work(challenge, bits, unb64(asked["key_package"]))
        work = {"challenge": b64(challenge), "nonce": b64(nonce)}
        self._works += 1
        knock = {name: value for name, value in asked.items() if name not in {"t", "n", "work"}}
        self._request("knock", **knock, work=work)
