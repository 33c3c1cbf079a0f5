"""Letters by SMTP (RFC 5321), through the server of the settings and no other.

Plain text to one address, perhaps with a calendar file. Must never log a recipient, a subject or a
text, nor send a password over a connection without TLS (the settings refuse that).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter

from conclave.kernel.clock import Clock

if TYPE_CHECKING:
    from aiosmtplib import SMTP

    from conclave.settings import MailSettings

TIMEOUT_S = 10.0
AT_ONCE = 4
MailFault = Literal["unreachable", "tls", "credentials", "recipient", "refused"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    to: str
    subject: str
    text: str
    calendar: str | None = None
    """A whole calendar file (RFC 5545), to be read and not to be answered (RFC 5546, PUBLISH)."""


class MailFailed(Exception):
    """The letter was not taken; `fault` says at which step."""

    def __init__(self, fault: MailFault) -> None:
        super().__init__(fault)
        self.fault: MailFault = fault


class Mailer:
    def __init__(self, settings: MailSettings, clock: Clock, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._letters = Counter(
            "conclave_mail_letters_total",
            "Letters handed to the SMTP server, by what came of them",
            ["outcome"],
            registry=registry,
        )

    @property
    def can_mail(self) -> bool:
        return self._settings.host is not None

    async def send(self, letter: Letter) -> None:
        """Done when the SMTP server has taken the letter. Raises `MailFailed`."""
        try:
            async with self._slots, self._connected() as server:
                await server.send_message(self._message(letter))
        except MailFailed as error:
            log.warning("a letter could not be sent", fault=error.fault)
            self._letters.labels(error.fault).inc()
            raise
        self._letters.labels("sent").inc()

    async def probe(self) -> None:
        """Connect and sign in, send nothing. Raises `MailFailed`."""
        async with self._connected():
            pass

    def _message(self, letter: Letter) -> EmailMessage:
        sender = self._settings.sender or ""
        message = EmailMessage()
        message["From"] = f"conclave <{sender}>"
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{secrets.token_hex(16)}@{sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by machine, please
        message.set_content(letter.text)
        if letter.calendar is not None:
            message.add_attachment(
                letter.calendar,
                subtype="calendar",
                filename="meeting.ics",
                params={"method": "PUBLISH"},
            )
        return message

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        import aiosmtplib

        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.used_port,
            # Its own guess asks the name service.
            local_hostname=(settings.sender or "").partition("@")[2],
            use_tls=settings.security == "tls",
            start_tls=False,  # below, so that nothing is sent before and a refusal has its name
            timeout=TIMEOUT_S,
        )
        try:
            async with server:
                if settings.security == "starttls":
                    await _start_tls(server)
                if settings.user is not None and settings.password is not None:
                    await server.login(settings.user, settings.password.get_secret_value())
                yield server
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailFailed(_fault_of(error)) from error


async def _start_tls(server: SMTP) -> None:
    import aiosmtplib

    try:
        await server.starttls()
    except aiosmtplib.SMTPException as error:
        raise MailFailed("tls") from error


def _fault_of(error: BaseException) -> MailFault:
    import aiosmtplib

    kinds: tuple[tuple[type[BaseException], MailFault], ...] = (
        (aiosmtplib.SMTPAuthenticationError, "credentials"),
        (aiosmtplib.SMTPRecipientsRefused, "recipient"),
        (aiosmtplib.SMTPRecipientRefused, "recipient"),
        (aiosmtplib.SMTPConnectError, "unreachable"),
        (aiosmtplib.SMTPTimeoutError, "unreachable"),
        (aiosmtplib.SMTPServerDisconnected, "unreachable"),
        (OSError, "unreachable"),
    )
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return next((fault for kind, fault in kinds if isinstance(error, kind)), "refused")
