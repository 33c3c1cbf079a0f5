"""A loopback whose receiving half runs on another core than the server: a second machine, as far as
one machine can be one.

On loopback the kernel delivers a packet in the sender's context, so that a server's processor time
holds what its receivers' machines would do, the same for every server; that pulls a ratio of two
servers towards one. In a network namespace of its own, received packets are steered to one core
(Receive Packet Steering, Documentation/networking/scaling.rst of the kernel) and the server is kept
on another. Must change nothing outside of the namespace.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SERVER_CPU, RECEIVERS_CPU = 0, 1
_INSIDE = "BENCH_APART"
_STEERING = Path("/sys/class/net/lo/queues/rx-0/rps_cpus")


def is_inside() -> bool:
    return os.environ.get(_INSIDE) == "1"


def enter() -> None:
    """Go on in a namespace of our own; returns there. Needs root and two cores."""
    if not is_inside():
        os.environ[_INSIDE] = "1"
        command = ["unshare", "--net", "--mount", sys.executable, *sys.argv]
        os.execvp(command[0], command)  # noqa: S606  our own program
    for step in ("mount -t sysfs sysfs /sys", "ip link set lo up"):
        subprocess.run(step.split(), check=True, timeout=10)
    _STEERING.write_text(f"{1 << RECEIVERS_CPU:x}\n")
    # What is started from here runs beside the receivers; servers are put on their own core.
    os.sched_setaffinity(0, {RECEIVERS_CPU})


def server_command(command: list[str]) -> list[str]:
    return ["taskset", "--cpu-list", str(SERVER_CPU), *command] if is_inside() else command
