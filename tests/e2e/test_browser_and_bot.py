"""A browser and a member that shares no code with it, in one sealed room.

The other one has another MLS library (openmls) and another media client (the `livekit` wheel with
libwebrtc's own frame cryptor): what both decode of each other cannot come from one mistake made
twice.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class Robot:
    """The process, and the last thing that it said."""

    def __init__(self, namespace: str, product: Product, link: str, tone: float) -> None:
        command = [sys.executable, "-m", "tests.e2e.bot", f"ws://127.0.0.1:{product.port}"]
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *command, link, "Robot", str(tone)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._said: dict[str, Any] = {}
        self._errors: list[str] = []
        self._news = threading.Condition()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._note, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                with self._news:
                    self._said = json.loads(line)
                    self._news.notify_all()

    def _note(self, pipe: IO[str]) -> None:
        with pipe:
            self._errors.extend(pipe)

    def until(self, **expected: object) -> None:
        with self._news:
            reached = self._news.wait_for(
                lambda: expected.items() <= self._said.items(), timeout=PATIENCE
            )
        assert reached, f"{expected} not reached: {self._said} {''.join(self._errors[-20:])}"

    def leave(self) -> int:
        """Its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.leave()
        for reader in self._readers:
            reader.join(PATIENCE)


@pytest.fixture
def network(namespace: str) -> str:
    """The test's own network, with an interface beside loopback that no packet leaves by."""
    for command in (
        "link add media0 type veth peer name media1",
        "address add 192.0.2.1/24 dev media0",
        "link set media1 up",
        "link set media0 up",
    ):
        subprocess.run(["ip", "-n", namespace, *command.split()], check=True, timeout=10)
    return namespace


@pytest.fixture
def robots() -> Iterator[list[Robot]]:
    started: list[Robot] = []
    yield started
    for robot in started:
        robot.close()


def test_they_see_hear_and_read_each_other(
    network: str,
    tmp_path: Path,
    browser_in: Callable[[str], Browser],
    people: Callable[..., Person],
    robots: list[Robot],
) -> None:
    product = Product(tmp_path / "data", namespace=network)
    product.start()
    try:
        hanna = people("Hanna Vogel", browser=browser_in(network), tone=500.0)
        assert product.operator_link is not None
        hanna.become_operator(product.operator_link)
        link = hanna.start_room()
        hanna.join()
        robot = Robot(network, product, link, tone=900.0)
        robots.append(robot)

        hanna.expect_sealed()
        hanna.expect_moving("Robot")
        hanna.expect_hearing([900.0])
        hanna.open_chat()
        expect(hanna.message("Greetings from Robot")).to_be_visible()
        hanna.write("Can you read me?")
        robot.until(pictures=1, voices=1, chat=["Can you read me?"], plaintext=[])

        # The key changes with everybody who comes and goes: both follow.
        jonas = people("Jonas Weber", browser=hanna.context.browser, tone=700.0)
        jonas.join(link)
        robot.until(pictures=2, voices=2, plaintext=[])
        jonas.expect_moving("Robot", "Hanna Vogel")
        hanna.expect_moving("Robot", "Jonas Weber")
        before = hanna.codes()
        assert before == jonas.codes()

        assert robot.leave() == 0
        expect(hanna.tile("Robot")).to_have_count(0)
        hanna.expect_sealed()
        assert hanna.codes()[1] != before[1], "who has left has none of the keys that follow"
    finally:
        product.close()


def test_attack_a_client_that_does_not_know_the_rules_of_the_room(
    network: str,
    tmp_path: Path,
    browser_in: Callable[[str], Browser],
    people: Callable[..., Person],
    robots: list[Robot],
) -> None:
    product = Product(tmp_path / "data", namespace=network)
    product.start()
    try:
        hanna = people("Hanna Vogel", browser=browser_in(network), tone=500.0)
        assert product.operator_link is not None
        hanna.become_operator(product.operator_link)
        link = hanna.start_room()
        hanna.join()
        robots.append(Robot(network, product, link, tone=900.0))
        hanna.expect_moving("Robot")
        hanna.expect_hearing([900.0])
        # It goes on speaking and showing, for it does not look at the rules; the server ends it.
        hanna.press("People")
        hanna.press("Rules of the room…")
        rules = hanna.page.get_by_role("dialog", name="Rules of the room")
        for name in ("speak", "show themselves"):
            rules.get_by_role("switch", name=name).click(force=True)
            expect(rules.get_by_role("switch", name=name)).not_to_be_checked()
        rules.get_by_role("button", name="Done").click()
        row = hanna.page.locator(".person[data-identity]").filter(has_text="Robot")
        expect(row.get_by_text("Microphone off")).to_be_attached()
        expect(row.get_by_text("Camera off")).to_be_attached()
        expect(hanna.tile("Robot").locator("video")).to_have_count(0)
        hanna.expect_hearing([], silent=[900.0])
    finally:
        product.close()
