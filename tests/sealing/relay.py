"""The sealing socket's other end in a few lines, on a clock of its own: for tests of members alone.

It keeps the order of commits and passes the rest on, as src/conclave/sealing does with all its care
for storage and hostile clients. Knows no key.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from conclave_sealing.effects import Effect, Heard, Inside, Over, Send, Trouble, UseKey
from conclave_sealing.keys import b64
from conclave_sealing.member import Member

Frame = dict[str, Any]
CHALLENGE = bytes(range(29))


@dataclass
class Line:
    """One member's connection, and everything that it said beside frames."""

    seat: str
    member: Member
    place: str = "outside"
    identity: str = ""
    is_live: bool = True
    acked: int = 0
    knock: Frame | None = None
    told: list[Effect] = field(default_factory=list)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [
            dict(effect.content)
            for effect in self.told
            if isinstance(effect, Heard) and effect.content["k"] == kind
        ]

    def troubles(self) -> list[str]:
        return [effect.what for effect in self.told if isinstance(effect, Trouble)]

    @property
    def over(self) -> str | None:
        return next((effect.reason for effect in self.told if isinstance(effect, Over)), None)

    @property
    def is_inside(self) -> bool:
        return any(isinstance(effect, Inside) for effect in self.told) and self.over is None

    def switches(self) -> list[int]:
        return [effect.epoch for effect in self.told if isinstance(effect, UseKey)]


