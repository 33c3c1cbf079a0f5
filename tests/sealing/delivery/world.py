"""A sitting without sockets, clock or database: its rules, its log, and tabs that come and go.

`World` plays random steps with one seed and checks after each what must always hold: of the commits
of an epoch one wins; a live member is told each commit exactly once and in order, across losses,
resumes and undone epochs; who is out is told nothing.
"""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from conclave.kernel.tokens import digest_of
from conclave.sealing import epochs
from conclave.sealing.connections import Connection, Goodbye, Knocks, Outbound, Welcome
from conclave.sealing.machine import Refused, Sitting
from conclave.sealing.schemas import Commit
from conclave.sealing.state import NUMBERED, Instance, Knock, Limits, Row, Seat
from tests.sealing.delivery.tab import commit, hash_of_commit, instance_id, private

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits(members=8, waiting=4, open_commits=6)


@dataclass(eq=False)
class Client:
    """What a tab knows, and what it has been told."""

    name: str
    identity: str
    connection: Connection | None = None
    resume_hash: bytes = b""
    place: str = "outside"
    seat: str = ""
    epoch: int = -1
    seq: int = 0
    applied: list[str] = field(default_factory=list)
    """Of each epoch since its Welcome, the commit that ended it."""
    first_epoch: int = 0
    own_seqs: set[int] = field(default_factory=set)

    @property
    def is_inside(self) -> bool:
        return self.place == "member"

    def hear(self, frame: dict[str, Any], *, seat: str) -> None:
        kind = frame["t"]
        assert self.place != "gone", (self.name, frame)
        if kind in NUMBERED and self.is_inside:
            self._count(frame["seq"], is_own=frame.get("from") == seat and kind == "message")
        if kind == "welcome":
            if self.place == "member":
                assert frame["epoch"] == self.first_epoch, "a Welcome again is the same"
            self.place = "member"
            self.epoch = self.first_epoch = frame["epoch"]
            self.seq = frame["seq"]
            self.applied = []
        elif kind == "commit":
            assert self.is_inside, "only members are told"
            assert frame["epoch"] == self.epoch, f"{self.name}: out of order"
            self.epoch += 1
            self.applied.append(frame["bytes"])
        elif kind == "reopened":
            if frame["epoch"] < self.first_epoch:
                self.place = "outside"  # it came by that commit
                return
            assert self.is_inside
            del self.applied[frame["epoch"] - self.first_epoch :]
            self.epoch = frame["epoch"]
        elif kind == "removed":
            self.place = "gone"
        elif kind == "denied":
            self.place = "outside"
        else:
            assert self.is_inside, (self.name, frame)

    def _count(self, seq: int, *, is_own: bool) -> None:
        while self.seq + 1 in self.own_seqs and self.seq + 1 != seq:
            self.seq += 1
        if is_own and seq <= self.seq:
            return
        assert seq == self.seq + 1, f"{self.name}: {seq} after {self.seq}"
        self.seq = seq


