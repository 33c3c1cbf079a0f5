"""Who may change what in a group: the role table of sealing-protocol.md, 3. Pure.

It is asked in the middle of applying a commit, with what is signed and nothing else. Who left or is
lost is not signed by the group, so a Remove of another by a plain member is never refused here
(of a host neither): receivers show it as what it is.
"""

from __future__ import annotations

from typing import Literal

from conclave_sealing._mls import CommitFacts, GroupFacts, LeafFacts
from conclave_sealing.context import MeetingContext
from conclave_sealing.keys import LINK_PSK_ID, fingerprint_of

Role = Literal["host", "cohost", "member"]


def role_of(leaf: LeafFacts, context: MeetingContext) -> Role:
    account = leaf.account_key
    if account is not None and fingerprint_of(account) == context.fingerprint:
        return "host"
    return "cohost" if leaf.signature_key in context.policy.cohosts else "member"


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
    if role != "host":
        return "only a host changes the policy"
    following = MeetingContext.read(commit.meeting)
    if following is None:
        return "a damaged policy"
    return None if following.is_same_meeting(context) else "more than the policy changed"


def _removes(members: dict[int, LeafFacts], commit: CommitFacts) -> str | None:
    if commit.sender in commit.removes:
        return "nobody removes itself"
    return None if all(leaf in members for leaf in commit.removes) else "a Remove of nobody"


def _adds(
    role: Role, context: MeetingContext, members: dict[int, LeafFacts], commit: CommitFacts
) -> str | None:
    keys = {leaf.signature_key: leaf for leaf in members.values()}
    is_open = bool(commit.psks) and context.policy.entry == "open" and not context.policy.is_locked
    added: set[bytes] = set()
    for add in commit.adds:
        if add.signature_key in added:
            return "the same key twice"
        added.add(add.signature_key)
        old = keys.get(add.signature_key)
        if old is not None and old.leaf not in commit.removes:
            return "the key is in the group"
        comes_back = old is not None and old.account_key == add.account_key
        if role == "member" and not is_open and not comes_back:
            return "a member adds only by the link, or who comes back"
    return None
