"""The chain: what an entry's hash is over. Pure.

`hash = SHA-256("conclave audit v1" || previous hash || entry)`, the entry as JSON (RFC 8259)
without spaces, keys in order, times in UTC with microseconds. Who has noted one hash can tell later
whether anything before it was changed, taken out or put in (docs/reference/audit-log.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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


def first_fault(links: Iterable[Link]) -> int | None:
    """The number of the first entry that does not fit the one before it; None: all of them do.

    The first of `links` may stand anywhere in the log: entries before it may have been dropped by
    age.
    """
    before: Link | None = None
    for link in links:
        number = link.entry.number
        if before is not None and (
            number != before.entry.number + 1 or link.previous != before.hash
        ):
            return number
        if number == 1 and link.previous != START:
            return number
        if hash_of(link.previous, link.entry) != link.hash:
            return number
        before = link
    return None
