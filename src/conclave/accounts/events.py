"""Domain events of accounts, as an audit log wants them: ids and fixed words only. Payloads never
hold a login, an address, or what somebody typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class _Event:
    org_id: str
    user_id: str | None
    """Whose account it is about."""

    def payload(self) -> Mapping[str, Any]:
        fields = asdict(self)
        del fields["org_id"]
        return fields


@dataclass(frozen=True, slots=True)
class SignedIn(_Event):
    type: ClassVar[str] = "account.signed_in"
    session_id: str
    method: str
    is_new_device: bool


@dataclass(frozen=True, slots=True)
class SignInRefused(_Event):
    """`user_id` is None when the attempt named no account. Written for both alike, so that neither
    takes longer."""

    type: ClassVar[str] = "account.sign_in_refused"
    method: str


@dataclass(frozen=True, slots=True)
class Reauthenticated(_Event):
    type: ClassVar[str] = "account.reauthenticated"
    session_id: str
    method: str


@dataclass(frozen=True, slots=True)
class SignedOut(_Event):
    type: ClassVar[str] = "account.signed_out"
    session_id: str


@dataclass(frozen=True, slots=True)
class SessionRevoked(_Event):
    type: ClassVar[str] = "account.session_revoked"
    session_id: str


@dataclass(frozen=True, slots=True)
class SessionMoved(_Event):
    """Refused: it was used from another address family than those it was proven in."""

    type: ClassVar[str] = "account.session_moved"
    session_id: str
    family: str


@dataclass(frozen=True, slots=True)
class PasskeyAdded(_Event):
    type: ClassVar[str] = "account.passkey_added"
    passkey_id: str


@dataclass(frozen=True, slots=True)
class PasskeyRemoved(_Event):
    type: ClassVar[str] = "account.passkey_removed"
    passkey_id: str


@dataclass(frozen=True, slots=True)
class PasskeyRefused(_Event):
    """Its signature was good, but its counter went back: there may be a copy of it."""

    type: ClassVar[str] = "account.passkey_refused"
    passkey_id: str


@dataclass(frozen=True, slots=True)
class PasswordSet(_Event):
    type: ClassVar[str] = "account.password_set"


@dataclass(frozen=True, slots=True)
class PasswordRemoved(_Event):
    type: ClassVar[str] = "account.password_removed"


@dataclass(frozen=True, slots=True)
class RecoveryCodesMade(_Event):
    type: ClassVar[str] = "account.recovery_codes_made"


@dataclass(frozen=True, slots=True)
class RecoveryCodeUsed(_Event):
    type: ClassVar[str] = "account.recovery_code_used"
    left: int


@dataclass(frozen=True, slots=True)
class LoginChanged(_Event):
    type: ClassVar[str] = "account.login_changed"


@dataclass(frozen=True, slots=True)
class DeviceLinkOpened(_Event):
    type: ClassVar[str] = "account.device_link_opened"
    link_id: str


@dataclass(frozen=True, slots=True)
class DeviceLinked(_Event):
    """The older device has handed over its parcel."""

    type: ClassVar[str] = "account.device_linked"
    link_id: str


@dataclass(frozen=True, slots=True)
class MemberInvited(_Event):
    """`user_id` is the operator's, here and in the next one."""

    type: ClassVar[str] = "member.invited"
    invitation_id: str
    role: str


@dataclass(frozen=True, slots=True)
class InvitationRevoked(_Event):
    type: ClassVar[str] = "member.invitation_revoked"
    invitation_id: str


@dataclass(frozen=True, slots=True)
class MemberJoined(_Event):
    type: ClassVar[str] = "member.joined"
    role: str
    way: str
    """`operator_link`, `invitation` or `registration`."""


@dataclass(frozen=True, slots=True)
class _OperatorsAct(_Event):
    by: str
    """Who did it: an operator, or the person itself."""


@dataclass(frozen=True, slots=True)
class MemberReset(_OperatorsAct):
    """A link that leads back to the account was made."""

    type: ClassVar[str] = "member.reset"


@dataclass(frozen=True, slots=True)
class MemberSuspended(_OperatorsAct):
    type: ClassVar[str] = "member.suspended"


@dataclass(frozen=True, slots=True)
class MemberRestored(_OperatorsAct):
    type: ClassVar[str] = "member.restored"


@dataclass(frozen=True, slots=True)
class MemberRemoved(_OperatorsAct):
    """The account and all that belongs to it are gone; other slices remove what is theirs."""

    type: ClassVar[str] = "member.removed"


@dataclass(frozen=True, slots=True)
class MemberRoleChanged(_OperatorsAct):
    type: ClassVar[str] = "member.role_changed"
    role: str
