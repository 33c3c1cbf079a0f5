"""What proof of work at a crowded door costs: a browser's worker, and the server that checks it.

The product's own worker, as it is built, in Chromium: milliseconds for each difficulty that a door
asks for, and tries a second. From these the time of a phone with a quarter of that speed.

    .venv/bin/python bench/work_cost.py --rounds 20
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import browser as chrome
from figures import Json, record, spread, table
from playwright.sync_api import Browser
from servers import ROOT, start

from conclave.kernel.clock import SystemClock
from conclave.kernel.work import Toll
from conclave.sealing.door import LEAST_BITS, MOST_BITS
from conclave_sealing.work import do_work

PHONE = 4.0
PHONE_LIMIT_S = 3.0
SERVER_LIMIT_US = 100.0

# One task after the other, each with a challenge of its own: [milliseconds, tries].
_WORK = """
async ({ address, bits, rounds }) => {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
    const worker = new Worker(address, { type: 'module' });
    const challenge = crypto.getRandomValues(new Uint8Array(29));
    const digest = crypto.getRandomValues(new Uint8Array(32));
    const begun = performance.now();
    const nonce = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage({ challenge, digest, bits });
    });
    found.push([performance.now() - begun, new DataView(nonce.buffer).getUint32(4) + 1]);
    worker.terminate();
  }
  return found;
}
"""


def worker_address() -> str:
    manifest = json.loads((ROOT / "src/conclave/static/.build-manifest.json").read_text())
    del manifest  # workers have bundles of their own, which it does not name
    for script in (ROOT / "src/conclave/static/assets").glob("*.js"):
        text = script.read_text("utf-8")
        if "conclave work v1" in text and len(text) < 10_000:
            return f"/assets/{script.name}"
    message = "the client is not built: npm run build"
    raise RuntimeError(message)


def in_browser(browser: Browser, url: str, rounds: int) -> dict[int, list[tuple[float, int]]]:
    context = browser.new_context(bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(url)
        address = worker_address()
        page.evaluate(_WORK, {"address": address, "bits": 12, "rounds": 5})
        return {
            bits: page.evaluate(_WORK, {"address": address, "bits": bits, "rounds": rounds})
            for bits in range(LEAST_BITS, MOST_BITS + 1)
        }
    finally:
        context.close()


def at_server(runs: int) -> float:
    """Microseconds of processor to check one knock's work and to remember it."""
    toll = Toll(SystemClock())
    content = os.urandom(300)
    paid = []
    for _ in range(runs):
        challenge = toll.challenge("mtg_1", "198.51.100.7", 8)
        paid.append((challenge, do_work(challenge, 8, content)))
    before = time.process_time()
    for challenge, nonce in paid:
        assert toll.is_met("mtg_1", "198.51.100.7", content, challenge, nonce)
        toll.spend(challenge)
    return (time.process_time() - before) / runs * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--name", default="work_cost")
    options = parser.parse_args()
    assert (Path(ROOT) / "src/conclave/static/assets").is_dir()
    with start("conclave") as server, chrome.chromium() as browser:
        version = chrome.browser_version(browser)
        found = in_browser(browser, server.http_url, options.rounds)
    check_us = at_server(2_000)
    speeds = [tries / ms * 1000 for runs in found.values() for ms, tries in runs if tries > 10_000]
    speed = statistics.median(speeds)
    figures: Json = {
        "browser": version,
        "tries_per_second": round(speed),
        "milliseconds": {
            str(bits): spread([round(ms, 1) for ms, _ in runs]) for bits, runs in found.items()
        },
        "expected_ms": {str(bits): round(2**bits / speed * 1000) for bits in found},
        "expected_phone_ms": {str(bits): round(2**bits / speed * PHONE * 1000) for bits in found},
        "server_check_us": round(check_us, 1),
    }
    rows = [
        [
            f"{bits} bits",
            figures["milliseconds"][str(bits)]["median"],
            figures["milliseconds"][str(bits)]["max"],
            figures["expected_ms"][str(bits)],
            figures["expected_phone_ms"][str(bits)],
        ]
        for bits in found
    ]
    print(table(["work, ms", "median", "max", "on average", "at a quarter of the speed"], rows))
    print(f"{speed:.0f} tries a second; the server checks in {check_us:.0f} µs")
    print(f"written: {record(options.name, figures, ['conclave'])}")
    holds = {
        f"a phone needs at most {PHONE_LIMIT_S:.0f} s on average": figures["expected_phone_ms"][
            str(MOST_BITS)
        ]
        <= PHONE_LIMIT_S * 1000,
        f"the server checks in at most {SERVER_LIMIT_US:.0f} µs": check_us <= SERVER_LIMIT_US,
    }
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
