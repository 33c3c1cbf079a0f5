"""Types of the Rust module: openmls behind the engine contract of the web client.

Whatever a stranger sent ends in `Refused` and leaves the state as it was; a caller's own mistake
(no group yet, no commit staged) is a `RuntimeError`, an argument of a wrong shape a `ValueError`.
"""

from collections.abc import Callable, Sequence
from typing import final

@final
class LeafFacts:
    def __new__(
        cls,
        leaf: int,
        signature_key: bytes,
        account_key: bytes | None = None,
        invitation: bytes | None = None,
    ) -> LeafFacts: ...
    @property
    def leaf(self) -> int: ...
    @property
    def signature_key(self) -> bytes:
        """Ed25519, 32 bytes."""
    @property
    def account_key(self) -> bytes | None:
        """The account that certified the device; already verified."""
    @property
    def invitation(self) -> bytes | None:
        """The encoded Invitation by which it came; signature and binding already verified."""

@final
class GroupFacts:
    def __new__(
        cls,
        group_id: bytes,
        epoch: int,
        own_leaf: int,
        roster: Sequence[LeafFacts],
        meeting: bytes,
        authenticator: bytes,
    ) -> GroupFacts: ...
    @property
    def group_id(self) -> bytes: ...
    @property
    def epoch(self) -> int: ...
    @property
    def own_leaf(self) -> int: ...
    @property
    def roster(self) -> list[LeafFacts]:
        """In leaf order."""
    @property
    def meeting(self) -> bytes:
        """The bytes of extension 0xF0C0."""
    @property
    def authenticator(self) -> bytes:
        """32 bytes."""

@final
class KeyPackageFacts:
    def __new__(
        cls,
        reference: bytes,
        signature_key: bytes,
        account_key: bytes | None = None,
        invitation: bytes | None = None,
    ) -> KeyPackageFacts: ...
    @property
    def ref(self) -> bytes:
        """KeyPackageRef (RFC 9420, 5.2), 32 bytes."""
    @property
    def signature_key(self) -> bytes: ...
    @property
    def account_key(self) -> bytes | None: ...
    @property
    def invitation(self) -> bytes | None: ...

@final
class CommitFacts:
    def __new__(
        cls,
        sender: int,
        adds: Sequence[KeyPackageFacts],
        removes: Sequence[int],
        meeting: bytes | None,
        psks: Sequence[bytes],
    ) -> CommitFacts: ...
    @property
    def sender(self) -> int: ...
    @property
    def adds(self) -> list[KeyPackageFacts]: ...
    @property
    def removes(self) -> list[int]: ...
    @property
    def meeting(self) -> bytes | None:
        """The new bytes of 0xF0C0; None when they stay."""
    @property
    def psks(self) -> list[bytes]:
        """The ids of external PSKs."""

@final
class Applied:
    @property
    def before(self) -> GroupFacts: ...
    @property
    def after(self) -> GroupFacts: ...
    @property
    def commit(self) -> CommitFacts: ...

@final
class Removed:
    """The commit removed our own leaf."""

    @property
    def by(self) -> int: ...
    @property
    def is_replaced(self) -> bool:
        """The same key came back in the same commit."""

@final
class Opened:
    @property
    def sender(self) -> int:
        """A leaf of the epoch it was sent in."""
    @property
    def epoch(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    @property
    def aad(self) -> bytes: ...

Judge = Callable[[GroupFacts, CommitFacts], str | None]

@final
class Engine:
    """One member of one group. `judge` says why a commit is not taken (None: fine); without one
    only the fixed rules of the group hold."""

    def __new__(cls, seed: bytes, credential: bytes, judge: Judge | None = None) -> Engine:
        """`seed`: 32 bytes of an Ed25519 key. `credential`: an encoded ConclaveCredential."""
    @property
    def signature_key(self) -> bytes: ...
    @property
    def box_key(self) -> bytes:
        """X25519 public key for private messages, made with the engine."""
    def key_package(self) -> tuple[bytes, bytes]:
        """An encoded KeyPackage (MLSMessage) and its reference."""
    def inspect(self, key_package: bytes) -> KeyPackageFacts: ...
    def create(self, group_id: bytes, meeting: bytes) -> GroupFacts: ...
    def set_psk(self, psk: bytes) -> None: ...
    def join(self, welcome: bytes) -> GroupFacts: ...
    def facts(self) -> GroupFacts: ...
    def commit(
        self,
        *,
        adds: Sequence[bytes] = (),
        removes: Sequence[int] = (),
        meeting: bytes | None = None,
        with_psk: bool = False,
        aad: bytes = b"",
    ) -> tuple[bytes, bytes | None]:
        """Stages a commit: its bytes and a Welcome. A second call discards the first."""
    def merge(self) -> Applied: ...
    def discard(self) -> None: ...
    def apply(self, commit: bytes) -> Applied | Removed: ...
    def undo(self) -> bool:
        """Back to the state before the last commit; False when there is none."""
    def protect(self, content: bytes, aad: bytes = b"") -> tuple[bytes, int]:
        """An application message and the epoch it belongs to."""
    def open(self, message: bytes) -> Opened: ...
    def export_secret(self, label: str, context: bytes, length: int) -> bytes: ...
    def seal_to(self, recipient: bytes, info: bytes, aad: bytes, content: bytes) -> bytes: ...
    def open_box(self, info: bytes, aad: bytes, sealed: bytes) -> bytes | None: ...
    def sign(self, content: bytes) -> bytes: ...
