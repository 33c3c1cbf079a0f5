"""One sitting as values: the instance, its seats, and the rows of its log.

Must never hold a key, a name or a token: of a resume secret only its hash, of messages only what
their head says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from conclave.sealing.doorkeeper import EntryRole, MemberRole

SeatState = Literal["knocking", "member", "left"]
Granted = Literal["cohost", "member"]
RowKind = Literal[
    "commit", "message", "settled", "reopened", "presence", "granted", "knock", "knock_gone",
    "welcome", "denied", "removed", "taken",
]  # fmt: skip
NUMBERED: frozenset[RowKind] = frozenset({"commit", "message", "reopened"})


@dataclass(frozen=True, slots=True)
class Limits:
    members: int = 200
    waiting: int = 200
    """Open knocks at a time; beyond it as many as `members` of those who are expected."""
    waiting_alike: int = 5
    """Of them with one personal invitation."""
    epochs_apart: int = 3
    """How far a message's epoch may be from the group's."""
    open_commits: int = 16
    """Unsettled commits that can still be undone."""
    lost: timedelta = timedelta(seconds=30)
    """After this a lost member may be removed by anybody, and a lost knock is withdrawn."""
    empty: timedelta = timedelta(seconds=60)
    """An instance ends when no member has been connected for this time."""


@dataclass(frozen=True, slots=True)
class Knock:
    """As it came: base64url."""

    key_package: str
    intro: str
    proof: str
    sign: str
    bound: str = ""
    """The device key to which the invitation it names is bound; empty: it names none."""
    note: str = ""
    """A line to who may open the door; empty: none."""


@dataclass(slots=True)
class Seat:
    id: str
    resume_hash: bytes | None
    role: EntryRole
    state: SeatState
    worker: str | None
    """The process that holds its socket; None: the connection is lost."""
    lost_at: datetime | None
    connection: int = 1
    """Counts the sockets of this seat: an older one that still lives has been taken over."""
    since_pos: int = 0
    """The row of its knock; of a member, that of its Welcome."""
    since_seq: int = 0
    """Of a member: the sequence number in its Welcome."""
    granted: Granted | None = None
    identity: str | None = None
    acked: int = 0
    nacked: str | None = None
    knock: Knock | None = None
    media: int | None = None
    """In bits, as who leads has said of this one; None: as everybody."""

    @property
    def is_live(self) -> bool:
        return self.state == "member" and self.worker is not None

    @property
    def is_inside(self) -> bool:
        """Has a leaf in the group: also who left, until a commit has removed it."""
        return self.state != "knocking"

    @property
    def member_role(self) -> MemberRole:
        if self.role == "host":
            return "host"
        return "cohost" if self.granted == "cohost" else "member"

    def media_under(self, everybody: int) -> int:
        """What the media server may pass on of this one, in bits, where `everybody` is what it may
        of all. Who leads may everything."""
        if self.member_role != "member":
            return ALL_MEDIA
        return everybody if self.media is None else self.media


ALL_MEDIA = 0x7
"""Microphone 1, camera 2, screen 4: what the media server may pass on of somebody
(sealing-protocol.md, 7)."""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """Whom a commit removed: comes back as `left` when the commit is undone."""

    seat: str
    identity: str
    role: EntryRole


@dataclass(frozen=True, slots=True)
class OpenCommit:
    """A commit that not every live member has acknowledged yet."""

    epoch: int
    """In which it was made."""
    hash: str
    seat: str
    admitted: tuple[str, ...]
    removed: tuple[TakenOut, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "hash": self.hash,
            "seat": self.seat,
            "admitted": list(self.admitted),
            "removed": [[out.seat, out.identity, out.role] for out in self.removed],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> OpenCommit:
        return OpenCommit(
            value["epoch"],
            value["hash"],
            value["seat"],
            tuple(value["admitted"]),
            tuple(TakenOut(*out) for out in value["removed"]),
        )


@dataclass(slots=True)
class Instance:
    org_id: str
    meeting_id: str
    id: str
    """base64url of the group id, 22 characters."""
    created_at: datetime
    epoch: int = 0
    seq: int = 0
    """The last number given to a commit, message or reopening."""
    pos: int = 0
    """The last row of the log."""
    floor_seq: int = 0
    floor_pos: int = 0
    """Rows up to here are gone from the log."""
    settled: int = 0
    empty_since_at: datetime | None = None
    open_commits: list[OpenCommit] = field(default_factory=list)
    media: int = ALL_MEDIA
    """What everybody may send, in bits."""
    version: int = 0
    """Counts changes: who holds an older one reads the rows again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log: what some of the sitting's sockets are told."""

    pos: int
    seq: int
    kind: RowKind
    seat: str | None
    """For this seat alone; None: for all members."""
    sender: str | None
    frame: str
    """The frame as it is sent, JSON. Of a `welcome` without its ticket."""
