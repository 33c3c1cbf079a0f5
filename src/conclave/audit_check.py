"""`conclave audit`: does the audit log hang together? Also while the server runs."""

from __future__ import annotations

import asyncio
import sys

from conclave import accounts, audit
from conclave.app import database_url
from conclave.kernel.clock import SystemClock
from conclave.kernel.db import Database
from conclave.kernel.errors import ConclaveError
from conclave.kernel.migrate import migrate
from conclave.settings import Settings


def run(settings: Settings) -> int:
    try:
        verdict = asyncio.run(_verify(settings))
    except (ConclaveError, OSError) as error:
        print(f"conclave: {error}", file=sys.stderr)
        return 1
    if verdict.fault is not None:
        print(f"Broken at entry {verdict.fault}: it was changed, or one before it was taken out.")
        return 1
    if verdict.entries == 0:
        print("The log is empty.")
        return 0
    print(f"Whole: entries {verdict.first} to {verdict.last}.")
    print(f"Entry {verdict.last}: {verdict.head.hex()}")
    return 0


async def _verify(settings: Settings) -> audit.Verdict:
    db = Database(database_url(settings))
    try:
        await migrate(db)
        org_id = await accounts.ensure_organisation(db, SystemClock())
        return await audit.verify(db, org_id)
    finally:
        await db.close()
