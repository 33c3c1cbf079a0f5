"""Letters about a meeting: passed on as the host wrote them, to each alone, and never kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conclave.settings import MailSettings, Settings
from tests.accounts.smtp import SmtpServer
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = [pytest.mark.unit]

NewStage = Callable[[Settings], Stage]
ICS = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        "SUMMARY:Chorprobe im Frühling",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
)
LETTER = {
    "to": ["berta@example.org"],
    "subject": "Chorprobe im Frühling",
    "text": "Dienstag um 19 Uhr\n\nhttps://meet.example/m/mtg_1#1.secret\n",
    "ics": ICS,
}


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with SmtpServer().running() as server:
        yield server


@pytest.fixture
async def mailing(settings: Settings, new_stage: NewStage, smtp: SmtpServer) -> Stage:
    mail = MailSettings.model_validate(
        {
            "host": "127.0.0.1",
            "port": smtp.port,
            "security": "none",
            "sender": "conclave@example.org",
        }
    )
    stage = new_stage(settings.model_copy(update={"mail": mail}))
    await stage.start()
    return stage


def _database(folder: Path) -> list[Path]:
    return list(folder.glob("conclave.db*"))


async def post(host: Person, meeting: str, **changes: Any) -> httpx2.Response:
    return await host.post(f"/api/v1/meetings/{meeting}/letters", json={**LETTER, **changes})


@sqlite_only
async def test_each_gets_a_letter_of_their_own(mailing: Stage, smtp: SmtpServer) -> None:
    host = await mailing.operator()
    meeting = await mailing.meeting(host)
    assert (await host.get("/api/v1/meetings")).json()["can_mail"] is True
    answer = await post(host, meeting, to=["berta@example.org", "carl@example.org"])
    assert (answer.status_code, answer.json()) == (200, {"mail_errors": [None, None]})
    assert sorted(letter["to"] for letter in smtp.letters) == [
        "berta@example.org",
        "carl@example.org",
    ]
    letter = smtp.letters[0]
    assert letter["subject"] == LETTER["subject"]
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == str(LETTER["text"]).splitlines()
    (calendar,) = letter.iter_attachments()
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["content-type"].params["method"] == "PUBLISH"
    assert calendar.get_filename() == "meeting.ics"
    assert calendar.get_content().splitlines() == ICS.splitlines()


@sqlite_only
async def test_nothing_of_it_is_kept_or_logged(
    mailing: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], smtp: SmtpServer
) -> None:
    host = await mailing.operator()
    meeting = await mailing.meeting(host)
    smtp.refuses = "RCPT"
    answer = await post(host, meeting)
    assert answer.json() == {"mail_errors": ["recipient"]}
    smtp.refuses = ""
    await post(host, meeting)
    await mailing.settled()
    said = "".join(capsys.readouterr())
    kept = b"".join(path.read_bytes() for path in _database(tmp_path))
    for secret in ("berta@example.org", "Chorprobe", "#1.secret"):
        assert secret not in said
        assert secret.encode() not in kept


@sqlite_only
async def test_without_mail_settings_it_is_said(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    assert (await host.get("/api/v1/meetings")).json()["can_mail"] is False
    answer = await post(host, meeting)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_mail")


@sqlite_only
async def test_so_many_in_a_day(mailing: Stage, smtp: SmtpServer) -> None:
    host = await mailing.operator()
    meeting = await mailing.meeting(host)
    many = [f"person{number}@example.org" for number in range(40)]
    for _ in range(4):
        assert (await post(host, meeting, to=many)).status_code == 200
    await post(host, meeting)
    # All or none of them: 39 are left.
    answer = await post(host, meeting, to=many)
    assert (answer.status_code, answer.json()["code"]) == (429, "limit_reached")
    assert len(smtp.letters) == 161
    assert (await post(host, meeting, to=many[:39])).status_code == 200
    assert (await post(host, meeting)).status_code == 429
    mailing.clock.advance(timedelta(days=1))
    assert (await post(host, meeting, to=many)).status_code == 200


@sqlite_only
async def test_of_ones_own_meetings_alone(mailing: Stage, smtp: SmtpServer) -> None:
    host = await mailing.operator()
    meeting = await mailing.meeting(host)
    assert (await post(mailing.guest(), meeting)).status_code == 401
    await host.delete(f"/api/v1/meetings/{meeting}")
    assert (await post(host, meeting)).status_code == 404
    assert smtp.letters == []


@sqlite_only
@pytest.mark.parametrize(
    "changes",
    [
        {"to": []},
        {"to": "berta@example.org"},
        {"to": ["berta"]},
        {"to": ["berta@example.org\r\nBcc: x@example.org"]},
        {"to": ["berta@example.org\n"]},
        {"to": [" berta@example.org"]},
        {"to": ["berta@example.org, carl@example.org"]},
        {"to": ["Berta <berta@example.org>"]},
        {"to": ["bérta@example.org"]},
        {"to": ["\uff42erta@example.org"]},
        {"to": ["b" * 300 + "@example.org"]},
        {"to": [f"p{number}@example.org" for number in range(41)]},
        {"subject": ""},
        {"subject": "  "},
        {"subject": "Hello\r\nBcc: x@example.org"},
        {"subject": "Hello\nX: y"},
        {"subject": "Hello\u2028Bcc: x@example.org"},
        {"subject": "Hello\x00"},
        {"subject": "x" * 201},
        {"text": ""},
        {"text": "a\rb"},
        {"text": "a\x00b"},
        {"text": "x" * 8_001},
        {"ics": ""},
        {"ics": "BEGIN:VCALENDAR"},
        {"ics": ICS.replace("METHOD:PUBLISH", "METHOD:REQUEST")},
        {"ics": ICS.replace("\r\n", "\n")},
        {"ics": ICS.replace("VERSION:2.0", "VERSION:2.0\nX:1")},
        {"ics": ICS + "BEGIN:VCALENDAR\r\n"},
        {"ics": ICS.replace("Chorprobe", "x" * 24_000)},
        {"bcc": ["x@example.org"]},
    ],
    ids=lambda changes: repr(changes)[:50],
)
async def test_what_is_no_letter_is_refused(
    mailing: Stage, smtp: SmtpServer, changes: dict[str, Any]
) -> None:
    host = await mailing.operator()
    meeting = await mailing.meeting(host)
    answer = await post(host, meeting, **changes)
    assert answer.status_code == 422, answer.text
    assert smtp.letters == []
    assert "Bcc" not in answer.text
