"""A network of the test's own: loopback and one address that no packet can leave from.

libwebrtc gathers no loopback candidates, so its clients need some other interface to send from. A
network namespace belongs to a thread and to the threads it starts: entered before the media client
is loaded, everything of the test lives inside it, and the machine's real network is out of reach.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_CLONE_NEWNET = 0x40000000
ADDRESS = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): routed nowhere, even if it were to leave."""


@contextmanager
def own_network() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(_CLONE_NEWNET) != 0:
            pytest.skip("a network namespace needs root (CAP_SYS_ADMIN)")
        for command in (
            "link set lo up",
            # Up needs a far end that is up; nobody listens there.
            "link add media0 type veth peer name media1",
            f"address add {ADDRESS}/24 dev media0",
            "link set media1 up",
            "link set media0 up",
        ):
            subprocess.run(["ip", *command.split()], check=True, timeout=10)
        try:
            yield
        finally:
            libc.setns(before, _CLONE_NEWNET)
    finally:
        os.close(before)
