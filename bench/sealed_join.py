"""Coming into a sealed room: from the click on Join by link to the first picture, and its cost.

With 3 members and with 50: a host with camera and microphone is in, and 1 or 48 headless members.
With 3 also so that both others are browsers which send camera and microphone: three of them then
encode and decode on this machine, which two cores hardly carry. Then, with 50 members, what one
coming and one going costs the browser of a host who sends nothing, and a headless member: processor
time above that of a quiet room of the same size.

    .venv/bin/python bench/sealed_join.py --rounds 10
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import browser as chrome
import meeting
from crowd import Crowd, crowd
from figures import Json, processor_seconds, record, spread, table
from playwright.sync_api import Browser, Page
from servers import start

PATIENCE_MS = 30_000
LIMIT_MS = {"3 members": 800.0, "3 members, all browsers": 800.0, "50 members": 1500.0}
LIMIT_CPU_MS = 60.0
SETTLE_S = 1.5
QUIET_S = 10.0


def clicks(browser: Browser, rounds: int, headless: int) -> list[float]:
    """With that many headless members in the room; 0: with another guest's page."""
    with start("conclave") as server, meeting.room(browser, server) as (host, link):
        if headless:
            with crowd(server, link, headless) as members:
                print(f"  {members.count} headless in, within {members.all_in_s:.1f} s", flush=True)
                host.wait_for_timeout(2_000)
                return _click(browser, link, rounds)
        with meeting.guest(browser, link, "Resident") as resident:
            _enter(resident)
            return _click(browser, link, rounds)


def _enter(page: Page) -> None:
    page.get_by_role("button", name="Join", exact=True).click()
    page.get_by_role("button", name="Leave").wait_for()
    page.wait_for_timeout(2_000)


def _click(browser: Browser, link: str, rounds: int) -> list[float]:
    found = []
    for number in range(rounds + 1):
        took = meeting.click_join(browser, link, PATIENCE_MS)
        print(f"  {took:.0f} ms{'' if number else ' (not counted)'}", flush=True)
        found.append(took)
    return found[1:]


def cost(browser: Browser, rounds: int, headless: int) -> Json:
    """Milliseconds of one core for each coming and each going."""
    with (
        start("conclave") as server,
        meeting.room(browser, server, devices=False) as (host, link),
        crowd(server, link, headless) as members,
    ):
        host.wait_for_timeout(3_000)
        quiet = _used(browser, members, lambda: time.sleep(QUIET_S))
        per_second = {who: spent / QUIET_S for who, (spent, _) in quiet.items()}
        found: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            for what, act in (("coming", members.come), ("going", members.go)):
                spent = _used(browser, members, act)
                for who, (used, lasted) in spent.items():
                    share = 1 if who == "browser" else headless
                    above = (used - per_second[who] * lasted) * 1000 / share
                    if number:
                        found.setdefault(f"{who}, {what}", []).append(above)
    return {
        **{name: spread(list(values)) for name, values in found.items()},
        "quiet room, ms a second": {
            "browser": round(per_second["browser"] * 1000, 1),
            "headless": round(per_second["headless"] * 1000 / headless, 2),
        },
    }


def _used(
    browser: Browser, members: Crowd, act: Callable[[], object]
) -> dict[str, tuple[float, float]]:
    """Seconds of processor and of time, of the host's page and of the crowd, until all is calm."""
    started, before = time.monotonic(), (_of_pages(browser), _of_process(members.pid))
    act()
    time.sleep(SETTLE_S)
    after, lasted = (_of_pages(browser), _of_process(members.pid)), time.monotonic() - started
    return {
        "browser": (after[0] - before[0], lasted),
        "headless": (after[1] - before[1], lasted),
    }


def _of_pages(browser: Browser) -> float:
    return sum(chrome.renderers(browser).values())


def _of_process(pid: int) -> float:
    return processor_seconds(Path(f"/proc/{pid}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--name", default="sealed_join")
    options = parser.parse_args()
    headless = options.members - 2
    with chrome.chromium() as browser:
        version = chrome.browser_version(browser)
        times = {
            "3 members": clicks(browser, options.rounds, 1),
            "3 members, all browsers": clicks(browser, options.rounds, 0),
            f"{options.members} members": clicks(browser, options.rounds, headless),
        }
        spent = cost(browser, options.rounds, headless)
    figures: Json = {
        "browser": version,
        "click_to_picture_ms": {case: spread(list(found)) for case, found in times.items()},
        "processor_ms": spent,
    }
    print(
        table(
            ["click on Join to picture, ms", "median", "min", "max"],
            [
                [case, spread(list(found))["median"], min(found), max(found)]
                for case, found in times.items()
            ],
        )
    )
    print(figures["processor_ms"])
    print(f"written: {record(options.name, figures, ['conclave'])}")
    holds = {
        f"{case}: at most {LIMIT_MS[case]:.0f} ms": (spread(list(found))["median"] or 0)
        <= LIMIT_MS[case]
        for case, found in times.items()
        if case in LIMIT_MS
    }
    holds[f"a coming costs a member at most {LIMIT_CPU_MS:.0f} ms"] = all(
        spent[f"{who}, coming"]["median"] <= LIMIT_CPU_MS for who in ("browser", "headless")
    )
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
