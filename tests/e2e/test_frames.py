"""The frame layer in a real browser, through the real server: only what is sealed arrives."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser

from tests.e2e.frames_page import Member, build_page, page_of, until
from tests.e2e.product import Product
from tests.e2e.wire import WIRE

pytestmark = pytest.mark.browser

MakeMember = Callable[[str], Member]

# livekit-client asks the user agent whether this is Chromium, and takes the other transform if not.
SCRIPT_TRANSFORM = """
Object.defineProperty(navigator, 'userAgent', { get: () => 'SealTest/1.0' });
"""
# As in Firefox and Safari: no early transforms at all.
NO_ENCODED_STREAMS = (
    SCRIPT_TRANSFORM
    + """
delete RTCRtpSender.prototype.createEncodedStreams;
delete RTCRtpReceiver.prototype.createEncodedStreams;
"""
)

every_path = pytest.mark.parametrize(
    "script", ["", SCRIPT_TRANSFORM, NO_ENCODED_STREAMS], ids=["streams", "script", "late"]
)


@pytest.fixture(scope="module")
def page_url(keyed: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    build_page(folder)
    with page_of(folder, keyed) as address:
        yield address


@pytest.fixture
def member(browser: Browser, keyed: Product, page_url: str) -> Iterator[MakeMember]:
    made: list[Member] = []

    def make(identity: str) -> Member:
        made.append(Member(browser, page_url, keyed, identity))
        return made[-1]

    yield make
    errors = [error for one in made for error in one.errors]
    violations = [line for one in made for line in one.log if line.startswith("violation")]
    for one in made:
        one.close()
    assert not errors
    assert not violations


@pytest.fixture
def room() -> str:
    return f"frames-{secrets.token_hex(4)}"


def uses(one: Member, epoch: int) -> bool:
    return f"using {epoch}" in one.log


def both_ways(ada: Member, bo: Member) -> None:
    until(lambda: ada.sees(bo), "the first sees the second")
    until(lambda: bo.sees(ada), "the second sees the first")
    until(lambda: ada.hears(bo, 880), "the first hears the second")
    until(lambda: bo.hears(ada, 440), "the second hears the first")


@every_path
def test_picture_and_tone_arrive_sealed_both_ways(
    member: MakeMember, room: str, script: str
) -> None:
    ada, bo = member("ada"), member("bo")
    for one in (ada, bo):
        one.prepare(script)
    ada.join(room, ["ada", "bo"], tone=440)
    bo.join(room, ["ada", "bo"], tone=880)
    both_ways(ada, bo)
    assert not ada.hears(bo, 440)
    # The server holds the same bytes, but without a key there is nothing in them.
    eve = member("eve")
    eve.join(room, ["eve"], mode="plain", publishes=False, careless=True)
    until(lambda: eve.seen(ada)["received"] > 50, "packets reach the one without keys")
    assert eve.seen(ada)["rendered"] == 0
    assert not eve.hears(ada, 440)


@every_path
def test_who_sends_plaintext_is_reported_and_neither_seen_nor_heard(
    member: MakeMember, room: str, script: str
) -> None:
    mallory, ada, bo = member("mallory"), member("ada"), member("bo")
    mallory.join(room, ["mallory"], tone=880, mode="plain", epoch=None)
    # Ada's page draws whatever comes; it is in the room before and after.
    for one in (ada, bo):
        one.prepare(script)
    ada.join(room, ["ada", "bo", "mallory"], careless=True)
    bo.join(room, ["ada", "bo", "mallory"], tone=880, careless=True)
    until(lambda: ada.sees(bo), "sealed media goes on")
    until(lambda: "plaintext [mallory] strangers []" in ada.log, "the report")
    until(lambda: ada.seen(mallory)["received"] > 50, "the plaintext reaches the browser")
    assert ada.seen(mallory)["decoded"] == 0
    # A track that is switched off shows one black frame.
    assert ada.seen(mallory)["rendered"] <= 1
    assert ada.call("loudness", "mallory") == 0
    assert not ada.hears(mallory, 880)


@every_path
def test_a_sender_whose_key_nobody_has_is_nothing_at_all(
    member: MakeMember, room: str, script: str
) -> None:
    stranger, ada = member("stranger"), member("ada")
    stranger.join(room, ["stranger"], tone=880)
    ada.prepare(script)
    ada.join(room, ["ada"], careless=True)
    until(lambda: "plaintext [] strangers [stranger]" in ada.log, "the report")
    until(lambda: ada.seen(stranger)["received"] > 50, "frames reach the browser")
    until(
        lambda: any(line.startswith("unopened stranger Missing") for line in ada.log),
        "what could not be opened",
    )
    assert ada.seen(stranger)["decoded"] == 0
    # Sealed sound in a decoder would be loud noise.
    assert ada.call("loudness", "stranger") == 0
    # With the key and in the group it is a member like any other.
    ada.call("enter", 1, ["ada", "stranger"])
    ada.call("setRoster", ["ada", "stranger"])
    until(lambda: ada.sees(stranger), "the admitted one is seen")
    until(lambda: ada.hears(stranger, 880), "and heard")


@every_path
def test_changing_keys_under_media_stops_no_picture(
    member: MakeMember, room: str, script: str
) -> None:
    ada, bo = member("ada"), member("bo")
    for one in (ada, bo):
        one.prepare(script)
    ada.join(room, ["ada", "bo"], tone=440)
    bo.join(room, ["ada", "bo"], tone=880)
    both_ways(ada, bo)
    pairs = ((ada, bo), (bo, ada))
    before = {one.identity: one.call("concealed", other.identity) for one, other in pairs}
    for one in (ada, bo):
        one.call("resetGaps")
    for epoch in range(2, 7):
        for one in (ada, bo):
            one.call("enter", epoch, ["ada", "bo"])
        if epoch % 2:
            for one in (ada, bo):
                one.call("settled", epoch)
        for one in (ada, bo):
            until(partial(uses, one, epoch), "the new key in use")
        time.sleep(0.5)
    gaps = {one.identity: round(one.seen(other)["gap"]) for one, other in pairs}
    concealed = {
        one.identity: round(one.call("concealed", other.identity) - before[one.identity])
        for one, other in pairs
    }
    print(f"five key changes, ms: longest gap between frames {gaps}, sound made up {concealed}")
    assert max(gaps.values()) < 1_000
    assert ada.hears(bo, 880)
    assert bo.hears(ada, 440)


@every_path
def test_a_key_that_comes_late_costs_no_three_seconds(
    member: MakeMember, room: str, script: str
) -> None:
    ada, bo = member("ada"), member("bo")
    for one in (ada, bo):
        one.prepare(script)
    ada.join(room, ["ada", "bo"], tone=440)
    bo.join(room, ["ada", "bo"], tone=880)
    both_ways(ada, bo)
    gaps = []
    for epoch in (2, 3, 4):
        ada.call("resetGaps")
        # Out of turn, as when a host takes somebody out: the sender waits for nobody.
        bo.call("enter", epoch, ["ada", "bo"], True)
        time.sleep(0.3)
        ada.call("enter", epoch, ["ada", "bo"], True)
        time.sleep(1.5)
        gaps.append(round(ada.seen(bo)["gap"]))
    print(f"key 300 ms late, ms: longest gap between frames {gaps}")
    assert max(gaps) < 1_500
    until(lambda: ada.hears(bo, 880), "the sound goes on")


def lasting(one: Member, line: str) -> bool:
    """Whether this is the last that it was told of frames that go on not opening."""
    return [each for each in one.log if each.startswith("lasting")][-1:] == [line]


def recorded(one: Member, epoch: int) -> list[int]:
    """A key frame that this member sealed in this epoch, as the media server has it."""

    def frame() -> list[int] | None:
        found: list[int] | None = one.page.evaluate(f"() => wire.keyFrames[{epoch}] ?? null")
        return found

    until(frame, f"a key frame of {one.identity} in epoch {epoch}")
    found = frame()
    assert found is not None
    return found


def decoded_while(ada: Member, bo: Member, instead: list[int]) -> int:
    """How many frames the first decodes while nothing but `instead` comes as the second's."""
    replaced = "() => wire.replaced"
    bo.page.evaluate("(instead) => { wire.instead = instead; }", instead)
    # What was on its way before that is through by then.
    passed = bo.page.evaluate(replaced) + 20
    until(lambda: bo.page.evaluate(replaced) > passed, "the others' frames are gone")
    before = ada.seen(bo)
    until(lambda: bo.page.evaluate(replaced) > passed + 20, "and these are sent")
    until(lambda: ada.seen(bo)["received"] > before["received"] + 20, "and received")
    return int(ada.seen(bo)["decoded"] - before["decoded"])


