"""The door under attack: 200 knocks a second from 20 places, and people with personal links.

Each knock is a socket of its own, from one of 127.0.0.2 … 21, without the link; who is let stand at
the door stays there, who is asked for work goes (with `--paying`, so many of the places do it).
Meanwhile people with personal links come one after the other. Measured: how long each takes from
opening the socket to being inside; what the host sees; processor time and memory of the server. It
ends by itself.

    .venv/bin/python bench/door.py --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from figures import Json, processor_seconds, record, resident_mb, spread, table
from headless_room import HeadlessRoom, headless_room
from servers import Server, start
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from conclave_sealing.effects import Knocked
from conclave_sealing.keys import b64, unb64
from conclave_sealing.work import do_work

PLACES = [f"127.0.0.{number}" for number in range(2, 22)]
AT_ONCE = 400
PATIENCE_S = 5.0
INSIDE_LIMIT_S = 2.0
CPU_LIMIT = 0.5
MEMORY_LIMIT_MB = 100.0
DOOR_LIMIT = 200


# --- the attack, in a process of its own
class Attack:
    def __init__(self, url: str, meeting: str, instance: str, paying: int) -> None:
        self._url = f"{url}/api/v1/meetings/{meeting}/sealing"
        self._origin = url.replace("ws", "http", 1)
        self._instance = instance
        self._paying = set(PLACES[:paying])
        self.outcomes: Counter[str] = Counter()
        self._standing: list[ClientConnection] = []
        self._open = 0

    async def run(self, rate: int, seconds: float) -> None:
        begun = time.monotonic()
        knocks: set[asyncio.Task[None]] = set()
        for number in range(int(rate * seconds)):
            pause = begun + number / rate - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            if self._open >= AT_ONCE:
                self.outcomes["not sent: too many on their way"] += 1
                continue
            self._open += 1
            task = asyncio.create_task(self._knock(PLACES[number % len(PLACES)]))
            knocks.add(task)
            task.add_done_callback(knocks.discard)
        await asyncio.gather(*knocks)
        await asyncio.gather(*(socket.close() for socket in self._standing))

    async def _knock(self, place: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.outcomes[await self._try(place)] += 1
        except TimeoutError:
            self.outcomes["no answer in 5 s"] += 1
        except (WebSocketException, OSError):
            self.outcomes["refused at the handshake"] += 1
        finally:
            self._open -= 1

    async def _try(self, place: str) -> str:
        socket = await connect(
            self._url,
            additional_headers={"Origin": self._origin},
            local_addr=(place, 0),
            compression=None,
            proxy=None,
        )
        await socket.send(json.dumps({"t": "hello"}))
        await socket.recv()
        package = os.urandom(300)
        knock = {
            "t": "knock",
            "n": 1,
            "instance": self._instance,
            "key_package": b64(package),
            "intro": "",
            "proof": "",
            "sign": b64(bytes(64)),
        }
        answer = await self._ask(socket, knock)
        if answer.get("code") == "work" and place in self._paying:
            nonce = do_work(unb64(answer["challenge"]), answer["bits"], package)
            work = {"challenge": answer["challenge"], "nonce": b64(nonce)}
            answer = await self._ask(socket, knock | {"work": work})
        if answer["t"] == "ok":
            self._standing.append(socket)
            return "stands at the door"
        await socket.close()
        return f"answered {answer['code']}"

    @staticmethod
    async def _ask(socket: ClientConnection, frame: Json) -> Json:
        await socket.send(json.dumps(frame))
        while True:
            answer: Json = json.loads(await socket.recv())
            if answer["t"] in {"ok", "error"}:
                return answer


def attack(pipe: Connection, arguments: tuple[str, str, str, int], rate: int, s: float) -> None:
    attacking = Attack(*arguments)
    asyncio.run(attacking.run(rate, s))
    pipe.send(dict(attacking.outcomes))


# --- those who are expected
async def people(room: HeadlessRoom, seconds: float, kind: str) -> list[float]:
    """Seconds from opening the socket until inside, one person after the other."""
    until, took = time.monotonic() + seconds, []
    while time.monotonic() < until:
        name = f"{kind} {len(took) + 1}"
        bot = await room.invited(await room.invite(name), name)
        began = time.monotonic()
        async with bot:
            await bot.until(lambda each: each.is_inside, 30)
            took.append(time.monotonic() - began)
            await asyncio.sleep(1)
        await asyncio.sleep(1)
    return took


async def measure(server: Server, rate: int, seconds: float, paying: int) -> Json:
    task = Path(f"/proc/{server.pid}")
    async with headless_room(server) as room, room.host() as host:
        await host.until(lambda each: each.is_inside)
        quiet = await people(room, 6, "Early")
        instance = b64(host.member.facts.group_id) if host.member.facts else ""
        arguments = (server.url, room.link.meeting, instance, paying)
        mine, theirs = multiprocessing.Pipe()
        attacking = multiprocessing.Process(
            target=attack, args=(theirs, arguments, rate, seconds), daemon=True
        )
        most_at_door = 0
        before = processor_seconds(task), resident_mb(server.pid), time.monotonic()
        attacking.start()
        coming = asyncio.create_task(people(room, seconds, "Late"))
        peak = before[1]
        while not coming.done():
            await asyncio.sleep(0.1)
            most_at_door = max(most_at_door, len(host.member.plan.door))
            peak = max(peak, resident_mb(server.pid))
        took = await coming
        spent, lasted = processor_seconds(task) - before[0], time.monotonic() - before[2]
        outcomes = await asyncio.to_thread(mine.recv)
        await asyncio.to_thread(attacking.join, 10)
        await asyncio.sleep(2)
        return {
            "rate": rate,
            "seconds": seconds,
            "places": len(PLACES),
            "paying_places": paying,
            "knocks": outcomes,
            "invited_inside_s": spread(list(took)),
            "invited_inside_quiet_s": spread(list(quiet)),
            "host_saw_verified": sum(isinstance(told, Knocked) for told in host.told),
            "host_most_at_once": most_at_door,
            "host_ignored": host.member.ignored,
            "server_cores": round(spent / lasted, 3),
            "memory_mb": {
                "before": round(before[1], 1),
                "most": round(peak, 1),
                "after": round(resident_mb(server.pid), 1),
            },
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--paying", type=int, default=0, help="places that do the work")
    parser.add_argument("--name", default="door")
    options = parser.parse_args()
    with start("conclave", is_crowded=True) as server:
        figures = asyncio.run(measure(server, options.rate, options.seconds, options.paying))
        server.assert_alive()
    rows = [[outcome, count] for outcome, count in sorted(figures["knocks"].items())]
    print(table(["knocks", "count"], rows))
    print(json.dumps({name: value for name, value in figures.items() if name != "knocks"}))
    print(f"written: {record(options.name, figures, ['conclave'])}")
    inside, memory = figures["invited_inside_s"], figures["memory_mb"]
    standing = figures["knocks"].get("stands at the door", 0)
    holds = {
        f"who is invited is in within {INSIDE_LIMIT_S} s": inside["n"] > 0
        and inside["max"] <= INSIDE_LIMIT_S,
        f"at most {DOOR_LIMIT} reach the host": standing <= DOOR_LIMIT
        and figures["host_most_at_once"] <= DOOR_LIMIT,
        f"the server takes less than {CPU_LIMIT} of a core": figures["server_cores"] < CPU_LIMIT,
        f"its memory grows by at most {MEMORY_LIMIT_MB:.0f} MB": memory["most"] - memory["before"]
        <= MEMORY_LIMIT_MB,
    }
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
