"""LiveKit access tokens: read and written, HS256, with a reason in plain words for each refusal.

Claims as LiveKit defines them (`video`, `name`, `metadata`, `attributes`, `kind`, `sub` = identity,
`iss` = API key). Must never log or repeat a token or a secret, and must never trust a claim before
its signature has been checked.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from livekit.protocol import models
from livekit.protocol import room as room_protocol

from conclave.media.engine import Permission, Source
from conclave.media.keys import ApiKeys
from conclave.media.protojson import from_json
from conclave.media.room_config import RoomConfig

LEEWAY = timedelta(seconds=10)
MAX_TOKEN = 32_768
MAX_IDENTITY = 256
MAX_NAME = 256
MAX_ROOM_NAME = 256
MAX_METADATA = 64_000

Reason = Literal[
    "missing", "too_large", "malformed", "unknown_key", "bad_signature", "expired", "not_yet",
    "no_room_join", "no_identity", "wrong_room", "claims", "room_preset",
]  # fmt: skip

_WORDS: dict[Reason, str] = {
    "missing": "no access token was given",
    "too_large": "the access token is too large",
    "malformed": "the access token cannot be read",
    "unknown_key": "the access token names an API key that this server does not know",
    "bad_signature": "the access token was not signed with this server's secret",
    "expired": "the access token has expired",
    "not_yet": "the access token is not valid yet",
    "no_room_join": "the access token does not allow to join a room",
    "no_identity": "the access token names no identity",
    "wrong_room": "the access token is for another room",
    "claims": "the access token holds a claim that cannot be used",
    "room_preset": "the access token names a room preset, and this server has none",
}
_SOURCES: dict[Source, models.TrackSource] = {
    "camera": models.TrackSource.CAMERA,
    "microphone": models.TrackSource.MICROPHONE,
    "screen_share": models.TrackSource.SCREEN_SHARE,
    "screen_share_audio": models.TrackSource.SCREEN_SHARE_AUDIO,
}
SOURCE_NAMES = {number: name for name, number in _SOURCES.items()}
_KINDS = {
    "standard": models.ParticipantInfo.Kind.STANDARD,
    "ingress": models.ParticipantInfo.Kind.INGRESS,
    "egress": models.ParticipantInfo.Kind.EGRESS,
    "sip": models.ParticipantInfo.Kind.SIP,
    "agent": models.ParticipantInfo.Kind.AGENT,
}


class TokenRefused(Exception):
    """A token that gives no access. `str()` is for the person at the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(_WORDS[reason])
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says about its bearer, checked."""

    identity: str
    room: str
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    kind: str = "standard"
    permission: Permission = field(default_factory=Permission)
    is_admin: bool = False
    is_recorder: bool = False
    is_agent: bool = False
    room_create: bool = False
    room_list: bool = False
    room_config: RoomConfig | None = None
    """For the room that this bearer opens; no effect on one that is there."""
    not_before: float = field(default=0.0, compare=False)
    """Unix time at which the token was made valid; what a revocation is compared with."""

    @property
    def publish_sources(self) -> tuple[models.TrackSource, ...]:
        """Sources that may be published; empty = all."""
        return tuple(_SOURCES[name] for name in self.permission.publish_sources)

    @property
    def is_dependent(self) -> bool:
        """Egress and agents: they serve a room and do not count against its own limit."""
        return self.is_recorder or self.is_agent or self.kind in ("egress", "agent")

    @property
    def kind_number(self) -> models.ParticipantInfo.Kind:
        return _KINDS.get(self.kind, models.ParticipantInfo.Kind.STANDARD)

    def with_permission(self, permission: Permission) -> Claims:
        return replace(self, permission=permission)


def verify(token: str, keys: ApiKeys, now: datetime, *, room: str = "") -> Claims:
    """Check a token and return its claims; raises `TokenRefused`.

    `room` is the room the caller has in mind, when it named one.
    """
    claims = _claims(signed_payload(token, keys, now))
    if room and claims.room != room:
        raise TokenRefused("wrong_room")
    return claims


def verify_api(token: str, keys: ApiKeys, now: datetime) -> Claims:
    """The claims of a token for RoomService, which needs neither a room nor an identity.

    What it may do there is for the caller to decide; it must never be used to let anybody join.
    """
    return _claims(signed_payload(token, keys, now), joins=False)


def signed_payload(token: str, keys: ApiKeys, now: datetime) -> dict[str, Any]:
    """All that a good token says, of whatever kind it is; raises `TokenRefused`."""
    if not token:
        raise TokenRefused("missing")
    if len(token) > MAX_TOKEN:
        raise TokenRefused("too_large")
    payload, is_known = _decode(token, keys)
    _check_times(payload, now)
    if not is_known:
        # The same work has been done as for a key that we know.
        raise TokenRefused("unknown_key")
    return payload


def mint(claims: Claims, keys: ApiKeys, now: datetime, lifetime: timedelta) -> str:
    """A signed token that says `claims`, valid from now for `lifetime`."""
    permission = claims.permission
    video: dict[str, Any] = {
        "room": claims.room,
        "roomJoin": True,
        "canPublish": permission.can_publish,
        "canSubscribe": permission.can_subscribe,
        "canPublishData": permission.can_publish_data,
        "canUpdateOwnMetadata": permission.can_update_own_metadata,
    }
    optional = {
        "roomAdmin": claims.is_admin,
        "hidden": permission.hidden,
        "recorder": claims.is_recorder,
        "agent": claims.is_agent,
        "canPublishSources": list(permission.publish_sources),
    }
    video |= {name: value for name, value in optional.items() if value}
    payload: dict[str, Any] = {
        "sub": claims.identity,
        "video": video,
    }
    rest = {
        "name": claims.name,
        "metadata": claims.metadata,
        "attributes": dict(claims.attributes),
        "kind": "" if claims.kind == "standard" else claims.kind,
    }
    payload |= {name: value for name, value in rest.items() if value}
    return sign(payload, keys, now, lifetime)


def sign(payload: Mapping[str, Any], keys: ApiKeys, now: datetime, lifetime: timedelta) -> str:
    """A token of any kind, valid from now for `lifetime`, with the first key."""
    times = {
        "iss": keys.primary,
        "nbf": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode(
        {"alg": "HS256", "typ": "JWT"},
        {**times, **payload},
        OctKey.import_key(keys.secret(keys.primary)),
        algorithms=["HS256"],
    )


def _decode(token: str, keys: ApiKeys) -> tuple[dict[str, Any], bool]:
    issuer = _issuer(token)
    is_known = issuer in keys
    key = OctKey.import_key(keys.secret(issuer) if is_known else keys.decoy)
    try:
        payload = jwt.decode(token, key, algorithms=["HS256"]).claims
    except (JoseError, ValueError, TypeError, UnicodeError, RecursionError, KeyError) as error:
        reason: Reason = "malformed"
        if type(error).__name__ == "BadSignatureError":
            reason = "bad_signature" if is_known else "unknown_key"
        raise TokenRefused(reason) from None
    if not isinstance(payload, dict):
        raise TokenRefused("malformed")
    return payload, is_known


def _issuer(token: str) -> str:
    """The API key that a token claims to be signed with; nothing else of it is used yet."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRefused("malformed")
    try:
        payload = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise TokenRefused("malformed") from None
    issuer = payload.get("iss") if isinstance(payload, dict) else None
    if not isinstance(issuer, str):
        raise TokenRefused("malformed")
    return issuer


