"""Frames from the client, read strictly. Unknown fields are ignored, anything else is refused.

Bytes stay base64url text, checked to be the one way to write them: they are passed on as they are.
Must never echo what was sent.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

_B64 = re.compile(r"[A-Za-z0-9_-]*")
# Of a last group of 2 or 3 characters the bits past the last byte are zero.
_LAST = {2: "AQgw", 3: "AEIMQUYcgkosw048"}


def _canonical(value: str) -> str:
    rest = len(value) % 4
    if _B64.fullmatch(value) is None or rest == 1 or (rest and value[-1] not in _LAST[rest]):
        msg = "not base64url without padding"
        raise ValueError(msg)
    return value


def decoded(value: str) -> bytes:
    """The bytes of checked base64url."""
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


Bytes = Annotated[str, AfterValidator(_canonical)]
InstanceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$")]
"""16 bytes."""
Hash = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$")]
"""32 bytes."""
Identity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]
SeatId = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Number = Annotated[int, Field(ge=0, lt=1 << 53)]
RemovalReason = Literal["left", "lost", "removed", "replaced"]


class _Frame(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class Hello(_Frame):
    t: Literal["hello"]
    resume: Annotated[str, StringConstraints(max_length=128)] | None = None
    since: Number | None = None
    former: Annotated[str, StringConstraints(max_length=128)] | None = None
    """The resume secret of a seat inside that is not to be resumed: its knock goes first."""


class Create(_Frame):
    t: Literal["create"]
    n: Number
    instance: InstanceId
    identity: Identity


class Work(_Frame):
    """What a crowded door asked for, done for this KeyPackage."""

    challenge: Annotated[Bytes, StringConstraints(min_length=22, max_length=86)]
    nonce: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$")]
    """8 bytes."""


class KnockFrame(_Frame):
    t: Literal["knock"]
    n: Number
    instance: InstanceId
    key_package: Annotated[Bytes, StringConstraints(min_length=1)]
    intro: Bytes
    proof: Bytes
    sign: Bytes
    invitation: InstanceId | None = None
    """A personal invitation's id; then the next two are there as well."""
    device: Hash | None = None
    """The device key that knocks."""
    binding: Annotated[Bytes, StringConstraints(min_length=86, max_length=86)] | None = None
    """By the invitation's key: this device is its owner's."""
    work: Work | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> KnockFrame:
        if len({self.invitation is None, self.device is None, self.binding is None}) != 1:
            msg = "an invitation comes with its device and binding"
            raise ValueError(msg)
        return self


class Note(_Frame):
    """A line to who may open the door, sealed with the link's key."""

    t: Literal["note"]
    n: Number
    note: Annotated[Bytes, StringConstraints(min_length=1, max_length=1_400)]


class Withdraw(_Frame):
    t: Literal["withdraw"]
    n: Number


class Deny(_Frame):
    t: Literal["deny"]
    n: Number
    seat: SeatId
    reason: Literal["denied", "full", "locked"] = "denied"


class Admitted(_Frame):
    seat: SeatId
    identity: Identity


class Removed(_Frame):
    seat: SeatId
    why: RemovalReason


class Commit(_Frame):
    t: Literal["commit"]
    n: Number
    epoch: Number
    bytes: Annotated[Bytes, StringConstraints(min_length=1)]
    welcome: Bytes | None = None
    admitted: Annotated[list[Admitted], Field(max_length=1_000)] = []
    removed: Annotated[list[Removed], Field(max_length=1_000)] = []


class Message(_Frame):
    t: Literal["message"]
    n: Number
    epoch: Number
    bytes: Annotated[Bytes, StringConstraints(min_length=1)]


class Ack(_Frame):
    t: Literal["ack"]
    epoch: Number


class Nack(_Frame):
    t: Literal["nack"]
    epoch: Number
    hash: Hash


class Using(_Frame):
    t: Literal["using"]
    epoch: Number


class Grant(_Frame):
    t: Literal["grant"]
    n: Number
    seat: SeatId
    role: Literal["cohost", "member"]


MediaBits = Annotated[int, Field(ge=0, le=7)]
"""Microphone 1, camera 2, screen 4."""


class Permitted(_Frame):
    seat: SeatId
    may: MediaBits


class Permit(_Frame):
    """Who may send what: everybody, and those for whom it is not the same."""

    t: Literal["permit"]
    n: Number
    all: MediaBits
    seats: Annotated[list[Permitted], Field(max_length=1_000)] = []


class Mute(_Frame):
    t: Literal["mute"]
    n: Number
    seat: SeatId
    source: Literal["microphone", "camera", "screen_share"]


class Silence(_Frame):
    """Everything that members send is muted, but what hosts and co-hosts send."""

    t: Literal["silence"]
    n: Number


class TicketFrame(_Frame):
    t: Literal["ticket"]
    n: Number


class Leave(_Frame):
    t: Literal["leave"]
    n: Number


class Pong(_Frame):
    t: Literal["pong"]


ClientFrame = (
    Hello
    | Create
    | KnockFrame
    | Note
    | Withdraw
    | Deny
    | Commit
    | Message
    | Ack
    | Nack
    | Using
    | Grant
    | Permit
    | Mute
    | Silence
    | TicketFrame
    | Leave
    | Pong
)
_FRAMES: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="t")])


def parse(text: str) -> ClientFrame | None:
    """None for what is no frame of the protocol."""
    try:
        return _FRAMES.validate_json(text)
    except (ValidationError, ValueError, RecursionError):
        return None
