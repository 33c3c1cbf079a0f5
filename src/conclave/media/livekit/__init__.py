"""The engine `livekit`: a LiveKit server or cluster carries the media, this process only steers.

Tokens are minted here with the cluster's key; rooms are steered over its RoomService; what happens
in them comes by its webhooks, and every 30 seconds by asking, for webhooks that were lost. Must
never send anything to another host than the one that the settings name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclave.kernel.clock import Clock
    from conclave.settings import Settings


async def probe(settings: Settings, clock: Clock) -> int:
    """Ask the cluster for its rooms, as `conclave doctor` does; how many there are.

    Raises the kernel's errors: `KeyRefused`, `Unavailable`, `Invalid` for keys that cannot be used.
    """
    from conclave.media.keys import load_keys
    from conclave.media.livekit.rooms import RoomService
    from conclave.media.livekit.twirp import Twirp

    twirp = Twirp(settings.media.livekit_api, pauses=())
    try:
        return len(await RoomService(twirp, load_keys(settings), clock).list_rooms())
    finally:
        await twirp.close()
