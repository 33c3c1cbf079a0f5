"""A person with a browser: what they press, what they see and what they hear.

Everything is found by role and name, as assistive technology finds it. What is seen is counted in
decoded frames; what is heard is measured as a spectrum of the sound that the page plays.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, WebSocket, expect

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

# Replaces the sound of every microphone by a tone, so that people can be told apart by ear.
TONE_SCRIPT = """
(() => {
  const frequency = %FREQUENCY%;
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    const [microphone] = stream.getAudioTracks();
    if (!microphone) return stream;
    const context = new AudioContext();
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const output = context.createMediaStreamDestination();
    oscillator.frequency.value = frequency;
    gain.gain.value = 0.4;
    oscillator.connect(gain).connect(output);
    oscillator.start();
    const [tone] = output.stream.getAudioTracks();
    const settings = microphone.getSettings.bind(microphone);
    tone.getSettings = () => ({ ...settings(), sampleRate: 48000 });
    const stop = tone.stop.bind(tone);
    tone.stop = () => {
      microphone.stop();
      stop();
      if (context.state !== 'closed') void context.close();
    };
    stream.removeTrack(microphone);
    stream.addTrack(tone);
    return stream;
  };
})();
"""

_FRAMES_SCRIPT = """
() => Object.fromEntries(
  [...document.querySelectorAll('[data-identity] video')].map((video) => [
    video.closest('[data-identity]').dataset.identity,
    video.getVideoPlaybackQuality().totalVideoFrames,
  ]))
