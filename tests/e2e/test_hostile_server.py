"""A delivery service that lies as a whole, before real browsers: what the people in the room see.

Every lie ends in nothing at all or in a message, and never in words, names or pictures for somebody
who was not let in by the people. `hostile.py` says what this server can do and what it knows.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit.protocol import rtc
from playwright.sync_api import expect

from conclave_sealing import Refused
from conclave_sealing.encoding import vector
from conclave_sealing.keys import Link, b64, unb64
from tests.e2e.frames_page import until
from tests.e2e.hostile import Fork, Frame, HostileServer, Line, Mallory, honest
from tests.e2e.person import PATIENCE_MS, Person
from tests.e2e.wire import WIRE

pytestmark = pytest.mark.browser

People = Callable[..., Person]
WITHHELD = "The server may be hiding changes"
STRANGER = "Someone is connected who has no key: they see and hear nothing."
NOT_OURS = "This is not the room of your link."
UNOPENED = "picture or sound does not open with the key of this room"
FORBIDDEN = "Somebody tried to change who has the key without being allowed to."
GROUP_CHANGES = {"commit", "message"}

# A picture stands still when a whole second passes without one more decoded frame.
_STILL_SCRIPT = """
async ([name, patience]) => {
  const end = performance.now() + patience;
  let last = -1;
  let since = performance.now();
  while (performance.now() < end) {
    const frames = [...document.querySelectorAll('[data-identity]')]
      .filter((tile) => tile.textContent.includes(name))
      .map((tile) => tile.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0)
      .reduce((most, each) => Math.max(most, each), 0);
    if (frames !== last) [last, since] = [frames, performance.now()];
    else if (performance.now() - since > 1000) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
"""

# The media connections of a page, to ask them what has arrived.
_CONNECTIONS_SCRIPT = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) {
    super(...given);
    connections.push(this);
  }
};
"""

_PICTURES_SCRIPT = """
async () => {
  const reports = await Promise.all(connections.map((connection) => connection.getStats()));
  const pictures = reports
    .flatMap((report) => [...report.values()])
    .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  return pictures.map(({ packetsReceived, framesDecoded }) => [packetsReceived, framesDecoded]);
}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HostileServer]:
    server = HostileServer(tmp_path / "data")
    server.start()
    yield server
    server.close()


class Party:
    """People who came by link, one after the other, and their seats."""

    def __init__(self, server: HostileServer, people: People, *names: str) -> None:
        self.server = server
        first, *others = (people(name) for name in names)
        first.become_operator(server.operator_link)
        self.url = first.start_room()
        link = Link.read(self.url)
        assert link is not None
        self.link = link
        self.people: list[Person] = []
        self.identities: list[str] = []
        first.join()
        self._note(first)
        for person in others:
            self.join(person)

    def join(self, person: Person) -> None:
        person.join(self.url)
        self._note(person)

    def _note(self, person: Person) -> None:
        person.expect_sealed()
        self.people.append(person)
        self.identities.append(_places(self.server.lines[-1])[-1])

    @property
    def seats(self) -> list[str]:
        """Where each of them sits now."""
        sitting = {name: line.seat for line in self.server.lines for name in _places(line)}
        return [sitting[identity] for identity in self.identities]

    def line(self, at: int) -> Line:
        return self.server.line(self.seats[at])

    @property
    def instance(self) -> str:
        created = next(frame for frame in self.server.lines[0].asked if frame["t"] == "create")
        return str(created["instance"])

    @property
    def epoch(self) -> int:
        commits = [frame["epoch"] for frame in self.line(0).told if frame["t"] == "commit"]
        return max(commits, default=-1) + 1

    def agree(self, *at: int) -> tuple[str, str]:
        """Sealed, with the same words and the same number on every screen."""
        everybody = [self.people[each] for each in at or range(len(self.people))]
        for person in everybody:
            person.expect_sealed()
        codes: list[tuple[str, str]] = []
        for _ in range(5):
            codes = [person.codes() for person in everybody]
            if len(set(codes)) == 1:
                break
        assert len(set(codes)) == 1, codes
        return codes[0]


def _places(line: Line) -> list[str]:
    """The identities under which this socket's person was in the room."""
    said = [*line.asked, *line.told]
    return [frame["identity"] for frame in said if frame["t"] in {"create", "welcome"}]


def _lists(person: Person, *names: str) -> None:
    """Exactly these people are in the list of who is here, in whatever order."""
    people = person.page.get_by_role("complementary", name="People")
    if people.count() == 0:
        person.press("People", exact=True)
    rows = people.locator(".person")
    for name in names:
        expect(rows.filter(has_text=name)).to_have_count(1)
    expect(rows).to_have_count(len(names))


def _changes(lines: Iterable[Line]) -> list[Frame]:
    return [frame for line in lines for frame in line.told if frame["t"] in GROUP_CHANGES]


def _number(person: Person, title: str) -> str:
    """The room number in the dialog of somebody whose room is not sealed for sure."""
    person.press("Not sealed. What this means")
    dialog = person.page.get_by_role("dialog", name=title)
    number = "".join(dialog.locator(".digits span").all_inner_texts())
    dialog.get_by_role("button", name="Words match").click()
    return number


def _reads_nothing(mallory: Mallory, server: HostileServer, *secrets: str) -> None:
    """Neither with its own group's keys nor in the bytes themselves is there anything."""
    frames = [frame for line in server.lines for frame in (*line.asked, *line.told)]
    assert any(frame["t"] == "message" for frame in frames)
    for frame in frames:
        for content in _bytes_of(frame):
            assert not any(secret.encode() in content for secret in secrets)
        if frame["t"] == "message":
            with pytest.raises(Refused):
                mallory.engine.open(unb64(frame["bytes"]))
    said = json.dumps(frames, ensure_ascii=False)
    assert not any(secret in said for secret in secrets)


def _bytes_of(frame: Frame) -> Iterator[bytes]:
    for value in frame.values():
        if isinstance(value, str) and re.fullmatch(r"[\w-]{24,}", value):
            try:
                yield unb64(value)
            except ValueError:
                continue


def _external_commit(instance: str, epoch: int) -> str:
    """The head of a PublicMessage whose sender is a new member, and a body that is none."""
    head = b"\x00\x01\x00\x01" + vector(unb64(instance)) + epoch.to_bytes(8, "big")
    return b64(head + b"\x04" + vector(b"") + b"\x03" + bytes(200))


def test_repeated_reordered_misattributed_and_made_up(
    server: HostileServer, people: People
) -> None:
    party = Party(server, people, "Hanna Vogel", "Jonas Weber")
    hanna, jonas = party.people
    aylin = people("Aylin Demir")
    others = {party.seats[0]: party.seats[1], party.seats[1]: party.seats[0]}
    welcome = next(frame for frame in party.line(1).told if frame["t"] == "welcome")
    misled: list[str] = []

    def misleading(_line: Line, frame: Frame) -> Iterable[Frame]:
        """Somebody else's Welcome first; everybody's words and places in another's name."""
        if "from" in frame:
            frame = {**frame, "from": others.get(frame["from"], frame["from"])}
        if frame["t"] == "welcome":
            names = [entry["identity"] for entry in frame["seats"]]
            turned = zip(frame["seats"], names[1:] + names[:1], strict=True)
            frame = {**frame, "seats": [{**entry, "identity": name} for entry, name in turned]}
            if not misled:
                frame = {**frame, "bytes": welcome["bytes"]}
            misled.append(frame["identity"])
        return [frame]

    server.to_people = misleading
    party.join(aylin)
    assert len(misled) == 2, "in by the second Welcome, which was hers"
    for person in party.people:
        person.open_chat()
    hanna.write("Hanna says so")
    jonas.write("Jonas says so")
    for person, name in ((hanna, "Jonas Weber"), (jonas, "Hanna Vogel")):
        expect(aylin.message(f"{name.split()[0]} says so")).to_contain_text(name)
        expect(person.message(f"{name.split()[0]} says so")).to_contain_text(name)
    for at, name in ((0, "Hanna Vogel"), (1, "Jonas Weber")):
        expect(aylin.tile(name)).to_have_attribute("data-identity", party.identities[at])
    aylin.expect_moving("Hanna Vogel", "Jonas Weber")
    party.agree()

    # Everything once more, as it was and as if it belonged to the present.
    server.to_people = honest
    jonas.press("Raise hand")
    expect(aylin.tile("Jonas Weber").get_by_text("Hand raised, number 1 in line")).to_be_attached()
    jonas.press("Lower hand")
    expect(aylin.tile("Jonas Weber").get_by_text("Hand raised")).to_have_count(0)
    for at in range(3):
        old = _changes([party.line(at)])
        last = max(frame["seq"] for frame in old)
        party.line(at).tell(
            *old,
            *({**frame, "seq": last + 1, "epoch": party.epoch} for frame in old),
            *({**frame, "seq": last + 1, "epoch": party.epoch + 1} for frame in reversed(old[-1:])),
            {**welcome, "seq": last + 1},
        )
    hanna.write("After all that")
    for person in (jonas, aylin):
        expect(person.message("After all that")).to_have_count(1)
        expect(person.message("Hanna says so")).to_have_count(1)
        expect(person.page.locator("[data-message]")).to_have_count(3)
        expect(person.page.locator(".tile[data-identity]")).to_have_count(2)
    expect(aylin.tile("Jonas Weber").get_by_text("Hand raised")).to_have_count(0)
    party.agree()

    # Two changes in the wrong order, to one of them.
    held: list[Frame] = []
    turned: list[int] = []

    def disorderly(line: Line, frame: Frame) -> Iterable[Frame]:
        if line.seat != party.seats[1] or frame["t"] != "commit" or turned:
            return [frame]
        if not held:
            held.append(frame)
            return []
        turned.append(frame["epoch"])
        return [frame, *held]

    server.to_people = disorderly
    everybody = [person.name for person in party.people]
    for name in ("Lena Fuchs", "Tom Klein"):
        server.guest(party.link, name)
        everybody.append(name)
        _lists(hanna, *everybody)
    for person in (jonas, aylin):
        _lists(person, *everybody)
    assert turned
    party.agree()
    # Whose way to the room was interrupted is back, and still somebody who had the link.
    rows = hanna.page.locator(".person").filter(has_text="Came by link")
    expect(rows).to_have_count(4)

    # Somebody whom the server lets into the media by itself.
    mallory = Mallory()
    name = mallory.identity(party.instance)
    intruder = server.media_client(party.link.meeting, name)
    for person in party.people:
        expect(person.page.locator(".notice").get_by_text(STRANGER)).to_be_visible()
        expect(person.page.locator(f"[data-identity='{name}']")).to_have_count(0)
    server.run(intruder.socket.close())
    for person in party.people:
        person.expect_sealed()

    # A change by which it would come in from outside, and one in the name of a member.
    mallory.pretend(party.link.meeting, party.instance, fingerprint=party.link.fingerprint)
    mallory.advance(party.epoch)
    commit, _ = mallory.engine.commit()
    made_up = {
        "t": "commit",
        "epoch": party.epoch,
        "from": party.seats[0],
        "admitted": [{"seat": "mallory", "identity": name}],
        "removed": [],
    }
    lines = [party.line(at) for at in range(3)]
    for line in lines:
        seq = max(frame["seq"] for frame in _changes([line]))
        outside = _external_commit(party.instance, party.epoch)
        line.tell({**made_up, "seq": seq, "bytes": outside})
        line.tell({**made_up, "seq": seq, "bytes": b64(commit)})
    for person in party.people:
        alert = person.page.get_by_role("alertdialog")
        expect(alert).to_contain_text("The seal is broken. Sound and picture have stopped.")
        expect(alert).to_contain_text(FORBIDDEN)
        assert person.page.evaluate(_STILL_SCRIPT, ["Hanna Vogel", PATIENCE_MS])
        expect(person.page.locator(f"[data-identity='{name}']")).to_have_count(0)
    until(lambda: not any(line.is_open for line in lines), "nobody says anything any more")
    _reads_nothing(mallory, server, "Hanna", "Jonas", "Aylin", "says so", "After all that")


def test_a_room_of_the_servers_own(server: HostileServer, people: People) -> None:
    party = Party(server, people, "Hanna Vogel")
    mallory = Mallory()
    mallory.pretend(party.link.meeting, party.instance, fingerprint=party.link.fingerprint)

    def welcoming(line: Line, frame: Frame) -> Iterable[Frame]:
        if frame["t"] != "knock":
            return [frame]
        welcome, identity = mallory.welcome(frame["key_package"])
        line.tell(
            {"t": "ok", "n": frame["n"]},
            {
                "t": "welcome",
                "seq": 1,
                "epoch": mallory.engine.facts().epoch,
                "bytes": welcome,
                "identity": identity,
                "ticket": {"url": "", "token": server.ticket(party.link.meeting, identity)},
                "seats": [],
            },
        )
        return []

    server.to_service = welcoming
    lena = people("Lena Fuchs")
    sockets: list[str] = []
    lena.page.on("websocket", lambda socket: sockets.append(socket.url))
    lena.open(party.url)
    lena.page.get_by_label("Your name").fill(lena.name)
    lena.press("Join", exact=True)
    expect(lena.page.get_by_role("heading", name=NOT_OURS)).to_be_visible()
    line = server.lines[-1]
    assert {frame["t"] for frame in line.asked} == {"hello", "knock"}
    assert [url for url in sockets if not url.endswith("/sealing")] == [], "no media either"
    assert not any(b"Lena" in content for frame in line.asked for content in _bytes_of(frame))
    expect(lena.page.locator(".tile[data-identity]")).to_have_count(0)
    until(lambda: not line.is_open, "the line is closed")

    # Who comes without the whole link cannot tell by the link, and is told so: the words differ.
    tom = people("Tom Klein")
    tom.open(party.url.partition("#")[0])
    tom.page.get_by_label("Your name").fill(tom.name)
    tom.press("Join", exact=True)
    tom.press("Sealed. What this means")
    dialog = tom.page.get_by_role("dialog")
    expect(dialog).to_contain_text("You came without the whole link. Compare the room words")
    words = " ".join(dialog.locator(".words b").all_inner_texts())
    assert len(words.split()) == 8
    assert words != hanna_words(party)
    expect(tom.page.get_by_text("Hanna Vogel")).to_have_count(0)
    hanna = party.people[0]
    expect(hanna.page.locator(".tile[data-identity]")).to_have_count(0)
    _hears_nothing_of(party.line(0), mallory)


def hanna_words(party: Party) -> str:
    return party.people[0].codes()[0]


def _hears_nothing_of(line: Line, mallory: Mallory) -> None:
    for frame in line.asked:
        if frame["t"] == "message":
            with pytest.raises(Refused):
                mallory.engine.open(unb64(frame["bytes"]))


def test_a_room_in_pieces(server: HostileServer, people: People) -> None:
    party = Party(server, people, "Hanna Vogel", "Jonas Weber", "Aylin Demir")
    hanna, jonas, aylin = party.people
    for person in party.people:
        person.open_chat()
        for other in party.people:
            if other is not person:
                person.expect_moving(other.name)
    words, before = party.agree()

    # Jonas gets a room of his own with Tom; Aylin hears everything but the changes.
    newcomers: dict[str, Line] = {}
    fork = Fork({party.seats[1]: party.line(1)})

    def cutting(line: Line, frame: Frame) -> Iterable[Frame]:
        apart = line.seat in fork.lines or line.seat in newcomers
        if apart and frame["t"] in {*GROUP_CHANGES, "knock", "presence", "settled"}:
            return []
        if line.seat == party.seats[2] and frame["t"] in {"commit", "knock"}:
            return []
        return [frame]

    def splitting(line: Line, frame: Frame) -> Iterable[Frame]:
        if line.seat in fork.lines and frame["t"] not in {"hello", "pong"}:
            fork.take(newcomers, line, frame)
            return []
        if frame["t"] == "knock" and is_tom_next and not newcomers:
            newcomers[line.seat] = line
            fork.knock(party.line(1), line, frame)
            return []
        return [frame]

    is_tom_next = False
    server.to_people, server.to_service = cutting, splitting
    split_at = time.monotonic()
    lena = server.guest(party.link, "Lena Fuchs")
    everybody = [person.name for person in party.people]
    _lists(hanna, *everybody, "Lena Fuchs")
    is_tom_next = True
    tom = server.guest(party.link, "Tom Klein")
    _lists(jonas, *everybody, "Tom Klein")
    _lists(hanna, *everybody, "Lena Fuchs")
    _lists(aylin, *everybody)

    # Not a picture and not a word crosses over.
    for person, name in ((jonas, "Hanna Vogel"), (aylin, "Hanna Vogel"), (hanna, "Jonas Weber")):
        assert person.page.evaluate(_STILL_SCRIPT, [name, PATIENCE_MS]), f"{name} stands still"
    for person in party.people:
        person.open_chat()
    hanna.write("For all of you")
    jonas.write("For all of us")
    until(lambda: _texts(lena) == ["For all of you"], "Lena reads what Hanna writes")
    until(lambda: _texts(tom) == ["For all of us"], "Tom reads what Jonas writes")
    for person in (jonas, aylin):
        expect(person.message("For all of you")).to_have_count(0)
    for person in (hanna, aylin):
        expect(person.message("For all of us")).to_have_count(0)

    # And everybody is told, with numbers that differ when they are compared.
    for person in party.people:
        expect(person.page.locator(".notice").get_by_text(WITHHELD)).to_be_visible(timeout=60_000)
    print(f"told after {time.monotonic() - split_at:.0f} s")
    title = "Not sealed for sure: something may be held back."
    numbers = {_number(person, title) for person in party.people}
    assert len(numbers) == 3
    assert before in numbers, "the one whom changes are kept from is still where they were"
    assert words


def test_media_in_anothers_name(server: HostileServer, people: People) -> None:
    party = Party(server, people, "Hanna Vogel", "Jonas Weber")
    hanna, jonas = party.people
    hanna.expect_moving("Jonas Weber")
    one, other = party.identities
    turned: list[str] = []

    def exchange(response: rtc.SignalResponse) -> None:
        for participant in (*response.join.other_participants, *response.update.participants):
            if participant.identity in {one, other}:
                participant.identity = other if participant.identity == one else one
                turned.append(participant.identity)

    server.relabel = exchange
    aylin = people("Aylin Demir", tone=700.0)
    aylin.context.add_init_script(_CONNECTIONS_SCRIPT)
    party.join(aylin)
    hanna.expect_moving("Aylin Demir")
    jonas.expect_moving("Aylin Demir")
    assert {one, other} <= set(turned)
    for person in (hanna, jonas, aylin):
        _lists(person, "Hanna Vogel", "Jonas Weber", "Aylin Demir")
        # How each came is what keys have shown, and everybody sees the same.
        expect(person.page.locator(".person").filter(has_text="Came by link")).to_have_count(2)

    # Each picture arrives in the other's name, and is nobody's.
    def arrive() -> bool:
        pictures = aylin.page.evaluate(_PICTURES_SCRIPT)
        return len(pictures) == 2 and all(packets > 100 for packets, _ in pictures)

    until(arrive, "both pictures' packets arrive")
    assert [decoded for _, decoded in aylin.page.evaluate(_PICTURES_SCRIPT)] == [0, 0]
    aylin.expect_hearing([], silent=[hanna.tone, jonas.tone])


def _texts(bot: Any) -> list[str]:
    return [str(said["text"]) for said in bot.heard("chat")]


def test_pictures_that_were_changed_on_their_way(server: HostileServer, people: People) -> None:
    host, guest = people("Hanna Maier", tone=440), people("Bernd Alt", tone=554)
    guest.context.add_init_script(WIRE)
    host.become_operator(server.operator_link)
    url = host.start_room()
    host.join()
    guest.join(url)
    for one, other in ((host, guest), (guest, host)):
        one.expect_sealed()
        one.expect_moving(other.name)
    changed = "(frame) => { wire.instead = frame.map((byte, at) => at === 40 ? byte ^ 1 : byte); }"
    frame = guest.page.evaluate("() => Object.values(wire.keyFrames).at(-1)")
    guest.page.evaluate(changed, frame)
    expect(host.page.get_by_text(UNOPENED).first).to_be_visible()
    assert host.page.evaluate(_STILL_SCRIPT, [guest.name, PATIENCE_MS]), "nothing of it is seen"
    # The sound, which nobody touched, goes on, and so does the picture once it is left alone.
    host.expect_hearing([554])
    guest.page.evaluate("() => { wire.instead = null; }")
    host.expect_moving(guest.name)
    host.expect_sealed()
