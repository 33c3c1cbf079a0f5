"""Rooms, participants and tracks as signalling knows them, and the turn in which they change.

A `Turn` is one call into the machine: it carries `now` and collects effects. Everything that tells
others about a participant goes through `Turn.publish_state`, which is what keeps versions from
going back. Must never decide anything: the modules beside this one do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from livekit.protocol import models, rtc

from conclave.media.engine import Participant as ParticipantView
from conclave.media.engine import PublishedTrack
from conclave.media.engine import Room as RoomView
from conclave.media.signal.effects import Connection, Effect, Send
from conclave.media.tokens import SOURCE_NAMES, Claims
from conclave.media.transport import Grant, Kind

State = models.ParticipantInfo.State


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks: `at` for people, `tick` (seconds) for timeouts."""

    at: datetime
    tick: float


@dataclass(frozen=True, slots=True)
class Limits:
    participants_per_room: int = 1000
    tracks_per_participant: int = 50
    metadata_size: int = 64_000
    name_size: int = 256
    backlog: int = 256
    """Frames kept for a participant whose socket is lost; more means a full reconnect."""
    malformed_frames: int = 20
    frames_per_second: float = 100.0
    frame_burst: float = 600.0
    ping_interval: int = 5
    ping_timeout: int = 15
    resume_grace: float = 20.0
    connect_timeout: float = 15.0
    """From the first answer until the transport must be connected."""
    offer_timeout: float = 30.0
    """From the join until the first offer must have been answered."""
    token_lifetime: timedelta = timedelta(minutes=10)
    token_refresh: float = 300.0
    empty_timeout: float = 300.0
    departure_timeout: float = 20.0
    demand_delay: float = 5.0
    """Layers that nobody wants are sent on for this long before their publisher may pause them."""
    first_demand_delay: float = 1.0
    """From a track's first packet until its publisher is told for the first time what is wanted."""
    backup_timeout: float = 10.0
    """From asking for a second codec until who waits for it hears that it cannot be had."""


@dataclass(slots=True)
class Backup:
    """A track's second codec, as its publisher brought it."""

    sid: str
    """What the transport knows it by."""
    is_active: bool = False
    """A packet of it has been seen."""


@dataclass(slots=True, eq=False)
class Track:
    """One published track. `info` is what the others are shown."""

    sid: str
    cid: str
    kind: Kind
    info: models.TrackInfo
    publisher: Participant
    is_published: bool = False
    active_since: float | None = None
    """When its first packet was seen."""
    bound_to: set[str] = field(default_factory=set)
    """Participants (PA_) whose transport carries it."""
    was_subscribed: bool = False
    backup: Backup | None = None
    on_backup: set[str] = field(default_factory=set)
    """Participants (PA_) that are to receive its second codec, brought or not."""
    backup_missed_at: float | None = None
    """Since when they have been waiting for it."""
    demand: tuple[int, int] | None = None
    """What the publisher was told last: the largest quality that is wanted of its first and of its
    second codec, -1 = none; None = nothing yet."""
    falls_since: float | None = None
    """Less than that has been wanted since."""

    @property
    def backup_mime(self) -> str:
        """The second codec that it was announced with; "" = none."""
        codecs = self.info.codecs
        if self.kind != "video" or len(codecs) < 2:
            return ""
        mime = codecs[1].mime_type
        return "" if mime == codecs[0].mime_type else mime

    @property
    def is_regressed(self) -> bool:
        """Everybody is to receive the second codec, so that its publisher need not send both."""
        simultaneous = models.BackupCodecPolicy.SIMULCAST
        is_active = self.backup is not None and self.backup.is_active
        return is_active and self.info.backup_codec_policy != simultaneous

    def carried_to(self, subscriber: Participant) -> str | None:
        """The transport's id of what this participant is to receive; None = not brought yet."""
        if subscriber.sid not in self.on_backup:
            return self.sid
        return None if self.backup is None else self.backup.sid


@dataclass(frozen=True, slots=True)
class Wish:
    """A subscriber's settings of one track, as it sent them."""

    disabled: bool = False
    quality: int | None = None
    """Of `VideoQuality`; counts when there is no width."""
    width: int = 0
    height: int = 0
    fps: int = 0


