"""Two MLS implementations behind one face: the web client's (in a Node process) and openmls."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from conclave_sealing import (
    Applied,
    CommitFacts,
    Engine,
    GroupFacts,
    KeyPackageFacts,
    LeafFacts,
    Refused,
    Removed,
)
from conclave_sealing.invitation import ATTENDEE, COHOST, Bound, Invitation
from conclave_sealing.judge import judge
from conclave_sealing.keys import credential_of, public_half

WEB = Path(__file__).parents[2] / "web"


@dataclass(frozen=True, slots=True)
class Change:
    """An applied commit, whoever implemented it."""

    before: GroupFacts
    after: GroupFacts
    commit: CommitFacts


@dataclass(frozen=True, slots=True)
class Gone:
    by: int
    is_replaced: bool


@dataclass(frozen=True, slots=True)
class Said:
    sender: int
    epoch: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Who:
    """Keys of a member of tests, the same in every run."""

    name: str
    account: str | None = None
    is_judged: bool = True
    bound: Bound | None = None
    """By which personal invitation; of this device."""

    @property
    def seed(self) -> bytes:
        return sha256(f"device {self.name}".encode()).digest()

    @property
    def key(self) -> bytes:
        return public_half(self.seed)

    @property
    def account_seed(self) -> bytes | None:
        return None if self.account is None else account_seed(self.account)

    @property
    def credential(self) -> bytes:
        bound = None if self.bound is None else self.bound.encode()
        return credential_of(self.key, self.account_seed, bound)


def account_seed(name: str) -> bytes:
    return sha256(f"account {name}".encode()).digest()


class Member(Protocol):
    """Refusals are `Refused`, whatever the implementation."""

    kind: str
    who: Who

    def key_package(self) -> tuple[bytes, bytes]: ...
    def inspect(self, key_package: bytes) -> KeyPackageFacts: ...
    def create(self, group_id: bytes, meeting: bytes) -> GroupFacts: ...
    def set_psk(self, psk: bytes) -> None: ...
    def join(self, welcome: bytes) -> GroupFacts: ...
    def commit(
        self,
        *,
        adds: Sequence[bytes] = (),
        removes: Sequence[int] = (),
        meeting: bytes | None = None,
        with_psk: bool = False,
    ) -> tuple[bytes, bytes | None]: ...
    def merge(self) -> Change: ...
    def discard(self) -> None: ...
    def apply(self, commit: bytes) -> Change | Gone: ...
    def undo(self) -> bool: ...
    def protect(self, content: bytes) -> tuple[bytes, int]: ...
    def open(self, message: bytes) -> Said: ...
    def export_secret(self, label: str, context: bytes, length: int) -> bytes: ...
    def box_key(self) -> bytes: ...
    def seal_to(self, recipient: bytes, info: bytes, aad: bytes, content: bytes) -> bytes: ...
    def open_box(self, info: bytes, aad: bytes, sealed: bytes) -> bytes | None: ...
    def sign(self, content: bytes) -> bytes: ...
    def close(self) -> None: ...


class RustMember:
    kind = "openmls"

    def __init__(self, who: Who) -> None:
        self.who = who
        self.engine = Engine(who.seed, who.credential, judge if who.is_judged else None)
        self.key_package = self.engine.key_package
        self.inspect = self.engine.inspect
        self.create = self.engine.create
        self.set_psk = self.engine.set_psk
        self.join = self.engine.join
        self.commit = self.engine.commit
        self.discard = self.engine.discard
        self.undo = self.engine.undo
        self.protect = self.engine.protect
        self.export_secret = self.engine.export_secret
        self.seal_to = self.engine.seal_to
        self.open_box = self.engine.open_box
        self.sign = self.engine.sign

    def merge(self) -> Change:
        return _change(self.engine.merge())

    def apply(self, commit: bytes) -> Change | Gone:
        done = self.engine.apply(commit)
        return Gone(done.by, done.is_replaced) if isinstance(done, Removed) else _change(done)

    def open(self, message: bytes) -> Said:
        opened = self.engine.open(message)
        return Said(opened.sender, opened.epoch, opened.content)

    def box_key(self) -> bytes:
        return self.engine.box_key

    def close(self) -> None:
        """Nothing to let go: the engine goes with the member."""


def _change(applied: Applied) -> Change:
    return Change(applied.before, applied.after, applied.commit)


class Failed(Exception):
    """The web client's engine threw: a mistake of the test, or of the engine."""


@dataclass
class NodeProcess:
    """`web/test/interop/engines.ts`, one request at a time."""

    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--disable-warning=ExperimentalWarning", "test/interop/engines.ts"],
            cwd=WEB,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, engine: str, call: str, *args: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps({"engine": engine, "call": call, "args": args}, default=_plain)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline(), object_hook=_revive)
        if "failed" in said:
            raise Failed(f"{call}: {said['failed']}")
        if isinstance(said["ok"], dict) and said["ok"].get("type") == "refused":
            raise Refused(said["ok"]["reason"], said["ok"]["detail"])
        return said["ok"]

    def stop(self) -> None:
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()


