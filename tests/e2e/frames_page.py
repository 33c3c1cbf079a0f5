"""The page of the frame tests: built from web/test/frames, served with the product's own headers.

It is an origin of its own beside the running product, so `connect-src` names the product as well;
everything else of the policy is what is shipped. Nothing of the page is in the wheel.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from conclave.kernel.csp import SECURITY_HEADERS
from tests.e2e.product import Product

WEB = Path(__file__).parents[2] / "web"
KEY, SECRET = "frames", "a secret for tests that is long enough to sign with"
PATIENCE_S = 20.0


def build_page(folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{WEB.parent / '.venv/bin'}:{os.environ['PATH']}"}
    subprocess.run(
        ["npx", "vite", "build", "--config", "test/frames/vite.config.ts", "--outDir", str(folder)],
        cwd=WEB,
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )


class _Handler(http.server.SimpleHTTPRequestHandler):
    socket_url = ""

    def end_headers(self) -> None:
        for name, value in SECURITY_HEADERS:
            self.send_header(
                name, value.replace("connect-src 'self'", f"connect-src 'self' {self.socket_url}")
            )
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


class PageServer:
    def __init__(self, folder: Path, product: Product) -> None:
        handler = type(
            "Handler",
            (_Handler,),
            {"socket_url": f"ws://localhost:{product.port} http://localhost:{product.port}"},
        )
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(handler, directory=str(folder))
        )
        self.url = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def page_of(folder: Path, product: Product) -> Iterator[str]:
    """The address of a page in `folder` that may connect to the product."""
    server = PageServer(folder, product)
    try:
        yield f"{server.url}/index.html"
    finally:
        server.close()


@contextmanager
def keyed_product(data: Path) -> Iterator[Product]:
    """A running product whose media tokens the tests can sign."""
    product = Product(data)
    product.environment["CONCLAVE_MEDIA__API_KEYS"] = f"{KEY}: {SECRET}"
    product.start()
    try:
        yield product
    finally:
        product.close()


def token(room: str, identity: str) -> str:
    def part(value: object) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    now = int(time.time())
    claims = {
        "iss": KEY,
        "sub": identity,
        "nbf": now - 5,
        "exp": now + 600,
        "video": {"room": room, "roomJoin": True},
    }
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    return f"{signed}.{part(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


class Member:
    """One page with one participant; see web/test/frames/main.ts for what can be called."""

    def __init__(self, browser: Browser, page_url: str, product: Product, identity: str) -> None:
        self.identity = identity
        self._product = product
        self._context = browser.new_context(permissions=["camera", "microphone"])
        self._context.set_default_timeout(PATIENCE_S * 1000)
        self.page = self._context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.errors.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        self._page_url = page_url

    def prepare(self, script: str) -> None:
        """Runs before the page's own code: what a browser of another make is like."""
        self._context.add_init_script(script)

    def join(
        self,
        room: str,
        roster: Iterable[str],
        *,
        tone: float = 440,
        mode: str = "sealed",
        publishes: bool = True,
        careless: bool = False,
        epoch: int | None = 1,
        camera: bool = False,
    ) -> None:
        members = list(roster)
        self.page.goto(self._page_url)
        self.call(
            "join",
            {
                "url": f"ws://localhost:{self._product.port}",
                "token": token(room, self.identity),
                "identity": self.identity,
                "roster": members,
                "tone": tone,
                "mode": mode,
                "publishes": publishes,
                "isCareless": careless,
                "hasCamera": camera,
            },
        )
        if epoch is not None:
            self.call("enter", epoch, members)
        self.call("connect")

    def call(self, name: str, *arguments: object) -> Any:
        return self.page.evaluate(
            "([name, given]) => window.call[name](...given)", [name, list(arguments)]
        )

    @property
    def log(self) -> list[str]:
        return list(self.call("log"))

    def seen(self, other: Member) -> dict[str, float]:
        return dict(self.call("seen", other.identity))

    def hears(self, other: Member, tone: float) -> bool:
        """The tone stands out by 25 dB from two that nobody sends."""
        level, *silent = self.call("heard", other.identity, [tone, 1310.0, 3210.0])
        return bool(level > max(*silent, -100.0) + 25)

    def sees(self, other: Member, frames: int = 10) -> bool:
        return self.seen(other)["rendered"] >= frames

    def close(self) -> None:
        self._context.close()


def until(met: Callable[[], object], what: str, patience: float = PATIENCE_S) -> None:
    """Looks again and again; each look is a round trip to a browser."""
    end = time.monotonic() + patience
    while not met():
        assert time.monotonic() < end, f"not within {patience} s: {what}"
        time.sleep(0.05)