def _check_times(payload: Mapping[str, Any], now: datetime) -> None:
    at = now.timestamp()
    expires = _number(payload, "exp")
    if expires is None:
        # A token without an end would outlive every decision of ours.
        raise TokenRefused("claims")
    if at > expires + LEEWAY.total_seconds():
        raise TokenRefused("expired")
    not_before = _number(payload, "nbf")
    if not_before is not None and at < not_before - LEEWAY.total_seconds():
        raise TokenRefused("not_yet")


def _claims(payload: Mapping[str, Any], *, joins: bool = True) -> Claims:
    video = payload.get("video")
    if not joins and video is None:
        video = {}
    if not isinstance(video, dict) or (joins and video.get("roomJoin") is not True):
        raise TokenRefused("no_room_join" if joins else "claims")
    room = _text(video, "room", MAX_ROOM_NAME)
    if joins and not room:
        raise TokenRefused("no_room_join")
    identity = _text(payload, "sub", MAX_IDENTITY)
    if joins and not identity:
        raise TokenRefused("no_identity")
    if joins and payload.get("roomPreset"):
        raise TokenRefused("room_preset")
    can_publish = _flag(video, "canPublish", default=True)
    return Claims(
        identity=identity,
        room=room,
        name=_text(payload, "name", MAX_NAME),
        metadata=_text(payload, "metadata", MAX_METADATA),
        attributes=_attributes(payload.get("attributes")),
        kind=_text(payload, "kind", 32) or "standard",
        permission=Permission(
            can_publish=can_publish,
            can_subscribe=_flag(video, "canSubscribe", default=True),
            can_publish_data=_flag(video, "canPublishData", default=can_publish),
            can_update_own_metadata=_flag(video, "canUpdateOwnMetadata", default=False),
            hidden=_flag(video, "hidden", default=False),
            publish_sources=_publish_sources(video.get("canPublishSources")),
        ),
        is_admin=_flag(video, "roomAdmin", default=False),
        is_recorder=_flag(video, "recorder", default=False),
        is_agent=_flag(video, "agent", default=False) or payload.get("kind") == "agent",
        room_create=_flag(video, "roomCreate", default=False),
        room_list=_flag(video, "roomList", default=False),
        room_config=_room_config(payload.get("roomConfig")) if joins else None,
        not_before=_number(payload, "nbf") or 0.0,
    )


def _number(payload: Mapping[str, Any], name: str) -> float | None:
    value = payload.get(name)
    if value is None:
        return None
    # NaN, which JSON may hold here, is on neither side of any date.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e15:
        raise TokenRefused("claims")
    return float(value)


def _text(source: Mapping[str, Any], name: str, limit: int) -> str:
    value = source.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not is_encodable(value) or len(value.encode()) > limit:
        raise TokenRefused("claims")
    return value


def is_encodable(text: str) -> bool:
    """JSON can carry lone surrogates, which no protobuf message can."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _flag(source: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = source.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise TokenRefused("claims")
    return value


def _attributes(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TokenRefused("claims")
    total = 0
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TokenRefused("claims")
        if not is_encodable(key) or not is_encodable(text):
            raise TokenRefused("claims")
        total += len(key.encode()) + len(text.encode())
    if total > MAX_METADATA:
        raise TokenRefused("claims")
    return dict(value)


def _room_config(value: object) -> RoomConfig | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TokenRefused("claims")
    try:
        message = from_json(room_protocol.RoomConfiguration(), value)
    except ValueError:
        raise TokenRefused("claims") from None
    return RoomConfig.of(message)


def _publish_sources(value: object) -> tuple[Source, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TokenRefused("claims")
    known: dict[str, Source] = {name: name for name in _SOURCES}
    names = []
    for name in value:
        if not isinstance(name, str) or name.lower() not in known:
            raise TokenRefused("claims")
        names.append(known[name.lower()])
    return tuple(names)