class World:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.now = BEGINNING
        self.log: list[Row] = []
        self.connections: list[tuple[Client, Connection]] = []
        self.clients: list[Client] = []
        self.winners: dict[int, str] = {}
        self.made = 0
        self.taken_over: list[Connection] = []
        instance = Instance("org", "mtg", instance_id(), self.now)
        founder = self._client()
        self._connect(founder)
        assert founder.connection is not None
        self.sitting: Sitting = epochs.found(
            self.now, instance, self._seat(founder), founder.identity, LIMITS
        )
        founder.connection.enter("member", instance.id, 0)
        founder.place, founder.epoch = "member", 0
        self._store()

    # --- steps
    def step(self) -> None:
        steps = (
            (self.knock, 4), (self.commit, 8), (self.message, 4), (self.ack, 8), (self.nack, 3),
            (self.drop, 2), (self.resume, 4), (self.leave, 1), (self.trim, 1), (self.wait, 2),
            (self.read, 6), (self.deny, 1),
        )  # fmt: skip
        act = self.random.choices([s for s, _ in steps], [w for _, w in steps])[0]
        with contextlib.suppress(Refused):
            act()
        self._store()
        # Also a commit that has just won: whom it removed may have stood between most and all.
        for epoch in [e for e in self.winners if e >= self.sitting.instance.epoch]:
            del self.winners[epoch]

    def knock(self) -> None:
        client = self._pick(lambda c: c.place == "outside") or (
            self._client() if len(self.clients) < 14 else None
        )
        if client is None:
            return
        if client.connection is None:
            self._connect(client)
        connection = client.connection
        assert connection is not None
        content = Knock("AA", "", "", "AA")
        self.sitting.knock(self.now, self._seat(client), instance_id(), content)
        connection.enter("knocking", instance_id(), self.sitting.instance.pos)
        client.place = "knocking"

    def commit(self) -> None:
        """By one member, or by two of which one must lose."""
        client = self._pick(lambda c: c.is_inside and c.connection is not None)
        if client is None:
            return
        epoch = client.epoch if self.random.random() < 0.5 else self.sitting.instance.epoch
        frame = self._commit_of(client, epoch)
        wish = Commit.model_validate({"t": "commit", "n": 1, **frame}, strict=True)
        won = self.sitting.instance.epoch
        epochs.commit(self.sitting, self.now, client.seat, wish)
        assert epoch == won
        assert epoch not in self.winners, "one winner an epoch"
        self.winners[epoch] = frame["bytes"]

    def _commit_of(self, client: Client, epoch: int) -> dict[str, Any]:
        self.made += 1
        admitted: dict[str, str] = {}
        removed: dict[str, str] = {}
        for seat in self.sitting.knocks():
            if self.random.random() < 0.7:
                owner = next(c for c in self.clients if c.seat == seat.id)
                admitted[seat.id] = owner.identity
                for old in self.sitting.members():
                    if old.identity == owner.identity and old.id != client.seat:
                        removed[old.id] = "replaced"
        for old in self.sitting.members():
            if old.id not in removed and old.id != client.seat and self.random.random() < 0.5:
                if old.state == "left":
                    removed[old.id] = "left"
                elif old.lost_at is not None and old.lost_at + LIMITS.lost <= self.now:
                    removed[old.id] = "lost"
        if self.random.random() < 0.05 and (victim := self._pick(lambda c: c.is_inside)):
            removed.setdefault(victim.seat, "removed")
        return commit(epoch, admitted=admitted, removed=removed, body=str(self.made).encode())

    def message(self) -> None:
        client = self._pick(lambda c: c.is_inside and c.connection is not None)
        if client is not None:
            content = private(instance_id(), client.epoch, 1)
            seq = self.sitting.message(self.now, client.seat, client.epoch, content)
            client.own_seqs.add(seq)

    def ack(self) -> None:
        client = self._pick(lambda c: c.is_inside and c.connection is not None)
        if client is not None:
            epochs.ack(self.sitting, self.now, client.seat, client.epoch)

    def nack(self) -> None:
        """Of a commit that it has been told, or of one that never was."""
        client = self._pick(lambda c: c.is_inside and c.connection is not None)
        opened = self.sitting.instance.open_commits
        if client is not None and opened:
            against = self.random.choice(opened).hash
            if self.random.random() < 0.2:
                against = hash_of_commit(0, b"never")
            epochs.nack(self.sitting, self.now, client.seat, against)

    def drop(self) -> None:
        client = self._pick(lambda c: c.connection is not None and c.place != "gone")
        if client is not None:
            self._disconnect(client, tells=self.random.random() < 0.7)

    def _disconnect(self, client: Client, *, tells: bool) -> None:
        connection = client.connection
        assert connection is not None
        self._read(client)
        if client.place == "gone" or client.connection is None:
            return
        self.connections = [pair for pair in self.connections if pair[1] is not connection]
        client.connection = None
        if tells:  # otherwise the server has not noticed yet
            self.sitting.disconnect(self.now, client.seat, connection.number)
        if client.place == "outside":
            client.seat = ""

    def resume(self) -> None:
        client = self._pick(
            lambda c: (
                c.place in {"knocking", "member"}
                and (c.connection is None or self.random.random() < 0.1)
            )
        )
        if client is None:
            return
        if client.connection is not None:
            self._read(client)
            if client.place not in {"knocking", "member"}:
                return
            # The old socket goes on until it hears that it was taken over.
        while client.is_inside and client.seq + 1 in client.own_seqs:
            client.seq += 1
        since = client.seq if client.is_inside else None
        seat = self.sitting.resume(self.now, client.resume_hash, "w", since)
        if seat is None:
            self._come_anew(client)
            return
        old = client.connection
        connection = Connection(seat.id, client.resume_hash, "guest", Outbound(), number=0)
        connection.number = seat.connection
        is_member = seat.state == "member"
        has_welcome = since is not None and since >= seat.since_seq
        cursor = seat.since_pos - (1 if is_member and not has_welcome else 0)
        if has_welcome and is_member and since is not None:
            found = [
                r.pos for r in self.log if r.seq == since and r.kind in NUMBERED and not r.seat
            ]
            floor = self.sitting.instance
            known = floor.floor_pos if since == floor.floor_seq else max(found)
            cursor = max(cursor, known)
        place = "member" if is_member and (has_welcome or seat.since_pos == 0) else "knocking"
        connection.enter("member" if place == "member" else "knocking", instance_id(), cursor)
        if old is not None:
            self.connections = [pair for pair in self.connections if pair[1] is not old]
            self.taken_over.append(old)
        client.connection = connection
        self.connections.append((client, connection))
        for row in self.log:
            connection.take(row, is_replay=True)

    def leave(self) -> None:
        inside = [c for c in self.clients if c.is_inside and c.connection is not None]
        if len(inside) > 2:
            client = self.random.choice(inside)
            self._read(client)
            if client.is_inside:
                self.sitting.leave(self.now, client.seat)
                self.connections = [p for p in self.connections if p[0] is not client]
                client.connection, client.place = None, "gone"

    def deny(self) -> None:
        host = next((c for c in self.clients if c.is_inside), None)
        knocks = list(self.sitting.knocks())
        if host is not None and knocks:
            self.sitting.deny(self.now, host.seat, self.random.choice(knocks).id, "denied")

    def trim(self) -> None:
        numbered = [row for row in self.log if row.kind in NUMBERED and row.seat is None]
        if len(numbered) > 6:
            first = numbered[-4]
            instance = self.sitting.instance
            instance.floor_pos, instance.floor_seq = first.pos - 1, first.seq - 1
            self.log = [row for row in self.log if row.pos >= first.pos]

    def wait(self) -> None:
        self.now += timedelta(seconds=self.random.choice([1, 10, 31]))
        if any(True for _ in self.sitting.live()):
            self.sitting.expire(self.now)

    def read(self) -> None:
        client = self._pick(lambda c: c.connection is not None)
        if client is not None:
            self._read(client)

    # --- what holds in the end
    def settle(self) -> None:
        for client in list(self.clients):
            if client.connection is not None:
                self._read(client)
        live = {seat.id for seat in self.sitting.live()}
        for client in self.clients:
            if client.is_inside and client.connection is not None:
                assert client.seat in live
                assert client.epoch == self.sitting.instance.epoch, client.name
                for offset, content in enumerate(client.applied):
                    assert self.winners[client.first_epoch + offset] == content

    # --- means
    def _client(self) -> Client:
        number = len(self.clients)
        name = f"c{number}"
        client = Client(name, digest_of(name.encode()).hex()[:22])
        self.clients.append(client)
        return client

    def _come_anew(self, client: Client) -> None:
        """The server does not know it any more: the same person, another seat."""
        if client.connection is not None:
            self.connections = [p for p in self.connections if p[0] is not client]
        client.connection, client.place, client.seat = None, "gone", ""
        fresh = Client(f"{client.name}'", client.identity)
        self.clients[self.clients.index(client)] = fresh

    def _connect(self, client: Client) -> None:
        self.made += 1
        client.seat = f"s{self.made}"
        client.resume_hash = digest_of(client.seat.encode())
        client.connection = Connection(client.seat, client.resume_hash, "guest", Outbound())
        self.connections.append((client, client.connection))

    def _seat(self, client: Client) -> Seat:
        assert client.connection is not None
        return Seat(
            id=client.seat,
            resume_hash=client.resume_hash,
            role="host" if client is self.clients[0] else "guest",
            state="knocking",
            worker="w",
            lost_at=None,
            connection=client.connection.number,
        )

    def _pick(self, fits: Any) -> Client | None:
        found = [client for client in self.clients if fits(client)]
        return self.random.choice(found) if found else None

    def _store(self) -> None:
        for row in self.sitting.take().rows:
            assert row.pos == (self.log[-1].pos + 1 if self.log else row.pos)
            self.log.append(row)
            for _client, connection in list(self.connections):
                connection.take(row)
            for connection in self.taken_over:
                connection.take(row)
        assert all(connection.place == "gone" for connection in self.taken_over)

    def _read(self, client: Client) -> None:
        connection = client.connection
        assert connection is not None
        while (entry := connection.outbound.take()) is not None:
            if isinstance(entry, Goodbye):
                self.connections = [p for p in self.connections if p[1] is not connection]
                client.connection = None
            elif isinstance(entry, Welcome):
                client.hear(json.loads(entry.frame), seat=client.seat)
            elif not isinstance(entry, Knocks):
                client.hear(json.loads(entry), seat=client.seat)
