"""LiveKit signalling as a state machine: requests, transport events and time in, effects out.

`machine.Signalling` is the whole of it for one process; every call takes `now` and returns the
effects to carry out, in order. Must never touch a socket, a clock, a database or a random source:
the shell (`conclave.media.signal_engine`) owns those.
"""

from conclave.media.signal.effects import Effect
from conclave.media.signal.machine import Signalling
from conclave.media.signal.state import Instant, Limits

__all__ = ["Effect", "Instant", "Limits", "Signalling"]
