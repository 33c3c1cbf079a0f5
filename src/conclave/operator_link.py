"""`conclave operator-link`: a new one-time link, also while the server runs."""

from __future__ import annotations

import asyncio
import os
import sys

from conclave import accounts
from conclave.app import database_url
from conclave.kernel.clock import SystemClock
from conclave.kernel.db import Database
from conclave.kernel.errors import ConclaveError
from conclave.kernel.migrate import migrate
from conclave.settings import Settings


def run(settings: Settings) -> int:
    os.umask(0o077)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        token = asyncio.run(_new_link(settings))
    except (ConclaveError, OSError) as error:
        print(f"conclave: {error}", file=sys.stderr)
        return 1
    http = settings.http
    scheme = "http" if http.tls == "off" else "https"
    base = http.public_url or f"{scheme}://localhost:{http.port}"
    print(f"Operator link: {base}/operator#{token}")
    return 0


async def _new_link(settings: Settings) -> str:
    db = Database(database_url(settings))
    try:
        await migrate(db)
        return await accounts.new_operator_link(db, SystemClock())
    finally:
        await db.close()