class Relay:
    def __init__(self) -> None:
        self.now = 0.0
        self.lines: dict[str, Line] = {}
        self.instance: str | None = None
        self.epoch = self.seq = self.settled = 0
        self.commits: list[Frame] = []
        self.change: Callable[[str, Frame], Frame | None] = lambda _seat, frame: frame
        """What a hostile server does to a frame on its way to a seat; None: withholds it."""
        self.work: Callable[[Frame], bool] | None = None
        """Whether this knock is paid for; None: the door is not crowded."""
        self.bits = 8
        self.bindings: dict[str, str] = {}
        """Of invitations, by id: the device that came first."""
        self._queue: list[tuple[int, str, Frame]] = []
        self._sent = 0

    # --- the clock and the wires
    def connect(self, member: Member) -> Line:
        line = Line(f"s{len(self.lines)}", member)
        self.lines[line.seat] = line
        self._effects(line, member.start())
        self.run()
        return line

    def do(self, line: Line, effects: Iterable[Effect]) -> None:
        self._effects(line, effects)
        self.run()

    def run(self, until: float | None = None) -> None:
        """Deliver everything; with `until`, let time pass to then as well."""
        for _ in range(100_000):
            if self._queue:
                _, seat, frame = heapq.heappop(self._queue)
                line = self.lines[seat]
                seen = self.change(seat, frame)
                if seen is not None and (line.is_live or frame["t"] == "removed"):
                    self._effects(line, line.member.receive(seen, self.now))
                continue
            times = [
                (at, seat)
                for seat, line in self.lines.items()
                if line.is_live and (at := line.member.next_at()) is not None
            ]
            at, seat = min(times, default=(float("inf"), ""))
            if at > (self.now if until is None else until):
                break
            self.now = max(self.now, at)
            self._effects(self.lines[seat], self.lines[seat].member.tick(self.now))
        else:
            raise AssertionError("they never come to rest")
        self.now = max(self.now, until or 0.0)

    def lose(self, line: Line) -> None:
        line.is_live = False
        self._members("presence", seat=line.seat, state="lost")
        self.run()

    def tell(self, seat: str, t: str, /, **fields: object) -> None:
        self._sent += 1
        heapq.heappush(self._queue, (self._sent, seat, {"t": t, **fields}))

    def _members(self, t: str, /, *, but: str = "", **fields: object) -> None:
        for line in self.lines.values():
            if line.place == "member" and line.seat != but:
                self.tell(line.seat, t, **fields)

    def _effects(self, line: Line, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                getattr(self, f"_{effect.frame['t']}")(line, effect.frame)
            else:
                line.told.append(effect)

    # --- the frames
    def _hello(self, line: Line, frame: Frame) -> None:
        del frame
        self.tell(
            line.seat,
            "hello",
            seat=line.seat,
            resume="r",
            resumed=False,
            role="guest",
            instance=self.instance,
            seq=self.seq,
            ping_s=20,
        )

    def _ticket(self) -> Frame:
        return {"url": "ws://127.0.0.1:1", "token": "token"}

    def _create(self, line: Line, frame: Frame) -> None:
        if self.instance is not None:
            self.tell(line.seat, "error", n=frame["n"], code="exists", detail="")
            self.tell(line.seat, "instance", instance=self.instance)
            return
        self.instance = frame["instance"]
        line.place, line.identity = "member", frame["identity"]
        self.tell(line.seat, "ok", n=frame["n"], ticket=self._ticket())

    def _knock(self, line: Line, frame: Frame) -> None:
        if frame["instance"] != self.instance:
            self.tell(line.seat, "error", n=frame["n"], code="no_instance", detail="")
            return
        if self.work is not None and not self.work(frame):
            asked = {"challenge": b64(CHALLENGE), "bits": self.bits}
            self.tell(line.seat, "error", n=frame["n"], code="work", detail="", **asked)
            return
        line.place = "knocking"
        line.knock = {k: frame[k] for k in ("key_package", "intro", "proof", "sign")}
        line.knock["bound"] = None
        if "invitation" in frame:
            bound = self.bindings.setdefault(frame["invitation"], frame["device"])
            line.knock["bound"] = bound
        self.tell(line.seat, "ok", n=frame["n"])
        self._members("knock", seat=line.seat, **line.knock)

    def _commit(self, line: Line, frame: Frame) -> None:
        if frame["epoch"] != self.epoch:
            self.tell(line.seat, "error", n=frame["n"], code="conflict", detail="")
            return
        for entry in frame["removed"]:
            self.lines[entry["seat"]].place = "gone"
            self.tell(entry["seat"], "removed", why=entry["why"])
        self.seq += 1
        self.epoch += 1
        self.tell(line.seat, "ok", n=frame["n"], seq=self.seq)
        event = {key: frame[key] for key in ("epoch", "bytes", "admitted", "removed")}
        self.commits.append(event)
        self._members("commit", seq=self.seq, **event, **{"from": line.seat})
        for entry in frame["admitted"]:
            newcomer = self.lines[entry["seat"]]
            newcomer.place, newcomer.identity = "member", entry["identity"]
            newcomer.acked = self.epoch
        line.acked = self.epoch
        seats = [
            {"seat": o.seat, "identity": o.identity, "is_live": o.is_live, "role": "member"}
            for o in self.lines.values()
            if o.place == "member"
        ]
        for entry in frame["admitted"]:
            self.tell(
                entry["seat"],
                "welcome",
                seq=self.seq,
                epoch=self.epoch,
                bytes=frame["welcome"],
                identity=entry["identity"],
                ticket=self._ticket(),
                seats=seats,
            )
            for other in self.lines.values():
                if other.place == "knocking" and other.knock is not None:
                    self.tell(entry["seat"], "knock", seat=other.seat, **other.knock)

    def _message(self, line: Line, frame: Frame) -> None:
        self.seq += 1
        self.tell(line.seat, "ok", n=frame["n"], seq=self.seq)
        fields = {"seq": self.seq, "epoch": frame["epoch"], "bytes": frame["bytes"]}
        self._members("message", but=line.seat, **fields, **{"from": line.seat})

    def _ack(self, line: Line, frame: Frame) -> None:
        line.acked = frame["epoch"]
        live = [o.acked for o in self.lines.values() if o.place == "member" and o.is_live]
        if min(live) > self.settled:
            self.settled = min(live)
            self._members("settled", epoch=self.settled)

    def _nack(self, line: Line, frame: Frame) -> None:
        line.told.append(Trouble("nacked", str(frame["epoch"])))

    def reopen(self) -> None:
        """As when most have refused the last commit."""
        undone = self.commits.pop()
        self.epoch -= 1
        self.seq += 1
        self._members("reopened", seq=self.seq, epoch=self.epoch, hash="")
        for entry in undone["admitted"]:
            self.lines[entry["seat"]].place = "outside"
        self.run()

    def _using(self, line: Line, frame: Frame) -> None:
        """Nothing here forwards pictures."""

    def _deny(self, line: Line, frame: Frame) -> None:
        self.lines[frame["seat"]].place = "gone"
        self.tell(frame["seat"], "denied", reason="denied")
        self._members("knock_gone", seat=frame["seat"])

    def _leave(self, line: Line, frame: Frame) -> None:
        was_member, line.place, line.is_live = line.place == "member", "gone", False
        if was_member:
            self._members("presence", seat=line.seat, state="left")

    def _pong(self, line: Line, frame: Frame) -> None:
        """Heard."""
