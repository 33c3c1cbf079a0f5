"""Who may change what in a group: the role table of sealing-protocol.md, 3. Pure.

It is asked in the middle of applying a commit, with what is signed and nothing else. Who left or is
lost is not signed by the group, so a Remove of another by a plain member is never refused here
(of a host neither): receivers show it as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from conclave_sealing._mls import CommitFacts, GroupFacts, KeyPackageFacts, LeafFacts
from conclave_sealing.context import MeetingContext
from conclave_sealing.invitation import COHOST, Invitation
from conclave_sealing.keys import LINK_PSK_ID, fingerprint_of

Role = Literal["host", "cohost", "member"]


def counting(invitation: bytes | None, context: MeetingContext) -> Invitation | None:
    """An invitation that counts in this group: to this meeting, by this host, not revoked.

    `invitation`: as in the facts of a leaf or KeyPackage, where its signature and its binding are
    right already. Whether it has expired is not asked: members' clocks differ, and all have to
    judge alike.
    """
    found = None if invitation is None else Invitation.read(invitation)
    if found is None or not any(context.fingerprint):
        return None
    is_ours = (
        found.meeting == context.meeting
        and fingerprint_of(found.account_key) == context.fingerprint
    )
    return found if is_ours and found.id not in context.policy.revoked else None


def holders(people: Iterable[LeafFacts | KeyPackageFacts]) -> dict[bytes, set[bytes]]:
    """Of each invitation, by its key: the signature keys that carry it, counting or not."""
    found: dict[bytes, set[bytes]] = {}
    for one in people:
        invitation = None if one.invitation is None else Invitation.read(one.invitation)
        if invitation is not None:
            found.setdefault(invitation.key, set()).add(one.signature_key)
    return found


def is_host(one: LeafFacts | KeyPackageFacts, context: MeetingContext) -> bool:
    """By the account key that the link names."""
    account = one.account_key
    return account is not None and fingerprint_of(account) == context.fingerprint


def is_shut(one: KeyPackageFacts, context: MeetingContext) -> bool:
    """A device that stays outside, whoever wants it in; never a host's."""
    return one.signature_key in context.policy.blocked and not is_host(one, context)


def is_same(old: LeafFacts, new: KeyPackageFacts) -> bool:
    """Is this the old leaf's owner, come back with all that it said of itself?"""
    return (old.signature_key, old.account_key, old.invitation) == (
        new.signature_key,
        new.account_key,
        new.invitation,
    )


def role_of(leaf: LeafFacts, context: MeetingContext) -> Role:
    if is_host(leaf, context):
        return "host"
    invitation = counting(leaf.invitation, context)
    is_invited = invitation is not None and invitation.role == COHOST
    return "cohost" if is_invited or leaf.signature_key in context.policy.cohosts else "member"


def judge(before: GroupFacts, commit: CommitFacts) -> str | None:
    context = MeetingContext.read(before.meeting)
    if context is None:
        return "the group has no meeting"
    members = {leaf.leaf: leaf for leaf in before.roster}
    sender = members.get(commit.sender)
    if sender is None:
        return "the sender is no member"
    role = role_of(sender, context)
    return (
        _psks(commit)
        or _meeting(role, context, commit)
        or _removes(members, commit)
        or _adds(role, context, members, commit)
    )


def _psks(commit: CommitFacts) -> str | None:
    if len(commit.psks) > 1:
        return "more than one PSK"
    return None if all(psk == LINK_PSK_ID for psk in commit.psks) else "an unknown PSK"


def _meeting(role: Role, context: MeetingContext, commit: CommitFacts) -> str | None:
    if commit.meeting is None:
        return None
    if role == "member":
        return "only who leads changes the policy"
    following = MeetingContext.read(commit.meeting)
    if following is None:
        return "a damaged policy"
    if not following.is_same_meeting(context):
        return "more than the policy changed"
    is_kept = all(
        set(before) <= set(after)
        for before, after in (
            (context.policy.cohosts, following.policy.cohosts),
            (context.policy.revoked, following.policy.revoked),
            (context.policy.blocked, following.policy.blocked),
        )
    )
    return None if role == "host" or is_kept else "a co-host takes nothing back"


def _removes(members: dict[int, LeafFacts], commit: CommitFacts) -> str | None:
    if commit.sender in commit.removes:
        return "nobody removes itself"
    return None if all(leaf in members for leaf in commit.removes) else "a Remove of nobody"


def _adds(
    role: Role, context: MeetingContext, members: dict[int, LeafFacts], commit: CommitFacts
) -> str | None:
    keys = {leaf.signature_key: leaf for leaf in members.values()}
    added: set[bytes] = set()
    for add in commit.adds:
        if add.signature_key in added:
            return "the same key twice"
        added.add(add.signature_key)
        old = keys.get(add.signature_key)
        if old is not None and old.leaf not in commit.removes:
            return "the key is in the group"
        # A co-host could keep the host out of their own room else.
        if is_shut(add, context):
            return "a blocked device"
    return _by_member(context, members, keys, commit) if role == "member" else None


def _by_member(
    context: MeetingContext,
    members: dict[int, LeafFacts],
    keys: dict[bytes, LeafFacts],
    commit: CommitFacts,
) -> str | None:
    """What neither host nor co-host may add."""
    stay = [leaf for leaf in members.values() if leaf.leaf not in commit.removes]
    held = holders([*stay, *commit.adds])
    for add in commit.adds:
        old = keys.get(add.signature_key)
        if old is not None and is_same(old, add):
            continue
        refused = _newcomer(context, members[commit.sender], add, held, bool(commit.psks))
        if refused is not None:
            return refused
    return None


def _newcomer(
    context: MeetingContext,
    sender: LeafFacts,
    add: KeyPackageFacts,
    held: dict[bytes, set[bytes]],
    has_psk: bool,
) -> str | None:
    """Of a device that was not in the group before."""
    # Whoever is inside may let the host in: they must never be locked out of their own room.
    if has_psk and is_host(add, context):
        return None
    if context.policy.is_locked:
        return "a member adds nobody while it is locked"
    if add.invitation is None:
        is_free = has_psk and context.policy.entry == "open"
    else:
        invitation = counting(add.invitation, context)
        if invitation is None:
            return "an invitation that does not count"
        keys = held[invitation.key]
        is_further = sender.signature_key in keys
        if not is_further and keys != {add.signature_key}:
            return "an invitation that another device has"
        is_free = has_psk or is_further
    return None if is_free else "a member adds only by the link"