@dataclass(slots=True, eq=False)
class Participant:
    sid: str
    room: Room
    claims: Claims
    connection: Connection | None
    client: models.ClientInfo
    joined_at: datetime
    auto_subscribe: bool
    is_adaptive: bool
    """The client says how large it shows each picture."""
    last_seen: float
    state: State = State.JOINING
    version: int = 0
    quality: int = int(models.ConnectionQuality.EXCELLENT)
    tracks: dict[str, Track] = field(default_factory=dict)

    # What it wants to receive.
    choices: dict[str, bool] = field(default_factory=dict)
    subscribed: set[str] = field(default_factory=set)
    wishes: dict[str, Wish] = field(default_factory=dict)
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    """What the transport was told of them: the largest spatial and temporal layer."""
    allow: rtc.SubscriptionPermission | None = None
    """Who may receive its tracks; None = everybody."""

    # The transport.
    is_dual: bool = False
    """Its client has two connections: it offers on one, and answers on the other."""
    is_subscriber_primary: bool = False
    """The connection on which it receives is the one that decides whether it is there."""
    offered: int | None = None
    """Id of the transport's last offer to it."""
    is_open: bool = False
    has_offered: bool = False
    was_answered: bool = False
    was_expected: bool = False
    """It has what it needs to connect, and its time runs."""
    is_connected: bool = False
    is_transport_closed: bool = False
    early_candidates: list[str] = field(default_factory=list)

    # Deadlines, in ticks.
    connect_by: float | None = None
    refresh_at: float = 0.0
    detached_at: float | None = None
    speaking_until: float | None = None

    # What happened while the socket was lost.
    backlog: deque[rtc.SignalResponse] = field(default_factory=deque)
    is_backlog_lost: bool = False
    departed: dict[str, models.ParticipantInfo] = field(default_factory=dict)
    removed_tracks: set[str] = field(default_factory=set)

    # Hostile or broken clients.
    malformed: int = 0
    frame_credit: float = 0.0
    credit_at: float = 0.0
    resume_fault: Literal["", "after_messages", "before_messages"] = ""

    @property
    def identity(self) -> str:
        return self.claims.identity

    @property
    def is_hidden(self) -> bool:
        return self.claims.permission.hidden

    @property
    def grant(self) -> Grant:
        permission = self.claims.permission
        return Grant(
            can_publish=permission.can_publish,
            can_subscribe=permission.can_subscribe,
            can_publish_data=permission.can_publish_data,
        )

    def may_publish(self, source: int) -> bool:
        sources = self.claims.publish_sources
        return self.claims.permission.can_publish and (not sources or source in sources)

    def proto(self) -> models.ParticipantInfo:
        """Everything others are shown, at the present version."""
        claims = self.claims
        permission = claims.permission
        published = [track.info for track in self.tracks.values() if track.is_published]
        return models.ParticipantInfo(
            sid=self.sid,
            identity=claims.identity,
            state=self.state,
            tracks=published,
            metadata=claims.metadata,
            joined_at=int(self.joined_at.timestamp()),
            joined_at_ms=int(self.joined_at.timestamp() * 1000),
            name=claims.name,
            version=self.version,
            permission=models.ParticipantPermission(
                can_subscribe=permission.can_subscribe,
                can_publish=permission.can_publish,
                can_publish_data=permission.can_publish_data,
                can_publish_sources=claims.publish_sources,
                hidden=permission.hidden,
                recorder=claims.is_recorder,
                can_update_metadata=permission.can_update_own_metadata,
                agent=claims.is_agent,
            ),
            is_publisher=bool(published),
            kind=claims.kind_number,
            attributes=dict(claims.attributes),
            client_protocol=self.client.client_protocol,
            capabilities=self.client.capabilities,
        )

    def view(self) -> ParticipantView:
        return ParticipantView(
            sid=self.sid,
            identity=self.identity,
            name=self.claims.name,
            joined_at=self.joined_at,
            is_connected=self.state == State.ACTIVE,
            permission=self.claims.permission,
            attributes=dict(self.claims.attributes),
            metadata=self.claims.metadata,
            tracks=[
                PublishedTrack(
                    sid=track.sid,
                    kind=track.kind,
                    source=SOURCE_NAMES.get(track.info.source, "unknown"),
                    muted=track.info.muted,
                )
                for track in self.tracks.values()
                if track.is_published
            ],
        )


