"""Key changes under media: ten people come and go in a row, two stay and watch each other.

In the product's pages, with camera and a steady tone: the longest time for which the other's
picture stood still, and for which the tone could not be heard. Once with headless members who come
and go, once with whole browsers (which load the page and encode video on the same two cores).

    .venv/bin/python bench/sealed_churn.py --times 10
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import browser as chrome
import meeting
from crowd import crowd
from figures import Json, record, table
from playwright.sync_api import Browser, Page
from servers import Server, start

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.person import TONE_SCRIPT

STANDSTILL_LIMIT_MS = 1000.0
SILENCE_LIMIT_MS = 300.0
QUIET_MS = 10_000

# Watches every picture of somebody else and all sound, from now on. A tone of amplitude 0.4 has a
# mean square far above the threshold; a window of 512 samples is 11 ms of sound.
_WATCH = """
async () => {
  const seen = window.seen = { standstill: 0, silence: 0, frames: 0, looks: 0, longestLook: 0 };
  const videos = [...document.querySelectorAll('.tile[data-identity] video')]
    .filter((video) => video.srcObject && !video.closest('.tile').textContent.includes('(you)'));
  for (const video of videos) {
    let last = performance.now();
    const onFrame = (now) => {
      seen.frames += 1;
      seen.standstill = Math.max(seen.standstill, now - last);
      last = now;
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  for (const element of document.querySelectorAll('audio')) {
    if (element.srcObject?.getAudioTracks().length) {
      context.createMediaStreamSource(element.srcObject).connect(analyser);
    }
  }
  const samples = new Float32Array(analyser.fftSize);
  let [heard, looked] = [performance.now() + 500, performance.now()];
  setInterval(() => {
    const now = performance.now();
    seen.looks += 1;
    seen.longestLook = Math.max(seen.longestLook, now - looked);
    looked = now;
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    if (power > 1e-4) heard = Math.max(heard, now);
    else seen.silence = Math.max(seen.silence, now - heard);
  }, 10);
  return videos.length;
}
"""
_RESET = "() => Object.assign(window.seen, { standstill: 0, silence: 0, longestLook: 0 })"
_READ = "() => ({ ...window.seen })"


def watched(pages: list[Page], act: Callable[[], None]) -> list[Json]:
    for page in pages:
        page.evaluate(_RESET)
    act()
    return [page.evaluate(_READ) for page in pages]


def with_headless(server: Server, pages: list[Page], link: str, times: int) -> list[Json]:
    def come_and_go() -> None:
        for _ in range(times):
            members.come()
            pages[0].wait_for_timeout(300)
            members.go()
            pages[0].wait_for_timeout(300)

    with crowd(server, link, 1) as members:
        pages[0].wait_for_timeout(2_000)
        return watched(pages, come_and_go)


def with_browsers(browser: Browser, pages: list[Page], link: str, times: int) -> list[Json]:
    def come_and_go() -> None:
        for _ in range(times):
            meeting.click_join(browser, link, 30_000)

    return watched(pages, come_and_go)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--name", default="sealed_churn")
    options = parser.parse_args()
    with start("conclave") as server, chrome.chromium() as browser:
        version = chrome.browser_version(browser)
        tone = TONE_SCRIPT.replace("%FREQUENCY%", "440")
        with (
            meeting.room(browser, server, script=tone) as (host, link),
            meeting.guest(browser, link, "Resident", script=tone) as resident,
        ):
            resident.get_by_role("button", name="Join", exact=True).click()
            resident.get_by_role("button", name="Leave").wait_for()
            pages = [host, resident]
            host.wait_for_timeout(4_000)
            for page in pages:
                count = page.evaluate(_WATCH)
                assert count == 1, f"{count} pictures of others instead of one"
            host.wait_for_timeout(1_000)
            found = {
                "nobody": watched(pages, lambda: host.wait_for_timeout(QUIET_MS)),
                "headless members": with_headless(server, pages, link, options.times),
                "browsers": with_browsers(browser, pages, link, options.times),
            }
    rows = [
        [f"{who} come and go, seen by {name}", round(each["standstill"]), round(each["silence"])]
        for who, both in found.items()
        for name, each in zip(("host", "guest"), both, strict=True)
    ]
    print(table(["longest, ms", "standstill", "silence"], rows))
    print(found)
    figures: Json = {"browser": version, "times": options.times, "longest_ms": found}
    print(f"written: {record(options.name, figures, ['conclave'])}")
    holds = {}
    for who, both in found.items():
        name = f"{who} come and go"
        holds[f"{name}: no standstill above {STANDSTILL_LIMIT_MS:.0f} ms"] = all(
            each["standstill"] <= STANDSTILL_LIMIT_MS for each in both
        )
        holds[f"{name}: no silence above {SILENCE_LIMIT_MS:.0f} ms"] = all(
            each["silence"] <= SILENCE_LIMIT_MS for each in both
        )
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
