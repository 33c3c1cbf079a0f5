"""What members say inside the group: JSON in MLS application messages (sealing-protocol.md, 5).

Pure. Padding is the engine's. Reading never raises for what a member wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from conclave_sealing.keys import unb64

MAX_CONTENT = 32_768
MAX_TEXT = 4_000

Content = Mapping[str, Any]


def _text(most: int, least: int = 1) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def _bytes(length: int | None = None) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        try:
            unb64(value, length)
        except ValueError:
            return False
        return True

    return fits


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _colour(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 12


_ORDERS = {"mute", "ask-unmute", "stop-video", "stop-share", "lower-hand"}
_TALK: dict[str, dict[str, Callable[[object], bool]]] = {
    "chat": {"id": _bytes(16), "text": _text(MAX_TEXT)},
    "chat-edit": {"id": _bytes(16), "text": _text(MAX_TEXT)},
    "chat-delete": {"id": _bytes(16)},
    "chat-react": {"id": _bytes(16), "emoji": _text(32), "on": _flag},
}
_SPOKEN: dict[str, dict[str, Callable[[object], bool]]] = _TALK | {
    "profile": {"name": _text(64), "colour": _colour, "box": _bytes(32)},
    "beat": {"auth": _bytes(8), "roster": _bytes(8)},
    "bye": {},
    "react": {"emoji": _text(32)},
    "hand": {"up": _flag},
    "order": {"what": lambda value: value in _ORDERS, "to": _text(64)},
    "private": {"box": _bytes()},
    "link-held": {},
}
_WHISPERED: dict[str, dict[str, Callable[[object], bool]]] = _TALK | {
    "link": {"secret": _bytes(16), "fingerprint": _bytes(16)},
    "history": {"messages": lambda value: isinstance(value, list)},
}


def write_content(kind: str, **fields: object) -> bytes:
    """ValueError when it is longer than a message may be."""
    content = json.dumps({"v": 1, "k": kind, **fields}, ensure_ascii=False).encode()
    if len(content) > MAX_CONTENT:
        raise ValueError("longer than a message may be")
    return content


def _read(
    content: bytes, kinds: Mapping[str, Mapping[str, Callable[[object], bool]]]
) -> Content | None:
    if len(content) > MAX_CONTENT:
        return None
    try:
        found = json.loads(content.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or type(found.get("v")) is not int or found["v"] != 1:
        return None
    kind = found.get("k")
    fields = kinds.get(kind) if isinstance(kind, str) else None
    if fields is None or not all(fits(found.get(name)) for name, fits in fields.items()):
        return None
    return found


def read_content(content: bytes) -> Content | None:
    """None for what is no message, or of a kind unknown here."""
    return _read(content, _SPOKEN)


def read_private(content: bytes) -> Content | None:
    """The same for what was inside a `private`."""
    return _read(content, _WHISPERED)
