"""Every packet of a network namespace, from its own loopback interface (packet(7))."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from types import TracebackType
from typing import Self

_CLONE_NEWNET = 0x40000000
_ETH_P_ALL = 0x0003
_ETHERNET_HEADER = 14
_LOOPBACK_V6 = bytes(15) + b"\x01"


class Capture:
    """Use as `with Capture(namespace) as capture`; `packets` is whole once the block has ended."""

    def __init__(self, namespace: str) -> None:
        self.packets: list[bytes] = []
        """From the Ethernet header on, in order; loopback shows each one twice."""
        self._namespace = namespace
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._is_open = threading.Event()
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_open.wait(10), "the capture did not begin"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join(10)

    def _run(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        # A namespace belongs to a thread: this one ends in it.
        network = os.open(f"/run/netns/{self._namespace}", os.O_RDONLY)
        try:
            if libc.setns(network, _CLONE_NEWNET) != 0:
                return
        finally:
            os.close(network)
        kind = socket.SOCK_RAW
        with socket.socket(socket.AF_PACKET, kind, socket.htons(_ETH_P_ALL)) as packets:
            packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            packets.settimeout(0.1)
            self._is_open.set()
            while not self._is_over.is_set():
                try:
                    self.packets.append(packets.recv(1 << 16))
                except TimeoutError:
                    continue

    def foreign(self) -> list[bytes]:
        """Packets from or to an address that is not a loopback one."""
        return [packet for packet in self.packets if not _stays_home(packet)]


def _stays_home(packet: bytes) -> bool:
    (kind,) = struct.unpack_from("!H", packet, 12)
    if kind == 0x0800:
        source, target = packet[26:30], packet[30:34]
        return source[0] == 127 and target[0] == 127
    if kind == 0x86DD:
        return packet[22:38] == _LOOPBACK_V6 and packet[38:54] == _LOOPBACK_V6
    return True
