"""A network of the test's own: loopback and one address that no packet can leave from.

libwebrtc gathers no loopback candidates, so its clients need some other interface to send from. A
network namespace belongs to a thread and to the threads it starts: entered before the media client
is loaded, everything of the test lives inside it, and the machine's real network is out of reach.
The media client's threads outlive a module of tests and stay where they were born, so a process has
one such network and goes back into it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_CLONE_NEWNET = 0x40000000
_HERE = "/proc/thread-self/ns/net"
ADDRESS = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): routed nowhere, even if it were to leave."""


_made: list[int] = []
"""The descriptor that keeps this process's network alive, once there is one."""


@contextmanager
def own_network() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(_HERE, os.O_RDONLY)
    try:
        if _made:
            libc.setns(_made[0], _CLONE_NEWNET)
        else:
            _make(libc)
        try:
            yield
        finally:
            libc.setns(before, _CLONE_NEWNET)
    finally:
        os.close(before)


def _make(libc: ctypes.CDLL) -> None:
    if libc.unshare(_CLONE_NEWNET) != 0:
        pytest.skip("a network namespace needs root (CAP_SYS_ADMIN)")
    _made.append(os.open(_HERE, os.O_RDONLY))
    for command in (
        "link set lo up",
        # Up needs a far end that is up; nobody listens there.
        "link add media0 type veth peer name media1",
        f"address add {ADDRESS}/24 dev media0",
        "link set media1 up",
        "link set media0 up",
    ):
        subprocess.run(["ip", *command.split()], check=True, timeout=10)
