"""From `room.connect()` to the first decoded remote picture, in headless Chromium, interleaved.

A publisher with a fake camera is in the room already; a viewer in a fresh page of the same browser
joins. Steps: signal (the join message is there), connected (connect() resolves), subscribed (the
track is there), picture (requestVideoFrameCallback). Each is measured twice: the viewer only
watches, and the viewer publishes a camera and a microphone at the same time. With ours also: from
the click on Join in the product's own page, which publishes both, to the other one's first picture.

    .venv/bin/python bench/join_time.py --rounds 10
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import Any

import browser as chrome
import meeting
from figures import Json, ratio, record, spread, table
from playwright.sync_api import Browser, Error
from servers import Server, livekit_binary, start

PATIENCE_MS = 15_000
STEPS = ("signal_ms", "connected_ms", "subscribed_ms", "picture_ms")
PICTURE_AIM_MS = 200.0
CLICK_LIMIT_MS = 800.0


def view_once(
    browser: Browser, page_url: str, server: Server, room: str, *, publishes: bool
) -> Json:
    """One viewer's steps in milliseconds, with a publisher there before."""
    target: dict[str, Any] = {"url": server.url}
    with (
        chrome.fresh_page(browser, page_url) as publisher,
        chrome.fresh_page(browser, page_url) as viewer,
    ):
        publisher.evaluate(chrome.PUBLISH, {**target, "token": chrome.mint(server, "pub", room)})
        # Encoder and key frame interval settle before the viewer comes.
        publisher.wait_for_timeout(1_500)
        token = chrome.mint(server, "view", room)
        steps: Json = viewer.evaluate(
            chrome.VIEW,
            {**target, "token": token, "patience": PATIENCE_MS, "publishes": publishes},
        )
        for page in (viewer, publisher):
            page.evaluate(chrome.LEAVE)
    return steps


def product_clicks(browser: Browser, server: Server, rounds: int) -> list[float]:
    """From the click on Join in the product's page to the host's first picture."""
    with meeting.room(browser, server) as (_host, link):
        return [meeting.click_join(browser, link, PATIENCE_MS) for _ in range(rounds)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--server", action="append", choices=["conclave", "livekit"])
    parser.add_argument("--name", default="join_time")
    options = parser.parse_args()
    names = options.server or ["conclave", "livekit"]
    if "livekit" in names and livekit_binary() is None:
        print("livekit-server is not installed (LIVEKIT_SERVER): measuring ours alone")
        names = [name for name in names if name != "livekit"]
    if not chrome.has_client():
        print("livekit-client is not in web/node_modules: run make setup")
        return 2
    found: dict[str, list[Json]] = {name: [] for name in names}
    publishing: dict[str, list[Json]] = {name: [] for name in names}
    measured = {"watching": found, "publishing": publishing}
    failures: list[str] = []
    clicks: list[float] = []
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(start(name)) for name in names]
        page_url = stack.enter_context(chrome.page_server())
        browser = stack.enter_context(chrome.chromium())
        version = chrome.browser_version(browser)
        # The first join of a browser loads codecs; it is not counted.
        for number in range(options.rounds + 1):
            for server in servers:
                for kind, runs in measured.items():
                    try:
                        steps = view_once(
                            browser,
                            page_url,
                            server,
                            f"join-{number}-{kind}",
                            publishes=kind == "publishing",
                        )
                    except Error as error:
                        failures.append(f"{server.name}: {error.message.splitlines()[0]}")
                        print(f"  {failures[-1]}", flush=True)
                        continue
                    if number > 0:
                        runs[server.name].append(steps)
                        print(f"  {server.name:9} {kind:10} {_rounded(steps)}", flush=True)
        for server in servers:
            if server.name == "conclave" and server.operator_link:
                try:
                    clicks = product_clicks(browser, server, options.rounds)
                except Error as error:
                    failures.append(f"the product's page: {error.message.splitlines()[0]}")
                    print(f"  {failures[-1]}", flush=True)
    return report(options, version, measured, clicks, failures)


def report(
    options: argparse.Namespace,
    version: str,
    measured: dict[str, dict[str, list[Json]]],
    clicks: list[float],
    failures: list[str],
) -> int:
    by_server, by_publisher = (
        {
            name: {step: spread([run.get(step) for run in runs]) for step in STEPS}
            for name, runs in measured[kind].items()
        }
        for kind in ("watching", "publishing")
    )
    rows = [
        [f"{name}, {kind}", *(steps[step]["median"] for step in STEPS)]
        for kind, figures_of in (("watching", by_server), ("publishing", by_publisher))
        for name, steps in figures_of.items()
    ]
    print(table(["median of", *STEPS], rows))
    pictures = {name: steps["picture_ms"]["median"] for name, steps in by_server.items()}
    ours, theirs = pictures.get("conclave"), pictures.get("livekit")
    figures: Json = {
        "browser": version,
        "livekit_client": chrome.client_version(),
        "rounds": options.rounds,
        "servers": by_server,
        "servers_while_publishing": by_publisher,
        "picture_ratio": ratio(ours, theirs),
        "click_to_picture_ms": spread(list(clicks)),
        "failures": failures,
    }
    print(f"click on Join to picture: {figures['click_to_picture_ms']}")
    print(f"written: {record(options.name, figures, list(by_server))}")
    click = figures["click_to_picture_ms"]["median"]
    holds = {"no failure": not failures}
    if ours is not None:
        holds[f"picture within {PICTURE_AIM_MS:.0f} ms (an aim)"] = ours <= PICTURE_AIM_MS
    if ours is not None and theirs is not None:
        holds["sooner than livekit-server"] = ours < theirs
    if click is not None:
        holds[f"click within {CLICK_LIMIT_MS:.0f} ms"] = click <= CLICK_LIMIT_MS
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if not failures else 1


def _rounded(steps: Json) -> Json:
    return {step: round(value) for step, value in steps.items()}


if __name__ == "__main__":
    sys.exit(main())
