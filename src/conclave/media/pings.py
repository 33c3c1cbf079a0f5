"""The short way of pings: answered by the extension, where it is built, before Python reads them.

Where it is not, the signalling machine answers them as it does everything else.
"""

from __future__ import annotations

from collections.abc import Callable

Pongs = Callable[[bytes, int], tuple[bytes, int, int]]
"""`conclave._media.pongs`."""


def load() -> Pongs | None:
    try:
        from conclave._media import pongs
    except ImportError:
        return None
    return pongs
