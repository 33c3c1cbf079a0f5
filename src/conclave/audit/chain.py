"""The chain: what an entry's hash is over. Pure.

`hash = SHA-256("conclave audit v1" || previous hash || entry)`, the entry as JSON (RFC 8259)
without spaces, keys in order, times in UTC with microseconds. Who has noted one hash can tell later
whether anything before it was changed, taken out or put in (docs/reference/audit-log.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

START = bytes(32)
"""Before the first entry."""
_LABEL = b"conclave audit v1"


@dataclass(frozen=True, slots=True)
class Entry:
    org_id: str
    number: int
    event_id: str
    at: datetime
    type: str
    user_id: str | None
    meeting_id: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is stored."""

    entry: Entry
    previous: bytes
    hash: bytes


def hash_of(previous: bytes, entry: Entry) -> bytes:
    written = json.dumps(
        {
            "org_id": entry.org_id,
            "number": entry.number,
            "event_id": entry.event_id,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "type": entry.type,
            "user_id": entry.user_id,
            "meeting_id": entry.meeting_id,
            "details": dict(entry.details),
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return sha256(_LABEL + previous + written.encode()).digest()


def fits(before: Link | None, link: Link) -> bool:
    """Whether `link` is what it says, and comes after `before`.

    None: it is the first that there is, which may stand anywhere in the log: entries before it may
    have been dropped by age.
    """
    number = link.entry.number
    if before is not None and (number != before.entry.number + 1 or link.previous != before.hash):
        return False
    if number == 1 and link.previous != START:
        return False
    return hash_of(link.previous, link.entry) == link.hash
