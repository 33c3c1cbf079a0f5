"""What the media server passes on of a member, from the bits that a meeting's group gives it
(docs/reference/sealing-protocol.md, 3). Pure."""

from __future__ import annotations

from conclave.media.engine import Permission, Source

_SOURCES: tuple[tuple[int, tuple[Source, ...]], ...] = (
    (1, ("microphone",)),
    (2, ("camera",)),
    # Whether many are in the room is asked when a share begins, by those who would see it.
    (4, ("screen_share", "screen_share_audio")),
)


def is_held(permission: Permission, media: int) -> bool:
    """Does `permission` let pass what `media` says, no more and no less?"""
    wanted = permission_of(media)
    return permission.can_publish == wanted.can_publish and set(permission.publish_sources) == set(
        wanted.publish_sources
    )


def permission_of(media: int) -> Permission:
    sources = tuple(name for bits, names in _SOURCES if media & bits for name in names)
    everything = len(sources) == sum(len(names) for _, names in _SOURCES)
    return Permission(can_publish=bool(sources), publish_sources=() if everything else sources)
