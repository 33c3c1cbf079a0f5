"""Frames of the sealing socket (sealing-protocol.md, 7), read strictly: the server is a stranger.

Pure. A frame is a dict; its bytes are `bytes` here and base64url on the socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from conclave_sealing.keys import b64, unb64

Frame = dict[str, Any]
_Read = Callable[[object], Any]
_SEATS = 1_000
_STATES = ("live", "lost", "left")
_WHY = ("left", "lost", "removed", "replaced")


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 8_192:
        raise ValueError("no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ValueError("no number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("no flag")
    return value


def _instance(value: object) -> bytes:
    return unb64(value, 16)


def _key(value: object) -> bytes:
    return unb64(value, 32)


def _challenge(value: object) -> bytes:
    content = unb64(value)
    if not 16 <= len(content) <= 64:
        raise ValueError("no challenge")
    return content


def _one_of(*words: str) -> _Read:
    def read(value: object) -> str:
        if value not in words:
            raise ValueError("another word")
        return str(value)

    return read


def _or_none(read: _Read) -> _Read:
    return lambda value: None if value is None else read(value)


def _object(fields: Mapping[str, _Read]) -> _Read:
    def read(value: object) -> Frame:
        if not isinstance(value, dict):
            raise ValueError("no object")
        return {name: part(value.get(name)) for name, part in fields.items()}

    return read


def _list(read: _Read) -> _Read:
    def read_all(value: object) -> list[Any]:
        if not isinstance(value, list) or len(value) > _SEATS:
            raise ValueError("no list")
        return [read(part) for part in value]

    return read_all


_TICKET = _object({"url": _text, "token": _text})
_ADMITTED = _list(_object({"seat": _text, "identity": _text}))
_REMOVED = _list(_object({"seat": _text, "why": _one_of(*_WHY)}))
_SEAT = _object({"seat": _text, "identity": _text, "is_live": _flag, "role": _text})
_MLS: dict[str, _Read] = {"seq": _number, "epoch": _number, "bytes": unb64}

_FRAMES: dict[str, dict[str, _Read]] = {
    "hello": {
        "seat": _text,
        "resume": _text,
        "resumed": _flag,
        "role": _text,
        "instance": _or_none(_instance),
        "seq": _number,
    },
    "instance": {"instance": _or_none(_instance)},
    "waiting": {"members": _number},
    "denied": {"reason": _text},
    "welcome": _MLS | {"identity": _text, "ticket": _TICKET, "seats": _list(_SEAT)},
    "knock": {
        "seat": _text,
        "key_package": unb64,
        "intro": unb64,
        "proof": unb64,
        "sign": unb64,
        "bound": _or_none(_key),
    },
    "knock_gone": {"seat": _text},
    "commit": _MLS | {"from": _text, "admitted": _ADMITTED, "removed": _REMOVED},
    "message": _MLS | {"from": _text},
    "settled": {"epoch": _number},
    "reopened": {"seq": _number, "epoch": _number},
    "presence": {"seat": _text, "state": _one_of(*_STATES)},
    "granted": {"seat": _text, "role": _text},
    "removed": {"why": _one_of(*_WHY)},
    "ended": {},
    "ping": {},
    "bye": {"reason": _text},
    "ok": {"n": _number, "seq": _or_none(_number), "ticket": _or_none(_TICKET)},
    "error": {
        "n": _or_none(_number),
        "code": _text,
        "challenge": _or_none(_challenge),
        "bits": _or_none(_number),
    },
}

KINDS = tuple(_FRAMES)


def read_frame(value: object) -> Frame | None:
    """None for what is no frame of the protocol."""
    if not isinstance(value, dict):
        return None
    kind = value.get("t")
    fields = _FRAMES.get(kind) if isinstance(kind, str) else None
    if fields is None:
        return None
    try:
        return {"t": kind} | {name: read(value.get(name)) for name, read in fields.items()}
    except ValueError:
        return None


def write_frame(kind: str, **fields: object) -> Frame:
    """As the socket wants it; what is None is left out."""
    return {"t": kind} | {
        name: b64(value) if isinstance(value, bytes) else value
        for name, value in fields.items()
        if value is not None
    }
