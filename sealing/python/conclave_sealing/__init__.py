"""A member of sealed meetings without a browser: for tests, bots and measurements.

A second implementation of docs/reference/sealing-protocol.md, over openmls. It holds keys, so it
must never be imported by the server or shipped in its wheel.
"""

from conclave_sealing._mls import (
    Applied,
    CommitFacts,
    Engine,
    GroupFacts,
    KeyPackageFacts,
    LeafFacts,
    Opened,
    Removed,
)
from conclave_sealing.errors import Reason, Refused

__all__ = [
    "Applied",
    "CommitFacts",
    "Engine",
    "GroupFacts",
    "KeyPackageFacts",
    "LeafFacts",
    "Opened",
    "Reason",
    "Refused",
    "Removed",
]