"""

# The element may be another one after a reconnect: then the count starts anew.
_MOVING_SCRIPT = """
async ([name, patience]) => {
  const end = performance.now() + patience;
  let seen = null;
  let first = 0;
  while (performance.now() < end) {
    const video = [...document.querySelectorAll('[data-identity]')]
      .filter((tile) => tile.textContent.includes(name))
      .map((tile) => tile.querySelector('video'))
      .find((element) => element?.checkVisibility());
    const frames = video ? video.getVideoPlaybackQuality().totalVideoFrames : 0;
    if (video !== seen) [seen, first] = [video, frames];
    else if (video && frames >= first + 5) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
"""

_SPECTRUM_SCRIPT = """
async (frequencies) => {
  const streams = [...document.querySelectorAll('audio')]
    .map((element) => element.srcObject)
    .filter((stream) => stream && stream.getAudioTracks().length > 0);
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 16384;
  analyser.smoothingTimeConstant = 0;
  for (const stream of streams) context.createMediaStreamSource(stream).connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 900));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  await context.close();
  const width = 48000 / 16384;
  return frequencies.map((frequency) => {
    const centre = Math.round(frequency / width);
    return Math.max(...bins.slice(centre - 3, centre + 4));
  });
}
"""


class Person:
    """`tone` is the frequency in Hz that everybody else should hear from them."""

    def __init__(
        self,
        browser: Browser,
        name: str,
        *,
        tone: float = 440.0,
        language: str = "en-GB",
        dark: bool = False,
        phone: bool = False,
        permissions: tuple[str, ...] = ("camera", "microphone"),
    ) -> None:
        self.name = name
        self.tone = tone
        self.context = browser.new_context(
            locale=language,
            color_scheme="dark" if dark else "light",
            viewport={"width": 390, "height": 844} if phone else {"width": 1440, "height": 900},
            has_touch=phone,
            permissions=list(permissions),
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(TONE_SCRIPT.replace("%FREQUENCY%", str(tone)))
        self.requests: list[Request] = []
        self.sockets: list[str] = []
        self.frames_seen: list[str | bytes] = []
        self.complaints: list[str] = []
        self.context.on("request", self._note)
        self.page: Page = self.context.new_page()
        self.page.on("websocket", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if "Content Security Policy" in message.text or "TrustedHTML" in message.text
                else None
            ),
        )

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def _listen(self, socket: WebSocket) -> None:
        self.sockets.append(socket.url)
        socket.on("framesent", self._keep)
        socket.on("framereceived", self._keep)

    def _keep(self, frame: str | bytes) -> None:
        self.frames_seen.append(frame)

    # --- doors
    def open(self, url: str) -> None:
        self.page.goto(url)

    def become_operator(self, link: str) -> None:
        self.page.goto(link)
        expect(self.button("Start a room now")).to_be_visible()

    def start_room(self) -> str:
        """Press "Start a room now"; the whole guest link, as the door offers it."""
        self.button("Start a room now").click()
        self.page.wait_for_url(re.compile(r"/m/mtg_"))
        link = self.page.locator(".door__link")
        expect(link).to_have_text(re.compile(r"/m/mtg_\w+#1\.[\w-]{22}\.[\w-]{22}$"))
        return str(link.inner_text())

    def join(self, url: str | None = None) -> None:
        if url:
            self.page.goto(url)
        self.page.get_by_label("Your name").fill(self.name)
        self.button("Join", exact=True).click()
        expect(self.button("Leave")).to_be_visible()

    # --- what is pressed
    def button(self, name: str | re.Pattern[str], *, exact: bool = False) -> Any:
        return self.page.get_by_role("button", name=name, exact=exact)

    def press(self, name: str | re.Pattern[str], *, exact: bool = False) -> None:
        self.button(name, exact=exact).first.click()

    # --- what is seen and heard
    def tile(self, name: str) -> Any:
        return self.page.locator("[data-identity]").filter(has_text=name)

    def frames(self) -> dict[str, int]:
        """Decoded frames by identity, of every tile that shows a picture."""
        return dict(self.page.evaluate(_FRAMES_SCRIPT))

    def expect_moving(self, *names: str) -> None:
        """Each of the named people's pictures gains at least five decoded frames."""
        for name in names:
            moves = self.page.evaluate(_MOVING_SCRIPT, [name, PATIENCE_MS])
            assert moves, f"{self.name} does not see {name} moving: {self.frames()}"

    def hears(self, *tones: float) -> list[float]:
        """Level in dB of each frequency in the sound that this page plays."""
        return list(self.page.evaluate(_SPECTRUM_SCRIPT, list(tones)))

    def expect_hearing(self, tones: list[float], *, silent: list[float] | None = None) -> None:
        """Every one of `tones` stands out by 25 dB from a frequency that nobody sends."""
        silent = silent or []
        levels: list[float] = []
        for _ in range(12):
            *levels, floor = self.hears(*tones, *silent, 3210.0)
            heard, unheard = levels[: len(tones)], levels[len(tones) :]
            threshold = max(floor, -110.0) + 25
            if all(level > threshold for level in heard) and all(
                level < threshold for level in unheard
            ):
                return
        message = f"{self.name} hears {levels} at {tones} and {silent}"
        raise AssertionError(message)

    def expect_sealed(self) -> None:
        expect(self.button("Sealed. What this means")).to_be_visible()

    def codes(self) -> tuple[str, str]:
        """The room words and the room number, as the seal's dialog shows them."""
        self.press("Sealed. What this means")
        dialog = self.page.get_by_role("dialog", name="This room is sealed.")
        # They are computed when the dialog opens.
        for part in (".words b", ".digits span"):
            expect(dialog.locator(part).first).not_to_be_empty()
        words = " ".join(dialog.locator(".words b").all_inner_texts())
        number = "".join(dialog.locator(".digits span").all_inner_texts())
        dialog.get_by_role("button", name="Words match").click()
        return words, number

    # --- what is written
    def open_chat(self) -> None:
        self.press(re.compile("^Chat"))
        expect(self.page.get_by_role("log", name="Messages")).to_be_visible()

    def write(self, text: str, *, only_to: str | None = None) -> None:
        if only_to is not None:
            self.press("To everyone")
            self.page.get_by_role("menuitemradio", name=only_to).click()
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.press("Send", exact=True)
        expect(self.message(text)).to_be_visible()

    def message(self, text: str) -> Any:
        return self.page.locator("[data-message]").filter(has_text=text)

    # --- what must never happen
    def assert_stayed_home(self) -> None:
        """Not one request went to another host, and the browser refused nothing of ours."""
        foreign = {
            request.url
            for request in self.requests
            if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"}
            and urlsplit(request.url).hostname not in {"localhost", "127.0.0.1"}
        }
        assert not foreign, foreign
        assert not self.complaints, self.complaints

    def close(self) -> None:
        self.context.close()
