"""What members say to each other: opened, checked, and passed on or acted upon."""

from __future__ import annotations

from hashlib import sha256

from conclave_sealing._mls import GroupFacts
from conclave_sealing.content import Content, read_content, read_private, write_content
from conclave_sealing.core import Core
from conclave_sealing.effects import Heard, Trouble
from conclave_sealing.errors import Refused
from conclave_sealing.frames import Frame
from conclave_sealing.keys import Link, b64, unb64
from conclave_sealing.people import Profile

BEAT_S = 10.0
_PRIVATE = b"conclave private v1"


class Talking(Core):
    def _on_message(self, frame: Frame, now: float) -> None:
        if self.phase != "inside" or frame["seq"] <= self._seq:
            return
        self._seq = frame["seq"]
        try:
            opened = self._engine.open(frame["bytes"])
        except Refused:
            self.ignored += 1
            return
        sender = self.people.rosters.get(opened.epoch, {}).get(opened.sender)
        content = read_content(opened.content)
        if sender is None or content is None:
            self.ignored += 1
            return
        self._heed(sender.signature_key, content, opened.epoch, now)

    def _heed(self, key: bytes, content: Content, epoch: int, now: float) -> None:
        facts, _ = self._group()
        identity = self.people.identity_of_key(key)
        match content["k"]:
            case "profile":
                box = unb64(content["box"])
                self.people.profiles[key] = Profile(content["name"], content["colour"], box)
                if key in self.people.linkless and self.link and self.role != "member":
                    self._whisper(
                        self.people.profiles[key],
                        "link",
                        secret=b64(self.link.secret),
                        fingerprint=b64(self.link.fingerprint),
                    )
            case "beat":
                if epoch == facts.epoch and (content["auth"], content["roster"]) != _pulse(facts):
                    self._out.append(Trouble("withheld", identity))
            case "bye":
                seat = self.people.seat_of(identity)
                if seat is not None:
                    self.people.set_state(seat.id, "left", now)
            case "link-held":
                self.people.linkless.discard(key)
            case "private":
                self._unbox(key, identity, unb64(content["box"]))
                return
        self._out.append(Heard(identity, content))

    def _unbox(self, key: bytes, identity: str, sealed: bytes) -> None:
        facts, context = self._group()
        inner = self._engine.open_box(_PRIVATE + facts.group_id, key, sealed)
        content = None if inner is None else read_private(inner)
        if content is None:
            return
        if content["k"] != "link":
            self._out.append(Heard(identity, content, is_private=True))
            return
        link = Link(self.meeting, unb64(content["secret"]), unb64(content["fingerprint"]))
        if context.proves(link):
            self.link = link
            self._engine.set_psk(link.keys().psk)
            self._say("link-held")

    def _profile(self) -> None:
        self._say("profile", name=self.name, colour=self.colour, box=b64(self._engine.box_key))

    def _beat(self, now: float) -> None:
        facts, _ = self._group()
        auth, roster = _pulse(facts)
        self._beat_at = now + BEAT_S
        self._say("beat", auth=auth, roster=roster)

    def _whisper(self, to: Profile, kind: str, **fields: object) -> None:
        facts, _ = self._group()
        info = _PRIVATE + facts.group_id
        sealed = self._engine.seal_to(to.box, info, self.key, write_content(kind, **fields))
        self._say("private", box=b64(sealed))


def _pulse(facts: GroupFacts) -> tuple[str, str]:
    """`auth` and `roster` of a beat."""
    keys = b"".join(leaf.signature_key for leaf in facts.roster)
    return b64(facts.authenticator[:8]), b64(sha256(keys).digest()[:8])