@pytest.mark.parametrize("script", ["", SCRIPT_TRANSFORM], ids=["streams", "script"])
def test_what_the_media_server_makes_of_sealed_frames(
    member: MakeMember, room: str, script: str
) -> None:
    ada, bo, cy = member("ada"), member("bo"), member("cy")
    everybody = ["ada", "bo", "cy"]
    ada.prepare(script)
    ada.join(room, everybody, publishes=False, careless=True)
    for one in (bo, cy):
        one.prepare(WIRE)
        one.join(room, everybody, tone=880)
        until(partial(ada.sees, one), "its own picture is seen")
    first = recorded(bo, 1)
    # The known limit: within its epoch a frame can be repeated, as what it is and from whom it is.
    assert decoded_while(ada, bo, first) > 0
    # A member's frames as another's: nothing of them is taken for the other's.
    assert decoded_while(ada, bo, recorded(cy, 1)) == 0
    # Both keys are there, and the frame says the other one's number.
    for one in (ada, bo, cy):
        one.call("enter", 2, everybody)
        one.call("settled", 2)
    until(partial(uses, bo, 2), "the new key in use")
    bo.page.evaluate("() => { wire.instead = null; }")
    second = recorded(bo, 2)
    assert decoded_while(ada, bo, second) > 0
    assert decoded_while(ada, bo, [*second[:-1], 1]) == 0
    assert decoded_while(ada, bo, [*first[:-1], 2]) == 0
    # Ten seconds after its epoch a frame is nothing any more.
    until(lambda: decoded_while(ada, bo, first) == 0, "the old key is forgotten")
    assert decoded_while(ada, bo, first) == 0
    assert decoded_while(ada, bo, second) > 0
    assert any(line.startswith("unopened bo") for line in ada.log)
    # One that goes on being nothing is told of, until it is something again.
    bo.page.evaluate("(instead) => { wire.instead = instead; }", first)
    until(partial(lasting, ada, "lasting true"), "what goes on not opening")
    bo.page.evaluate("() => { wire.instead = null; }")
    until(partial(lasting, ada, "lasting false"), "and opens again")


def test_encryption_cannot_be_forgotten(member: MakeMember, room: str) -> None:
    eve, mallory, ada = member("eve"), member("mallory"), member("ada")
    eve.join(room, [], mode="plain", publishes=False, careless=True, epoch=None)
    mallory.join(room, [], mode="plain", tone=880, epoch=None)
    # Nobody called `attach`: the server is told that this is plaintext, but it is not.
    ada.join(room, ["ada"], mode="forgetful")
    until(lambda: eve.sees(mallory), "who has no keys sees plaintext")
    until(lambda: eve.hears(mallory, 880), "and hears it")
    until(lambda: eve.seen(ada)["received"] > 50, "something has arrived")
    assert eve.seen(ada)["rendered"] <= 2
    assert not eve.hears(ada, 440)


def test_what_cannot_be_sealed_is_not_published(member: MakeMember, room: str) -> None:
    ada = member("ada")
    ada.join(room, ["ada"], publishes=False)
    assert "codec" in ada.call("publishAv1")
    assert "fault codec" in ada.log