@dataclass(slots=True, eq=False)
class Room:
    sid: str
    name: str
    created_at: datetime
    empty_timeout: float
    departure_timeout: float
    empty_since: float | None
    metadata: str = ""
    max_participants: int = 0
    """Of this room; 0 = the server's limit alone."""
    had_participants: bool = False
    is_stale: bool = False
    """Its counts have changed since the last `room_update`."""
    participants: dict[str, Participant] = field(default_factory=dict)
    """By identity."""

    def visible(self) -> Iterable[Participant]:
        return (p for p in self.participants.values() if not p.is_hidden)

    def proto(self, limits: Limits) -> models.Room:
        visible = list(self.visible())
        return models.Room(
            sid=self.sid,
            name=self.name,
            empty_timeout=int(self.empty_timeout),
            departure_timeout=int(self.departure_timeout),
            max_participants=self.max_participants or limits.participants_per_room,
            creation_time=int(self.created_at.timestamp()),
            creation_time_ms=int(self.created_at.timestamp() * 1000),
            metadata=self.metadata,
            num_participants=len(visible),
            num_publishers=sum(any(t.is_published for t in p.tracks.values()) for p in visible),
        )

    def view(self) -> RoomView:
        return RoomView(
            sid=self.sid,
            name=self.name,
            created_at=self.created_at,
            participant_count=sum(1 for _ in self.visible()),
        )


@dataclass(slots=True)
class World:
    """All rooms of the process, and the ways to find what is in them."""

    limits: Limits
    new_sid: Callable[[str], str]
    rooms: dict[str, Room] = field(default_factory=dict)
    by_sid: dict[str, Participant] = field(default_factory=dict)
    by_connection: dict[Connection, Participant] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    revoked: dict[tuple[str, str], float] = field(default_factory=dict)
    """(room, identity) -> Unix time; tokens that were valid before it open nothing any more."""
    is_observed: bool = False
    """Somebody wants `effects.Notify`."""


# Frames that say nothing any more once the socket is back: a resume repeats the state itself, and
# the client's next offer makes the transport ask again for what it needs.
_NOT_KEPT = frozenset(
    {"update", "speakers_changed", "connection_quality", "answer", "offer", "trickle",
     "room_update", "pong", "pong_resp", "join", "reconnect", "media_sections_requirement"}
)  # fmt: skip


@dataclass(slots=True)
class Turn:
    """One call into the machine."""

    world: World
    now: Instant
    effects: list[Effect] = field(default_factory=list)

    def do(self, effect: Effect) -> None:
        self.effects.append(effect)

    def send(self, participant: Participant, message: rtc.SignalResponse) -> None:
        """Send now, or keep for the resume when the socket is lost."""
        if participant.connection is not None:
            self.do(Send((participant.connection,), message))
        elif message.WhichOneof("message") not in _NOT_KEPT:
            if len(participant.backlog) < self.world.limits.backlog:
                participant.backlog.append(message)
            else:
                participant.is_backlog_lost = True

    def broadcast(
        self, room: Room, message: rtc.SignalResponse, *, but: Participant | None = None
    ) -> None:
        """Send to whoever has a socket now."""
        connections = tuple(
            p.connection
            for p in room.participants.values()
            if p.connection is not None and p is not but
        )
        if connections:
            self.do(Send(connections, message))

    def publish_state(self, participant: Participant) -> None:
        """A participant has changed: one version up, and everybody (itself too) is told."""
        participant.version += 1
        message = rtc.SignalResponse(
            update=rtc.ParticipantUpdate(participants=[participant.proto()])
        )
        if participant.is_hidden:
            self.send(participant, message)
        else:
            self.broadcast(participant.room, message)
