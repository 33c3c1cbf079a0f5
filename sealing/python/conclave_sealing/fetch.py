"""What a personal link leads to at the server, before anybody knocks (docs/reference/http-api.md).

Asks the one server that it is given, and follows nothing.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from conclave_sealing.invitation import invitation_id, invitation_key
from conclave_sealing.keys import Link, b64, public_half, unb64

MAX_ANSWER = 16_384
TIMEOUT_S = 10.0


async def fetch_invitation(
    server: str, link: Link, *, tls: ssl.SSLContext | None = None
) -> bytes | None:
    """The encoded Invitation of the link's seed, for `Member(invitation=…)`, which checks it.

    `server`: as for `Bot`, `ws://` or `wss://`. None where the link has no seed, or the server has
    no invitation to give; OSError when it cannot be reached.
    """
    if link.seed is None:
        return None
    key = public_half(invitation_key(link.meeting, link.seed))
    path = f"/api/v1/meetings/{quote(link.meeting, safe='')}/invitations/{b64(invitation_id(key))}"
    answer = await asyncio.to_thread(_get, server, path, tls)
    try:
        found = None if answer is None else json.loads(answer)
        return unb64(found["certificate"]) if isinstance(found, dict) else None
    except (ValueError, KeyError, RecursionError):
        return None


def _get(server: str, path: str, tls: ssl.SSLContext | None) -> bytes | None:
    address = urlsplit(server)
    host, port = address.hostname or "", address.port
    connection = (
        HTTPSConnection(host, port, timeout=TIMEOUT_S, context=tls)
        if address.scheme == "wss"
        else HTTPConnection(host, port, timeout=TIMEOUT_S)
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        content = response.read(MAX_ANSWER + 1)
    except HTTPException:
        return None
    finally:
        connection.close()
    return content if response.status == 200 and len(content) <= MAX_ANSWER else None
