"""Shapes of letters about a meeting. What goes into a head of a letter is held to one line of plain
characters, so that nothing can be smuggled in behind it."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conclave.accounts import is_address
from conclave.kernel.mail import MailFault

MOST = 40
"""Addresses at once."""


def _is_address(value: str) -> str:
    # What is sent is what was checked: nothing is folded or stripped here.
    if not value.isascii() or value.strip() != value or not is_address(value):
        msg = "no e-mail address"
        raise ValueError(msg)
    return value


def _is_line(value: str) -> str:
    if not value.strip() or any(unicodedata.category(one) in _UNSEEN for one in value):
        msg = "not one line of plain characters"
        raise ValueError(msg)
    return value


def _is_text(value: str) -> str:
    if any(unicodedata.category(one) in {"Cc", "Cs"} for one in value if one not in "\n\t"):
        msg = "not plain text"
        raise ValueError(msg)
    return value


def _is_calendar(value: str) -> str:
    lines = value.split("\r\n")
    is_whole = lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""]
    if not is_whole or "METHOD:PUBLISH" not in lines:
        msg = "no calendar file to be published (RFC 5546)"
        raise ValueError(msg)
    for line in lines:
        _is_text(line)
        if "\n" in line:
            msg = "lines end with CR LF (RFC 5545)"
            raise ValueError(msg)
    return value


_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


class LettersIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Annotated[
        list[Annotated[str, Field(max_length=254), AfterValidator(_is_address)]],
        Field(min_length=1, max_length=MOST),
    ]
    subject: Annotated[str, Field(max_length=200), AfterValidator(_is_line)]
    text: Annotated[str, Field(min_length=1, max_length=8_000), AfterValidator(_is_text)]
    ics: Annotated[str, Field(max_length=24_000), AfterValidator(_is_calendar)]


class LettersOut(BaseModel):
    mail_errors: list[MailFault | None]
    """In the order of `to`; null: taken by the SMTP server."""