def _plain(value: object) -> object:
    assert isinstance(value, bytes), value
    return {"b": b64encode(value).decode()}


def _revive(found: dict[str, Any]) -> Any:
    return b64decode(found["b"]) if set(found) == {"b"} else found


class NodeMember:
    kind = "ts-mls"
    _made = 0

    def __init__(self, who: Who, node: NodeProcess) -> None:
        NodeMember._made += 1
        self.who = who
        self._node = node
        self._name = f"{who.name} {NodeMember._made}"
        self._ask(
            "new",
            {
                "seed": who.seed,
                "publicKey": who.key,
                "credential": who.credential,
                "isJudged": who.is_judged,
            },
        )

    def _ask(self, call: str, *args: object) -> Any:
        return self._node.ask(self._name, call, *args)

    def key_package(self) -> tuple[bytes, bytes]:
        made = self._ask("keyPackage")
        return made["bytes"], made["ref"]

    def inspect(self, key_package: bytes) -> KeyPackageFacts:
        return _key_package(self._ask("inspect", key_package))

    def create(self, group_id: bytes, meeting: bytes) -> GroupFacts:
        return _group(self._ask("create", group_id, meeting))

    def set_psk(self, psk: bytes) -> None:
        self._ask("setPsk", psk)

    def join(self, welcome: bytes) -> GroupFacts:
        return _group(self._ask("join", welcome))

    def commit(
        self,
        *,
        adds: Sequence[bytes] = (),
        removes: Sequence[int] = (),
        meeting: bytes | None = None,
        with_psk: bool = False,
    ) -> tuple[bytes, bytes | None]:
        changes = {
            "adds": list(adds),
            "removes": list(removes),
            "meeting": meeting,
            "withPsk": with_psk,
        }
        staged = self._ask("commit", changes)
        return staged["commit"], staged["welcome"]

    def merge(self) -> Change:
        change = _applied(self._ask("merge"))
        assert isinstance(change, Change)
        return change

    def discard(self) -> None:
        self._ask("discard")

    def apply(self, commit: bytes) -> Change | Gone:
        return _applied(self._ask("apply", commit))

    def undo(self) -> bool:
        return bool(self._ask("undo"))

    def protect(self, content: bytes) -> tuple[bytes, int]:
        made = self._ask("protect", content)
        return made["bytes"], made["epoch"]

    def open(self, message: bytes) -> Said:
        opened = self._ask("open", message)
        return Said(opened["sender"], opened["epoch"], opened["content"])

    def export_secret(self, label: str, context: bytes, length: int) -> bytes:
        return bytes(self._ask("exportSecret", label, context, length))

    def box_key(self) -> bytes:
        return bytes(self._ask("boxKey"))

    def seal_to(self, recipient: bytes, info: bytes, aad: bytes, content: bytes) -> bytes:
        return bytes(self._ask("sealTo", recipient, info, aad, content))

    def open_box(self, info: bytes, aad: bytes, sealed: bytes) -> bytes | None:
        opened: bytes | None = self._ask("openBox", info, aad, sealed)
        return opened

    def sign(self, content: bytes) -> bytes:
        return bytes(self._ask("sign", content))

    def close(self) -> None:
        self._ask("close")


def _leaf(found: dict[str, Any]) -> LeafFacts:
    return LeafFacts(
        found["leaf"], found["signatureKey"], found["accountKey"], _invitation(found["invitation"])
    )


def _invitation(found: dict[str, Any] | None) -> bytes | None:
    if found is None:
        return None
    return Invitation(
        meeting=found["meetingId"].encode(),
        key=found["key"],
        role={"attendee": ATTENDEE, "cohost": COHOST}[found["role"]],
        expires_at=found["expiresAt"],
        name=found["name"],
        account_key=found["accountKey"],
        signature=found["signature"],
    ).encode()


def _group(found: dict[str, Any]) -> GroupFacts:
    return GroupFacts(
        found["groupId"],
        found["epoch"],
        found["ownLeaf"],
        [_leaf(leaf) for leaf in found["roster"]],
        found["meeting"],
        found["authenticator"],
    )


def _key_package(found: dict[str, Any]) -> KeyPackageFacts:
    return KeyPackageFacts(
        found["ref"],
        found["signatureKey"],
        found["accountKey"],
        _invitation(found["invitation"]),
    )


def _applied(found: dict[str, Any]) -> Change | Gone:
    if found["type"] == "removed":
        return Gone(found["by"], found["isReplaced"])
    commit = found["commit"]
    return Change(
        _group(found["before"]),
        _group(found["after"]),
        CommitFacts(
            commit["sender"],
            [_key_package(add) for add in commit["adds"]],
            commit["removes"],
            commit["meeting"],
            commit["psks"],
        ),
    )
