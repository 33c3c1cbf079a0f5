"""What goes wrong in life: the network goes and comes back, the server dies, UDP is blocked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser


def meet(product: Product, people: Callable[..., Person], **options: object) -> list[Person]:
    hanna = people("Hanna Vogel", tone=440.0, **options)
    jonas = people("Jonas Weber", tone=660.0, **options)
    aylin = people("Aylin Demir", tone=880.0, **options)
    assert product.operator_link is not None
    hanna.become_operator(product.operator_link)
    link = hanna.start_room()
    hanna.join()
    jonas.join(link)
    aylin.join(link)
    expect_meeting([hanna, jonas, aylin])
    return [hanna, jonas, aylin]


def expect_meeting(people: list[Person]) -> None:
    for person in people:
        others = [other for other in people if other is not person]
        person.expect_moving(*(other.name for other in others))
        person.expect_hearing([other.tone for other in others])


def test_a_killed_server_comes_back_and_so_does_everyone(
    own_product: Product, people: Callable[..., Person]
) -> None:
    trio = meet(own_product, people)
    own_product.kill()
    for person in trio:
        expect(person.page.get_by_text("Connection lost").first).to_be_visible()
    own_product.start()
    expect_meeting(trio)


def test_a_restart_of_the_service_brings_everyone_back(
    own_product: Product, people: Callable[..., Person]
) -> None:
    trio = meet(own_product, people)
    assert own_product.stop() == 0
    own_product.start()
    expect_meeting(trio)


def test_the_network_is_cut_and_back_within_three_seconds(
    tmp_path: Path,
    namespace: str,
    browser_in: Callable[[str], Browser],
    people: Callable[..., Person],
) -> None:
    product = Product(tmp_path / "data", namespace=namespace)
    product.start()
    try:
        trio = meet(product, people, browser=browser_in(namespace))
        loopback = ["ip", "-n", namespace, "link", "set", "lo"]
        subprocess.run([*loopback, "down"], check=True)
        trio[0].page.wait_for_timeout(2_500)
        subprocess.run([*loopback, "up"], check=True)
        expect_meeting(trio)
        for person in trio:
            expect(person.page.get_by_text("Connection lost")).to_have_count(0)
    finally:
        product.close()


def test_blocked_udp_is_named_with_the_port_and_the_repair(
    tmp_path: Path,
    namespace: str,
    browser_in: Callable[[str], Browser],
    people: Callable[..., Person],
) -> None:
    product = Product(tmp_path / "data", namespace=namespace)
    rule = ["ip", "-n", namespace, "rule"]
    for change in (
        ["add", "pref", "100", "lookup", "local"],
        ["del", "pref", "0"],
        ["add", "pref", "10", "ipproto", "udp", "prohibit"],
    ):
        subprocess.run([*rule, *change], check=True)
    product.start()
    try:
        hanna = people("Hanna Vogel", browser=browser_in(namespace))
        assert product.operator_link is not None
        hanna.become_operator(product.operator_link)
        hanna.start_room()
        hanna.page.get_by_label("Your name").fill("Hanna Vogel")
        hanna.press("Join", exact=True)
        message = hanna.page.get_by_role("alert").filter(has_text="conclave doctor")
        expect(message).to_contain_text(str(product.udp_port), timeout=25_000)
    finally:
        product.close()
