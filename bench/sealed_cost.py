"""What sealing costs a client's processor: a call of two at 720p and 30 frames, sealed and not.

Both calls run in the frame tests' page with the product's own frame worker, through the real
server, and take turns (A B A B). Each client sends camera and microphone and receives the other's.
Counted are the pages' own processes, where encoding, decoding and sealing happen, and of these the
threads of the workers, where nothing but sealing happens.

    .venv/bin/python bench/sealed_cost.py --runs 5
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import browser as chrome
from figures import Json, processor_seconds, ratio, record, spread, table
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.frames_page import KEY, SECRET, Member, PageServer, build_page, until
from tests.e2e.product import Product

CLIENTS = 2
LOOKED_INTO_ABOVE = 0.10
WARM_UP_S = 6.0
# The fake camera makes 20 frames a second unless told otherwise.
THIRTY_FRAMES = "--use-fake-device-for-media-stream=fps=30"
SCRIPT_TRANSFORM = "Object.defineProperty(navigator, 'userAgent', { get: () => 'Bench/1.0' });"
KINDS = {
    "unsealed": ("plain", ""),
    "sealed, streams": ("sealed", ""),
    "sealed, script transform": ("sealed", SCRIPT_TRANSFORM),
}


def workers(pid: int) -> float:
    """Seconds of processor of the worker threads of a page's process."""
    return sum(
        processor_seconds(thread)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        if (thread / "comm").read_text().startswith("DedicatedWorker")
    )


def call_once(
    browser: Browser, page: PageServer, product: Product, kind: str, seconds: float
) -> Json:
    """Parts of one core that one client uses, and what it sends."""
    mode, script = KINDS[kind]
    room = f"cost-{secrets.token_hex(4)}"
    page_url = f"{page.url}/index.html"
    before = set(chrome.renderers(browser))
    members = [Member(browser, page_url, product, name) for name in ("ada", "bo")]
    try:
        for one in members:
            one.prepare(script)
            one.join(
                room,
                ["ada", "bo"],
                mode=mode,
                careless=True,
                epoch=1 if mode == "sealed" else None,
                camera=True,
            )
        ada, bo = members
        until(lambda: ada.sees(bo) and bo.sees(ada), "both see each other")
        time.sleep(WARM_UP_S)
        mine = [pid for pid in chrome.renderers(browser) if pid not in before]

        def used() -> tuple[float, float]:
            spent = chrome.renderers(browser)
            return sum(spent[pid] for pid in mine), sum(workers(pid) for pid in mine)

        frames, sent = ada.seen(bo)["decoded"], ada.call("received", "bo")
        started, first = time.monotonic(), used()
        time.sleep(seconds)
        lasted, last = time.monotonic() - started, used()
        return {
            "cores": (last[0] - first[0]) / lasted / CLIENTS,
            "worker_cores": (last[1] - first[1]) / lasted / CLIENTS,
            "frames_a_second": (ada.seen(bo)["decoded"] - frames) / lasted,
            "kbit_a_second": (ada.call("received", "bo") - sent) * 8 / 1000 / lasted,
        }
    finally:
        for one in members:
            one.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--name", default="sealed_cost")
    options = parser.parse_args()
    found: dict[str, list[Json]] = {kind: [] for kind in KINDS}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        chrome.chromium(THIRTY_FRAMES) as browser,
    ):
        product = Product(Path(folder) / "data")
        product.environment["CONCLAVE_MEDIA__API_KEYS"] = f"{KEY}: {SECRET}"
        product.start()
        build_page(Path(folder) / "page")
        page = PageServer(Path(folder) / "page", product)
        try:
            for _ in range(options.runs):
                for kind, runs in found.items():
                    run = call_once(browser, page, product, kind, options.seconds)
                    runs.append(run)
                    print(f"  {kind:25} { ({k: round(v, 3) for k, v in run.items()}) }", flush=True)
        finally:
            page.close()
            product.close()
        version = chrome.browser_version(browser)
    figures: Json = {
        kind: {what: spread([run[what] for run in runs]) for what in runs[0]}
        for kind, runs in found.items()
    }
    base = figures["unsealed"]["cores"]["median"]
    rows, holds = [], {}
    for kind, runs in found.items():
        extra = [
            run["cores"] - plain["cores"]
            for run, plain in zip(runs, found["unsealed"], strict=True)
        ]
        figures[kind]["more_than_unsealed"] = spread(list(extra))
        figures[kind]["ratio"] = ratio(figures[kind]["cores"]["median"], base)
        rows.append(
            [
                kind,
                *(figures[kind][what]["median"] for what in runs[0]),
                statistics.median(extra),
                figures[kind]["ratio"],
            ]
        )
        if kind != "unsealed":
            holds[f"{kind}: at most {LOOKED_INTO_ABOVE:.0%} of a core more"] = (
                statistics.median(extra) <= LOOKED_INTO_ABOVE
            )
    head = ["one client", "cores", "of these workers", "frames/s", "kbit/s", "more", "ratio"]
    print(table(head, rows))
    document = {"browser": version, "runs": options.runs, "one_client": figures}
    print(f"written: {record(options.name, document, ['conclave'])}")
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'ABOVE'}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
