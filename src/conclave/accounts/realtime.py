"""`/api/v1/realtime`: admits the pages of who is signed in to the realtime socket."""

from __future__ import annotations

import re

from starlette.websockets import WebSocket

from conclave.accounts import policy
from conclave.accounts.sessions import keeping
from conclave.kernel.app import current_app
from conclave.kernel.errors import ConclaveError
from conclave.kernel.http import base_url, check_origin
from conclave.kernel.problems import problem_of
from conclave.kernel.realtime import Realtime
from conclave.kernel.slices import guarded


@guarded("session")
async def realtime(websocket: WebSocket) -> None:
    app = await current_app(websocket)
    try:
        # Browsers let any page open a socket and send our cookie along: the origin decides.
        check_origin(app, websocket)
        actor = await policy.require_member(await policy.presence(websocket, app))
    except ConclaveError as error:
        await websocket.send_denial_response(problem_of(error))
        return

    async def still_allowed() -> bool:
        # By the session, not its token: that may have been made anew.
        return await keeping.is_alive(app, actor)

    await app.use(Realtime).serve(
        websocket,
        org_id=actor.org_id,
        user_id=actor.user_id,
        base_url=base_url(app, websocket),
        since=_since(websocket.query_params.get("since", "")),
        still_allowed=still_allowed,
    )


def _since(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
