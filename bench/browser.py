"""Headless Chromium for benchmarks: fake devices, loopback candidates, a page with livekit-client.

The page is served from a port of its own, so a server under measurement is used from another
origin, as LiveKit clients do. Nothing is fetched from another host: livekit-client comes from
`web/node_modules`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from servers import API_KEY, ROOT, Server

CLIENT = ROOT / "web" / "node_modules" / "livekit-client"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
]

_PAGE = """<!doctype html><meta charset="utf-8"><title>bench</title>
<script src="/livekit-client.umd.js"></script><body></body>"""

# Publishes the fake camera and resolves once it is published.
PUBLISH = """
async ({ url, token }) => {
  const room = new LivekitClient.Room({
    adaptiveStream: false, dynacast: false, singlePeerConnection: true,
  });
  window.room = room;
  await room.connect(url, token);
  const track = await LivekitClient.createLocalVideoTrack({
    resolution: { width: 640, height: 360, frameRate: 30 },
  });
  await room.localParticipant.publishTrack(track, {
    simulcast: false, videoCodec: 'vp8', videoEncoding: { maxBitrate: 800_000, maxFramerate: 30 },
  });
}
"""

# Joins; milliseconds from the call of connect() to each step, the first picture last. With
# `publishes`, camera and microphone run before and are published at the join message, as the
# product's page does, with its encoding.
VIEW = """
async ({ url, token, patience, publishes }) => {
  const room = new LivekitClient.Room({
    adaptiveStream: false, dynacast: false, singlePeerConnection: true,
  });
  window.room = room;
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  document.body.append(video);
  const own = publishes
    ? await LivekitClient.createLocalTracks({
        audio: true, video: { resolution: { width: 1280, height: 720, frameRate: 30 } },
      })
    : [];
  const publish = (track) => room.localParticipant.publishTrack(track, {
    simulcast: false, videoCodec: 'vp8', backupCodec: false, dtx: true, red: false,
    videoEncoding: { maxBitrate: 1_700_000, maxFramerate: 30 },
  });
  let published = Promise.resolve();
  if (publishes) {
    // The capture is running and shown when people press Join.
    const mirror = document.createElement('video');
    mirror.muted = true;
    own.find((track) => track.kind === 'video').attach(mirror);
    document.body.append(mirror);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    room.once(LivekitClient.RoomEvent.SignalConnected, () => {
      published = Promise.all(own.map(publish));
    });
  }
  const steps = {};
  let start = 0;
  const mark = (step) => { steps[step] ??= performance.now() - start; };
  const picture = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no picture; got ' + JSON.stringify(steps))), patience);
    room.on(LivekitClient.RoomEvent.SignalConnected, () => mark('signal_ms'));
    room.on(LivekitClient.RoomEvent.TrackSubscribed, (track) => {
      if (track.kind !== 'video') return;
      mark('subscribed_ms');
      video.requestVideoFrameCallback(() => { mark('picture_ms'); resolve(); });
      track.attach(video);
    });
  });
  start = performance.now();
  const connected = room.connect(url, token).then(() => mark('connected_ms'));
  await Promise.all([picture, connected]);
  await published;
  return steps;
}
"""

LEAVE = "() => window.room && window.room.disconnect()"


def mint(server: Server, identity: str, room: str) -> str:
    """A LiveKit token (JWT, HS256) for one participant, valid for an hour."""

    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    now = int(time.time())
    claims = {
        "iss": API_KEY,
        "sub": identity,
        "nbf": now - 60,
        "exp": now + 3600,
        "video": {"room": room, "roomJoin": True, "canPublish": True, "canSubscribe": True},
    }
    head = {"alg": "HS256", "typ": "JWT"}
    signed = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
    signature = hmac.new(server.secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encode(signature)}"


def client_version() -> str:
    package: dict[str, Any] = json.loads((CLIENT / "package.json").read_text())
    return str(package["version"])


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, script: bytes, *arguments: Any) -> None:
        self._script = script
        super().__init__(*arguments)

    def do_GET(self) -> None:
        is_script = self.path == "/livekit-client.umd.js"
        body = self._script if is_script else _PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Nothing: requests for the page are no news."""


@contextlib.contextmanager
def page_server() -> Iterator[str]:
    """The page's address, on loopback, as long as the context lasts."""
    script = (CLIENT / "dist" / "livekit-client.umd.js").read_bytes()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, script))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A browser of its own; of a flag that is given again, the last one counts."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "Chromium is not there: apt-get install chromium"
        raise RuntimeError(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *more])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def fresh_page(browser: Browser, url: str) -> Iterator[Page]:
    """A page in a context of its own, loaded before anything is measured."""
    context = browser.new_context(permissions=["camera", "microphone"])
    try:
        page = context.new_page()
        page.goto(url)
        yield page
    finally:
        context.close()


def renderers(browser: Browser) -> dict[int, float]:
    """Seconds of processor that each page's process has used so far, by process id.

    `SystemInfo.getProcessInfo` of the Chrome DevTools Protocol; contexts share no process.
    """
    session = browser.new_browser_cdp_session()
    try:
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    finally:
        session.detach()
    return {each["id"]: float(each["cpuTime"]) for each in found if each["type"] == "renderer"}


def browser_version(browser: Browser) -> str:
    return f"Chromium {browser.version}"


def has_client() -> bool:
    return Path(CLIENT / "dist" / "livekit-client.umd.js").is_file()
