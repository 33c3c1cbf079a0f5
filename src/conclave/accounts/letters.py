"""Letters about accounts, in plain text. Must never hold a link that signs in to an account that
exists: who reads the mail is not yet who owns the account."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from conclave.kernel.mail import Letter

_INVITATION = {
    "en": (
        "Your invitation to conclave",
        """Hello,

you are invited to video meetings at {base}.

This link makes your account. It works once, until {day}, and is for you alone:

{url}

If you did not expect this letter, leave it at that: without the link nothing happens.
""",
    ),
    "de": (
        "Ihre Einladung zu conclave",
        """Guten Tag,

Sie sind eingeladen zu Videotreffen auf {base}.

Dieser Link legt Ihr Konto an. Er gilt einmal, bis {day}, und nur für Sie:

{url}

Falls Sie diesen Brief nicht erwartet haben, lassen Sie es dabei: ohne den Link geschieht nichts.
""",
    ),
}
_NEW_DEVICE = """Hello,

somebody has signed in to your account at {base} with a browser that was not used there before:

{browser}, {place}, {time} UTC

If that was you, all is well. If not: sign in, open "Account", end that session and remove what you
do not know.

- - -

Guten Tag,

bei Ihrem Konto auf {base} hat sich jemand mit einem Browser angemeldet, der dort neu ist:

{browser}, {place}, {time} UTC

Waren Sie das, ist alles gut. Wenn nicht: Melden Sie sich an, öffnen Sie „Konto“, beenden Sie diese
Sitzung und entfernen Sie, was Sie nicht kennen.
"""


def invitation(
    to: str, url: str, base: str, expires_at: datetime, language: Literal["en", "de"]
) -> Letter:
    subject, text = _INVITATION[language]
    day = f"{expires_at:%Y-%m-%d}" if language == "en" else f"{expires_at:%d.%m.%Y}"
    return Letter(to, subject, text.format(base=base, url=url, day=day))


def new_device(to: str, base: str, *, browser: str, place: str, at: datetime) -> Letter:
    """In both languages: which one the owner reads is not known here."""
    text = _NEW_DEVICE.format(
        base=base, browser=browser, place=place or "-", time=f"{at:%Y-%m-%d %H:%M}"
    )
    return Letter(to, "New sign-in / Neue Anmeldung", text)
