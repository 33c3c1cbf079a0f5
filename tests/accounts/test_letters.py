"""Letters: invitations and new devices, in two languages, and every way in which they fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError

from conclave.settings import MailSettings, Settings
from tests.accounts.authenticator import Authenticator
from tests.accounts.smtp import SmtpServer
from tests.accounts.steps import add_passkey, good, post, sign_in
from tests.databases import sqlite_only
from tests.stage import Stage

pytestmark = [pytest.mark.unit]

NewStage = Callable[[Settings], Stage]


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with SmtpServer().running() as server:
        yield server


def _mail(server: SmtpServer, **changes: object) -> MailSettings:
    return MailSettings.model_validate(
        {
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "sender": "conclave@example.org",
            **changes,
        }
    )


async def _stage(new_stage: NewStage, settings: Settings, mail: MailSettings) -> Stage:
    stage = new_stage(settings.model_copy(update={"mail": mail}))
    await stage.start()
    return stage


@sqlite_only
@pytest.mark.parametrize(
    "expected",
    [
        ("en", "Your invitation to conclave", "you are invited"),
        ("de", "Ihre Einladung zu conclave", "Sie sind eingeladen"),
    ],
)
async def test_an_invitation_is_mailed(
    settings: Settings,
    new_stage: NewStage,
    smtp: SmtpServer,
    expected: tuple[str, str, str],
) -> None:
    language, subject, words = expected
    stage = await _stage(new_stage, settings, _mail(smtp))
    operator = await stage.operator()
    assert (await good(await operator.get("/api/v1/members")))["can_mail"] is True
    body = {"role": "member", "login": "berta@example.org", "mail": True, "language": language}
    link = await good(await post(operator, "/members/invitations", body), 201)
    assert (link["mailed"], link["mail_error"]) == (True, None)
    (letter,) = smtp.letters
    assert letter["to"] == "berta@example.org"
    assert letter["from"] == "conclave <conclave@example.org>"
    assert letter["subject"] == subject
    assert letter["date"] == "Thu, 01 Jan 2026 00:00:00 +0000"
    text = letter.get_content()
    assert words in text
    assert link["url"] in text


@sqlite_only
async def test_without_mail_settings_the_link_is_handed_over(stage: Stage) -> None:
    operator = await stage.operator()
    body = {"role": "member", "login": "berta@example.org", "mail": True}
    answer = await post(operator, "/members/invitations", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_mail")
    assert (await good(await operator.get("/api/v1/members")))["invitations"] == []


@sqlite_only
@pytest.mark.parametrize("login", [None, "berta", "berta@example.org\r\nBcc: x@example.org"])
async def test_a_letter_needs_an_address(
    settings: Settings, new_stage: NewStage, smtp: SmtpServer, login: str | None
) -> None:
    stage = await _stage(new_stage, settings, _mail(smtp))
    body = {"role": "member", "login": login, "mail": True}
    answer = await post(await stage.operator(), "/members/invitations", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "login")
    assert smtp.letters == []


@sqlite_only
@pytest.mark.parametrize(
    ("refuses", "fault"), [("RCPT", "recipient"), ("MAIL", "refused"), ("DATA", "refused")]
)
async def test_a_refused_letter_leaves_the_link(
    settings: Settings, new_stage: NewStage, smtp: SmtpServer, refuses: str, fault: str
) -> None:
    smtp.refuses = refuses
    stage = await _stage(new_stage, settings, _mail(smtp))
    operator = await stage.operator()
    body = {"role": "member", "login": "berta@example.org", "mail": True}
    link = await good(await post(operator, "/members/invitations", body), 201)
    assert (link["mailed"], link["mail_error"]) == (False, fault)
    token = link["url"].partition("#")[2]
    await good(await post(stage.guest(), "/welcome", {"token": token}))


@sqlite_only
@pytest.mark.parametrize(
    "changes",
    [
        {"security": "starttls"},
        {"security": "tls"},
        {"security": "starttls", "user": "conclave", "password": "secret"},
    ],
    ids=str,
)
async def test_no_letter_and_no_password_goes_without_tls(
    settings: Settings,
    new_stage: NewStage,
    smtp: SmtpServer,
    changes: dict[str, str],
) -> None:
    smtp.offers = ("AUTH PLAIN",)
    stage = await _stage(new_stage, settings, _mail(smtp, **changes))
    body = {"role": "member", "login": "berta@example.org", "mail": True}
    answer = await post(await stage.operator(), "/members/invitations", body)
    assert (await good(answer, 201))["mail_error"] == "tls"
    assert smtp.letters == []
    assert "AUTH" not in smtp.commands


@sqlite_only
async def test_a_server_that_is_away(settings: Settings, new_stage: NewStage) -> None:
    async with SmtpServer().running() as server:
        mail = _mail(server)
    stage = await _stage(new_stage, settings, mail)
    body = {"role": "member", "login": "berta@example.org", "mail": True}
    answer = await post(await stage.operator(), "/members/invitations", body)
    assert (await good(answer, 201))["mail_error"] == "unreachable"


async def test_a_new_device_is_written_about_once(
    settings: Settings, new_stage: NewStage, smtp: SmtpServer
) -> None:
    stage = await _stage(new_stage, settings, _mail(smtp))
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    await person.put("/api/v1/account/login", json={"login": "anna@example.org"})
    await stage.settled()
    assert smtp.letters == []
    phone = stage.guest()
    for _ in range(2):
        await good(await sign_in(phone, authenticator))
        await stage.settled()
    (letter,) = smtp.letters
    assert letter["to"] == "anna@example.org"
    text = letter.get_content()
    assert "somebody has signed in" in text
    assert "hat sich jemand" in text
    assert "198.51.100.0/24" in text
    assert "#" not in text, "no link that signs in"


@sqlite_only
async def test_a_letter_that_fails_holds_nothing_up(
    settings: Settings, new_stage: NewStage, smtp: SmtpServer
) -> None:
    smtp.refuses = "RCPT"
    stage = await _stage(new_stage, settings, _mail(smtp))
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    await person.put("/api/v1/account/login", json={"login": "anna@example.org"})
    for number in range(3):
        await good(await sign_in(stage.guest(address=f"203.0.113.{number}"), authenticator))
    await stage.settled()
    assert smtp.commands.count("RCPT") == 3
    stage.clock.advance(timedelta(hours=1))


@pytest.mark.parametrize(
    "values",
    [
        {"host": "mail.example.org"},
        {"host": "mail.example.org", "sender": "conclave"},
        {"host": "mail.example.org", "sender": "a@b\r\nBcc: x@y"},
        {"host": "smtp://mail.example.org", "sender": "a@b"},
        {"host": "m", "sender": "a@b", "user": "a"},
        {"host": "m", "sender": "a@b", "password": "a"},
        {"host": "m", "sender": "a@b", "security": "none", "user": "a", "password": "b"},
        {"host": "m", "sender": "a@b", "port": 0},
        {"host": "m", "sender": "a@b", "security": "ssl"},
    ],
    ids=str,
)
def test_settings_that_cannot_be(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MailSettings.model_validate(values)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_usual_ports(security: str, port: int) -> None:
    values = {"host": "m", "sender": "a@b", "security": security}
    assert MailSettings.model_validate(values).used_port == port
    assert MailSettings.model_validate({**values, "port": 2525}).used_port == 2525
    secret = MailSettings(host="m", sender="a@b", user="u", password=SecretStr("geheim"))
    assert "geheim" not in repr(secret)
