"""Audit: who did what that matters for security, in an order that cannot be changed unseen.

This room writes down domain events of other slices as they come out of the outbox, each entry
sealed to the one before it by a hash. It must never hold a name, a login, an address or anything
that was said; nor be written by anything but the outbox.
"""

from __future__ import annotations

from functools import partial

from conclave.audit import service
from conclave.audit.kinds import KINDS
from conclave.audit.routes import router
from conclave.audit.service import Audit, Verdict, verify
from conclave.kernel.app import App
from conclave.kernel.slices import Slice

__all__ = ["SLICE", "Verdict", "verify"]


def _setup(app: App) -> None:
    app.provide(Audit, Audit())
    app.outbox.consume("audit", KINDS, partial(service.record, app))


SLICE = Slice(name="audit", routers=(router,), setup=_setup)
