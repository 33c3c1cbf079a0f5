"""Can somebody who guesses learn from the time of an answer whether a meeting's id exists?

Ids that were never given to a meeting and of one that has ended, asked in turn by random order.
Beside them one that is none by its form, which is answered with the same bytes and sooner (who asks
sees that by themselves), and one that is open, to whoever has its id: 128 random bits.

For the two things that anybody may ask: `GET` of the meeting, and the handshake of its socket. Each
pair of kinds is compared by medians and by a rank test
(Mann-Whitney, normal approximation).

    .venv/bin/python bench/probing.py --rounds 2000
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import random
import secrets
import statistics
import sys
import time
from base64 import b64encode
from itertools import combinations
from math import erfc, sqrt

from figures import Json, record, table
from headless_room import headless_room
from servers import Server, start

LIMIT_US = 50.0
NOWHERE = ("unknown", "ended", "malformed")
"""Answered with the same bytes."""
HIDDEN = ("unknown", "ended")
"""Who asks cannot know which of these it is: the time must not tell either."""
LEVEL = 0.001


async def ids(server: Server) -> dict[str, str]:
    async with headless_room(server) as room:
        ended = await room.browser.post("/api/v1/meetings")
        await room.browser.post(f"/api/v1/meetings/{ended.json()['id']}/end")
        drawn = "".join(secrets.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in range(25))
        # The last character of an id has fewer values.
        unknown = f"mtg_{ended.json()['id'][4]}{drawn}"
        return {
            "unknown": unknown,
            "ended": ended.json()["id"],
            "malformed": f"mtg_{'u' * 26}",
            "open": room.link.meeting,
        }


def get(connection: http.client.HTTPConnection, meeting: str) -> tuple[int, bytes]:
    connection.request("GET", f"/api/v1/meetings/{meeting}")
    answer = connection.getresponse()
    return answer.status, answer.read()


def handshake(server: Server, meeting: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(
            "GET",
            f"/api/v1/meetings/{meeting}/sealing",
            headers={
                "Origin": f"http://127.0.0.1:{server.port}",
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": b64encode(secrets.token_bytes(16)).decode(),
            },
        )
        answer = connection.getresponse()
        return answer.status, b"" if answer.status == 101 else answer.read()
    finally:
        connection.close()


def rank_test(one: list[float], two: list[float]) -> float:
    """Two-sided p of Mann-Whitney's U; ties are as good as none in times of nanoseconds."""
    ranks = {at: rank for rank, at in enumerate(sorted(range(len(one) + len(two)), key=[*one, *two].__getitem__), 1)}  # fmt: skip  # noqa: E501
    n, m = len(one), len(two)
    u = sum(ranks[at] for at in range(n)) - n * (n + 1) / 2
    z = (u - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return erfc(abs(z) / sqrt(2))


def measure(server: Server, route: str, known: dict[str, str], rounds: int) -> Json:
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    times: dict[str, list[float]] = {kind: [] for kind in known}
    answers: dict[str, set[tuple[int, bytes]]] = {kind: set() for kind in known}
    order = random.Random(1)  # noqa: S311
    for number in range(rounds + 50):
        for kind in order.sample(list(known), len(known)):
            began = time.perf_counter()
            is_get = route == "GET"
            answer = get(kept, known[kind]) if is_get else handshake(server, known[kind])
            if number >= 50:
                times[kind].append((time.perf_counter() - began) * 1e6)
                answers[kind].add(answer)
    kept.close()
    first = answers[NOWHERE[0]]
    return {
        "rounds": rounds,
        "same_bytes": all(answers[kind] == first and len(first) == 1 for kind in NOWHERE),
        "median_us": {kind: round(statistics.median(found), 1) for kind, found in times.items()},
        "pairs": {
            f"{one} and {two}": {
                "difference_us": round(
                    statistics.median(times[one]) - statistics.median(times[two]), 1
                ),
                "p": float(f"{rank_test(times[one], times[two]):.3g}"),
            }
            for one, two in combinations(known, 2)
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--name", default="probing")
    options = parser.parse_args()
    with start("conclave") as server:
        known = asyncio.run(ids(server))
        found = {
            route: measure(server, route, known, options.rounds) for route in ("GET", "socket")
        }
    for route, figures in found.items():
        rows = [
            [f"{route}: {pair}", each["difference_us"], each["p"]]
            for pair, each in figures["pairs"].items()
        ]
        print(table(["ids", "difference of medians, µs", "p"], rows))
        print(figures["median_us"])
    print(f"written: {record(options.name, {'routes': found}, ['conclave'])}")
    holds = {}
    for route, figures in found.items():
        holds[f"{route}: the same bytes"] = figures["same_bytes"]
        for one, two in combinations(HIDDEN, 2):
            pair = figures["pairs"][f"{one} and {two}"]
            holds[f"{route}: the time tells {one} from {two} by no more than chance"] = (
                pair["p"] > LEVEL or abs(pair["difference_us"]) <= LIMIT_US
            )
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
