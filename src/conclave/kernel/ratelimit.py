"""Rate limits: so many within a period, by key, with a burst of the whole amount.

The generic cell rate algorithm keeps one float a key, so the memory is bounded by the number of
keys that are in debt; those without are dropped. Time comes from the App's clock. Keys are made of
`source_of(...)` (an address or network) and ids, never of secrets. Why this is not a library:
docs/decisions/0004-own-rate-limiter.md.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from conclave.kernel.clock import Clock
from conclave.kernel.errors import LimitReached


@dataclass(frozen=True, slots=True)
class Rate:
    amount: int
    seconds: float

    @property
    def interval(self) -> float:
        return self.seconds / self.amount


class RateLimiter:
    """In memory, for one process. `capacity` keys are held; past it the oldest are forgotten."""

    def __init__(self, clock: Clock, *, capacity: int = 100_000) -> None:
        self._clock = clock
        self._capacity = capacity
        # Key -> the moment at which the key is out of debt. Insertion order is age of debt.
        self._clear_at: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return len(self._clear_at)

    def hit(self, name: str, key: str, rate: Rate, times: int = 1) -> None:
        """Count so many uses of `name` by `key`, all or none; `LimitReached` past `rate`."""
        now = self._clock.monotonic()
        slot = (name, key)
        clear_at = max(self._clear_at.pop(slot, now), now)
        debt = rate.interval * times
        excess = clear_at + debt - now - rate.seconds
        # A hair of tolerance: sums of intervals are floats.
        if excess > 1e-9:
            self._clear_at[slot] = clear_at
            raise LimitReached(
                f"Too many attempts. Please wait {max(1, round(excess))} s and try again.",
                retry_after=excess,
            )
        self._clear_at[slot] = clear_at + debt
        if len(self._clear_at) > self._capacity:
            self._make_room(now)

    def _make_room(self, now: float) -> None:
        self._clear_at = {slot: at for slot, at in self._clear_at.items() if at > now}
        # Still full of debtors: forget the oldest tenth rather than grow or refuse everybody.
        surplus = len(self._clear_at) - self._capacity * 9 // 10
        if surplus > 0:
            for slot in list(self._clear_at)[:surplus]:
                del self._clear_at[slot]


def source_of(host: str | None) -> str:
    """The network that counts as one source: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def shortened(host: str | None) -> str:
    """An address fit for a log: IPv4 without its last byte, of IPv6 the first 48 bits."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "-"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, prefix), strict=False).network_address)
