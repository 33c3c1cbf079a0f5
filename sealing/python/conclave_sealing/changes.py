"""The group changes: commits that come, own ones that win or lose, keys that follow."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from conclave_sealing._mls import Applied, Removed
from conclave_sealing.commits import SPACING_S, Wish
from conclave_sealing.context import MeetingContext
from conclave_sealing.effects import Keys, Trouble, UseKey
from conclave_sealing.errors import Refused
from conclave_sealing.frames import Frame
from conclave_sealing.judge import role_of
from conclave_sealing.talk import Talking

SWITCH_S = 0.6
FRAME_LABEL = "conclave frame v1"


class Changing(Talking):
    def _on_commit(self, frame: Frame, now: float) -> None:
        if self.phase != "inside" or self.facts is None or frame["seq"] <= self._seq:
            return
        self._seq = frame["seq"]
        content = frame["bytes"]
        is_own = self._staged is not None and self._staged[0] == content
        try:
            done = self._engine.merge() if is_own else self._engine.apply(content)
        except Refused as refused:
            if frame["epoch"] == self.facts.epoch:
                self._send("nack", epoch=frame["epoch"], hash=sha256(content).digest())
            self._out.append(Trouble("forbidden-change", str(refused)))
            return
        if isinstance(done, Removed):
            self._finish("replaced" if done.is_replaced else "removed")
            return
        self._changed(done, frame, now)

    def _changed(self, done: Applied, frame: Frame, now: float) -> None:
        people, wish = self.people, self._staged[1] if self._staged else None
        if wish is not None:
            self.plan.is_renewal = self.plan.is_renewal and not wish.is_renewal
            if self.plan.meeting and self.plan.meeting.encode() == done.after.meeting:
                self.plan.meeting = None
        self._staged = None
        before = {leaf.leaf: leaf for leaf in done.before.roster}
        self.facts = done.after
        self._seats_before = {seat: replace(found) for seat, found in people.seats.items()}
        taken_out = set()
        for entry in frame["removed"]:
            seat = people.seats.pop(entry["seat"], None)
            if seat is not None and entry["why"] == "removed":
                taken_out.add(seat.identity)
        back = {add.signature_key for add in done.commit.adds}
        for leaf in done.commit.removes:
            key = before[leaf].signature_key
            identity = people.identity(before[leaf])
            self.plan.to_remove.discard(identity)
            if key not in back:
                people.profiles.pop(key, None)
                people.linkless.discard(key)
                if identity in taken_out:
                    people.banned.add(key)
        people.banned -= self._forgiven(done)
        for entry in frame["admitted"]:
            people.admit(entry["seat"], entry["identity"], now)
            self.plan.door.pop(entry["seat"], None)
        if done.commit.adds and not done.commit.psks:
            old = {leaf.signature_key for leaf in done.before.roster}
            people.linkless.update(back - old)
        self._new_epoch(now, at_once=bool(taken_out))
        if done.commit.adds:
            self._profile()

    def _forgiven(self, done: Applied) -> set[bytes]:
        """Who was blocked before this commit and is no more."""
        before = MeetingContext.read(done.before.meeting)
        after = MeetingContext.read(done.after.meeting)
        if before is None or after is None:
            return set()
        return set(before.policy.blocked) - set(after.policy.blocked)

    def _new_epoch(self, now: float, *, at_once: bool) -> None:
        facts, _ = self._group()
        self.people.enter(facts)
        self._note_leader()
        self._send("ack", epoch=facts.epoch)
        identities = [self.people.identity(leaf) for leaf in facts.roster]
        keys = {
            identity: self._engine.export_secret(FRAME_LABEL, identity.encode(), 32)
            for identity in identities
        }
        self._out.append(Keys(facts.epoch, keys))
        self._switch_at = now + SWITCH_S
        if at_once:
            self._switch()

    def _note_leader(self) -> None:
        facts, context = self._group()
        leading = {
            self.people.identity(leaf)
            for leaf in facts.roster
            if role_of(leaf, context) != "member"
        }
        states = {seat.state for seat in self.people.seats.values() if seat.identity in leading}
        # Who is in the group without a seat is ourselves, and connected.
        is_led = "live" in states or self.role != "member"
        is_lost = "lost" in states or self.people.is_leader_lost
        self.people.is_leader_lost = not is_led and is_lost

    def _switch(self) -> None:
        facts, _ = self._group()
        self._switch_at = None
        self._out.append(UseKey(facts.epoch))
        self._send("using", epoch=facts.epoch)

    def _on_settled(self, frame: Frame, now: float) -> None:
        del now
        if self.facts is not None and frame["epoch"] >= self.facts.epoch and self._switch_at:
            self._switch()

    def _is_undone(self, frame: Frame, now: float) -> bool:
        """Back before the last commit; False where that state is not held."""
        facts, _ = self._group()
        if facts.epoch <= frame["epoch"]:
            return True
        if facts.epoch != frame["epoch"] + 1 or not self._engine.undo():
            return False
        self.facts = self._engine.facts()
        self._staged = None
        seats, self.people.seats = self.people.seats, self._seats_before
        for seat in self.people.seats.keys() - seats.keys():
            # It was taken out of the group, and is in it again: somebody has to do it anew.
            self.people.set_state(seat, "left", now)
        self._new_epoch(now, at_once=True)
        return True

    def _work(self, now: float) -> None:
        """Commit what is our turn, if nothing of ours is under way."""
        if self.phase != "inside" or self._staged is not None or self.facts is None:
            return
        due = self.plan.due(self.people, self.facts)
        if due is None or max(due, self._last_commit + SPACING_S) > now:
            return
        wish = self.plan.wish(self.people, self.facts, self.role, now)
        if wish.is_empty:
            self.plan.forget(self.people, self.facts)
            return
        try:
            content, welcome = self._engine.commit(
                adds=wish.adds,
                removes=wish.removes,
                meeting=wish.meeting,
                with_psk=wish.with_psk,
            )
        except Refused as refused:
            self._out.append(Trouble("not-allowed", str(refused)))
            self._drop(wish)
            return
        self._staged = (content, wish, now)
        self._last_commit = now
        self._request(
            "commit",
            epoch=self.facts.epoch,
            bytes=content,
            welcome=welcome,
            admitted=wish.admitted,
            removed=wish.removed,
        )

    def _drop(self, wish: Wish) -> None:
        """What cannot be done is not tried again and again."""
        for entry in wish.admitted:
            self.plan.door.pop(entry["seat"], None)
        facts, _ = self._group()
        self.plan.forget(self.people, facts)

    def _discard(self) -> None:
        self._engine.discard()
        self._staged = None
