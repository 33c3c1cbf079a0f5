"""What is said to the client: each frame of docs/reference/sealing-protocol.md, 7, as JSON text.

Bytes are passed on as the base64url in which they came. Must never hold a name or a link secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from conclave.sealing.doorkeeper import MemberRole, Ticket
from conclave.sealing.state import Knock, Seat


def text(t: str, /, **fields: Any) -> str:
    return json.dumps({"t": t, **fields}, separators=(",", ":"))


def ok(n: int, seq: int | None = None, ticket: Ticket | None = None) -> str:
    fields: dict[str, Any] = {"n": n}
    if seq is not None:
        fields["seq"] = seq
    if ticket is not None:
        fields["ticket"] = ticket_of(ticket)
    return text("ok", **fields)


def error(n: int | None, code: str, detail: str, **more: str | int) -> str:
    fields = {} if n is None else {"n": n}
    return text("error", **fields, code=code, detail=detail, **more)


def ticket_of(ticket: Ticket) -> Mapping[str, str]:
    return {"url": ticket.url, "token": ticket.token}


def with_ticket(welcome: str, ticket: Ticket) -> str:
    """A stored `welcome`, completed: tokens are made when they are sent, and never stored."""
    return json.dumps({**json.loads(welcome), "ticket": ticket_of(ticket)}, separators=(",", ":"))


def newcomer(welcome: str) -> tuple[str, MemberRole]:
    """For whom a stored `welcome` is: (identity, role)."""
    content = json.loads(welcome)
    identity = content["identity"]
    role = next(seat["role"] for seat in content["seats"] if seat["identity"] == identity)
    return identity, role


def knock(seat: str, content: Knock) -> str:
    return text(
        "knock",
        seat=seat,
        key_package=content.key_package,
        intro=content.intro,
        proof=content.proof,
        sign=content.sign,
        bound=content.bound or None,
        note=content.note or None,
    )


def seats(members: Iterable[Seat]) -> list[Mapping[str, Any]]:
    return [
        {
            "seat": seat.id,
            "identity": seat.identity,
            "is_live": seat.is_live,
            "role": seat.member_role,
        }
        for seat in members
    ]
