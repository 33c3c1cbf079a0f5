"""Rules of a meeting's life, without clock, socket or database.

A meeting stays open while somebody is there, across restarts too. Left empty, it ends after
`empty`; one that nobody ever joined ends after `unused`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from conclave.kernel.errors import Invalid

NAME_LIMIT = 60
# Marks upon one letter: no script needs more, and towers of them cover other people's tiles.
_MARK_LIMIT = 4
# What Unicode calls space separators (Zs); other white space is refused.
_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_JOINERS = "\u200c\u200d"
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    empty: timedelta
    unused: timedelta


@dataclass(frozen=True, slots=True)
class Occupancy:
    participants: int
    joined_at: datetime | None
    empty_since_at: datetime | None


def counted(before: Occupancy, participants: int, now: datetime) -> Occupancy:
    """What is known after the engine has said how many are there."""
    if participants > 0:
        return Occupancy(participants, before.joined_at or now, None)
    return Occupancy(0, before.joined_at, before.empty_since_at or now)


def end_reason(
    occupancy: Occupancy, lifetimes: Lifetimes, now: datetime
) -> Literal["empty", "unused"] | None:
    """Why this meeting ends by itself now, if it does."""
    if occupancy.participants > 0 or occupancy.empty_since_at is None:
        return None
    empty_for = now - occupancy.empty_since_at
    if occupancy.joined_at is None:
        return "unused" if empty_for >= lifetimes.unused else None
    return "empty" if empty_for >= lifetimes.empty else None


def display_name(text: str) -> str:
    """A name fit to be shown to others: trimmed, one form, 1 to 60 characters.

    Refused (`Invalid`, code `name`): what is invisible, moves the text around it (control and
    bidi characters, UAX #9) or piles up on it.
    """
    name = unicodedata.normalize("NFC", _SPACES.sub(" ", text).strip(" "))
    if not name:
        raise Invalid("Please enter a name.", code="name")
    if len(name) > NAME_LIMIT:
        raise Invalid(f"The name may have at most {NAME_LIMIT} characters.", code="name")
    marks = 0
    is_visible = False
    for character in name:
        category = unicodedata.category(character)
        if _is_refused(character, category):
            raise Invalid("The name has a character that cannot be shown safely.", code="name")
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > _MARK_LIMIT:
            raise Invalid("The name has too many marks on one letter.", code="name")
        if category[0] in "LNPS" and character not in _BLANK_LETTERS:
            is_visible = True
    if not is_visible:
        raise Invalid("The name needs a letter, a digit or a sign that can be seen.", code="name")
    return name


def _is_refused(character: str, category: str) -> bool:
    # Cc control, Cf format (all bidi controls among them), Cs surrogate, Co private use,
    # Zl and Zp separators. The two joiners are format characters that Persian and emoji need.
    if category in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return character not in _JOINERS
    return category == "Cn" and (
        ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    )
