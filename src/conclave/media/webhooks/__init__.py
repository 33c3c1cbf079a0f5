"""LiveKit's webhooks: signed POSTs that tell another server what happens in rooms.

`delivery` is the running part, `lanes` decides what is sent when, `store` keeps what is not
delivered over a restart, `sender` speaks HTTP. The kernel's outbox is not used: its consumers are
one line each, and here a receiver or a room that fails must not hold up the others. Must never
exist (nor store anything) while no URL is configured, and never log what an event says.
"""

from conclave.media.webhooks.delivery import Webhooks

__all__ = ["Webhooks"]
