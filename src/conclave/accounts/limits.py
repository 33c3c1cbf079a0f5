"""How often one source or one account may try something. Numbers of the settings where an operator
may need others; fixed ones where nobody does."""

from __future__ import annotations

from conclave.kernel.app import App
from conclave.kernel.ratelimit import Rate

TEN_MINUTES = 600.0
DAY = 86_400.0

VAULT = Rate(120, 60.0)
ACCOUNT = Rate(300, 60.0)
"""Reads and small changes of one's own account."""
HASHES = Rate(10, TEN_MINUTES)
"""Passwords that one account sets up."""
INVITATIONS = Rate(200, 3_600.0)
"""Links that one operator makes."""
LETTERS = Rate(20, 3_600.0)
"""Letters about new devices to one account."""
SLIPS = Rate(2, DAY)
"""Refused sign-ins of one account in a day that are nobody's business: slips of the finger."""
MOVED = Rate(1, 3_600.0)
"""Notices of one session that was used from elsewhere."""
DEVICE_LINKS = Rate(240, TEN_MINUTES)


def try_sign_in(app: App, source: str) -> None:
    """Count one attempt of any kind by `source`; `LimitReached` past the settings' number."""
    rate = Rate(app.settings.limits.sign_ins_per_source, TEN_MINUTES)
    app.limiter.hit("sign_in", source, rate)


def ask_for_challenge(app: App, source: str) -> None:
    # A page asks for one whenever it is shown, so more often than somebody signs in.
    rate = Rate(3 * app.settings.limits.sign_ins_per_source, TEN_MINUTES)
    app.limiter.hit("challenge", source, rate)


def try_account(app: App, key: str) -> None:
    """Count one attempt at one account, whether it exists or not."""
    rate = Rate(app.settings.limits.sign_ins_per_account, TEN_MINUTES)
    app.limiter.hit("account", key, rate)


def register(app: App, source: str) -> None:
    rate = Rate(app.settings.limits.registrations_per_source, DAY)
    app.limiter.hit("register", source, rate)
