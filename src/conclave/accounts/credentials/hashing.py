"""Passwords as argon2id (RFC 9106), with a bound on the memory that a flood can take.

Parameters: the second recommended option of RFC 9106, section 4 (64 MiB, 3 passes, 4 lanes), for
servers that cannot give 2 GiB to each sign-in. Measured in docs/reference/benchmarks.md. At most
`AT_ONCE` hashes are computed at the same time, so 128 MiB at most; `WAITING` more wait for their
turn, and whoever comes then is told to try again.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, Counter

from conclave.kernel.errors import LimitReached

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AT_ONCE = 2
WAITING = 32
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parameters:
    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4
    salt_bytes: int = 16
    hash_bytes: int = 32


class PasswordHashing:
    """Hashes and checks passwords beside the event loop."""

    def __init__(self, registry: CollectorRegistry, parameters: Parameters | None = None) -> None:
        self.parameters = parameters or Parameters()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2id")
        self._there = 0
        self._computed = Counter(
            "conclave_accounts_password_hashes_total",
            "Password hashes computed, to set or to check one",
            registry=registry,
        )

    async def hash(self, password: str) -> str:
        """The encoded hash (PHC string). `LimitReached` when too many wait already."""
        hasher, secret = _hasher(self.parameters), password.encode()
        return await self._compute(lambda: hasher.hash(secret))

    async def is_right(self, encoded: str | None, password: str) -> bool:
        """Does `password` fit? Without a hash (None) the same work is done for nothing."""
        hasher, secret = _hasher(self.parameters), password.encode()
        wanted = encoded if encoded is not None else _nobodys(self.parameters)

        def verify() -> bool:
            from argon2.exceptions import InvalidHashError, VerificationError

            try:
                return hasher.verify(wanted, secret)
            except (VerificationError, InvalidHashError):
                return False

        return await self._compute(verify) and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Was it made with other parameters than the present ones?"""
        return _hasher(self.parameters).check_needs_rehash(encoded)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _compute(self, work: Callable[[], T]) -> T:
        if self._there >= AT_ONCE + WAITING:
            raise LimitReached(
                "Too many people are signing in right now. Please try again in a moment.",
                retry_after=5.0,
            )
        self._there += 1
        try:
            self._computed.inc()
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._there -= 1


def _hasher(parameters: Parameters) -> PasswordHasher:
    # Loaded when somebody has a password: most servers' start does without.
    from argon2 import PasswordHasher, Type

    return PasswordHasher(
        time_cost=parameters.passes,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.lanes,
        hash_len=parameters.hash_bytes,
        salt_len=parameters.salt_bytes,
        type=Type.ID,
    )


def _nobodys(parameters: Parameters) -> str:
    """A well-formed hash that no password is known for: checking it costs what others cost."""
    salt = b64encode(bytes(parameters.salt_bytes)).decode().rstrip("=")
    digest = b64encode(bytes(parameters.hash_bytes)).decode().rstrip("=")
    costs = f"m={parameters.memory_kib},t={parameters.passes},p={parameters.lanes}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
