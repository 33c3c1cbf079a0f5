"""People in a room by LiveKit's own client (the `livekit` wheel, libwebrtc inside)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient

from tests.media.server import Door

RATE = 48_000
PATIENCE = 15.0
_EVENTS = (
    "participant_connected", "participant_disconnected", "track_published", "track_unpublished",
    "track_subscribed", "track_unsubscribed", "track_subscription_failed", "track_muted",
    "track_unmuted", "local_track_published", "local_track_unpublished", "local_track_subscribed",
    "active_speakers_changed", "participant_attributes_changed", "data_received",
    "disconnected", "reconnecting", "reconnected", "e2ee_state_changed", "room_metadata_changed",
)  # fmt: skip


class Person:
    """One client and everything it has been told."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.room = rtc.Room()
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self._news = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        for name in _EVENTS:
            self.room.on(name, self._recorder(name))  # type: ignore[arg-type]

    def _recorder(self, name: str) -> Callable[..., None]:
        def record(*arguments: Any) -> None:
            self.events.append((name, arguments))
            self._tasks.append(asyncio.ensure_future(self._tell()))

        return record

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def connect(self, server: Door, **options: Any) -> Person:
        permission = options.pop("permission", None)
        token = server.token(self.identity, permission=permission, name=self.identity.title())
        async with asyncio.timeout(PATIENCE):
            await self.room.connect(server.url, token, rtc.RoomOptions(**options))
        return self

    async def until(self, name: str, condition: Callable[..., bool] = lambda *_: True) -> Any:
        """The arguments of the first such event, past or to come."""

        def found() -> tuple[Any, ...] | None:
            return next((a for n, a in self.events if n == name and condition(*a)), None)

        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(lambda: found() is not None)
        except TimeoutError:
            msg = f"{self.identity} saw no {name}; saw {[n for n, _ in self.events]}"
            raise AssertionError(msg) from None
        arguments = found()
        assert arguments is not None
        return arguments

    def count(self, name: str) -> int:
        return sum(n == name for n, _ in self.events)

    def forget(self) -> None:
        self.events.clear()

    @property
    def sid(self) -> str:
        sid: str = self.room.local_participant.sid
        return sid

    # --- sending
    async def speak(self, hertz: float) -> rtc.LocalTrackPublication:
        """Publish a microphone with a tone in it."""
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("mic", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        publication = await self.room.local_participant.publish_track(track, options)
        self._tasks.append(asyncio.create_task(_tone(source, hertz)))
        return publication

    async def show(
        self,
        width: int = 320,
        height: int = 240,
        codec: rtc.VideoCodec.ValueType = rtc.VideoCodec.VP8,
        *,
        simulcast: bool = False,
    ) -> rtc.LocalTrackPublication:
        """Publish a camera: grey frames whose brightness rises with each."""
        source = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track("cam", source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=simulcast,
            video_codec=codec,
            video_encoding=rtc.VideoEncoding(max_bitrate=500_000, max_framerate=15.0),
        )
        publication = await self.room.local_participant.publish_track(track, options)
        self._tasks.append(asyncio.create_task(_ramp(source, width, height)))
        return publication

    # --- receiving
    async def hear(self, track: rtc.Track, patience: float = PATIENCE) -> float:
        """The loudest frequency in what comes now, in hertz, once there is sound."""
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        heard = np.zeros(0, dtype=np.int16)
        try:
            async with asyncio.timeout(patience):
                async for event in stream:
                    samples = np.frombuffer(event.frame.data, dtype=np.int16)
                    if np.abs(samples).max(initial=0) < 1000:
                        heard = heard[:0]
                        continue
                    heard = np.concatenate([heard, samples])
                    if len(heard) >= RATE // 2:
                        break
        finally:
            await stream.aclose()
        spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
        return float(np.argmax(spectrum) * RATE / len(heard))

    async def watch(self, track: rtc.Track, frames: int = 15) -> tuple[int, int, list[float]]:
        """Size and mean brightness of the next frames."""
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGB24)
        means: list[float] = []
        width = height = 0
        try:
            async with asyncio.timeout(PATIENCE):
                async for event in stream:
                    width, height = event.frame.width, event.frame.height
                    means.append(float(np.frombuffer(event.frame.data, dtype=np.uint8).mean()))
                    if len(means) >= frames:
                        break
        finally:
            await stream.aclose()
        return width, height, means

    async def watch_until(self, track: rtc.Track, width: int) -> None:
        """Frames of this width come."""
        stream = rtc.VideoStream(track)
        try:
            async with asyncio.timeout(PATIENCE):
                async for event in stream:
                    if event.frame.width == width:
                        return
        finally:
            await stream.aclose()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        with suppress(Exception):
            async with asyncio.timeout(5):
                await self.room.disconnect()


def end_sdk() -> None:
    """Stop the SDK's native threads while Python still runs.

    At exit they may call back into an interpreter that is gone, and abort the process.
    """
    gc.collect()
    if FfiClient._instance is not None:
        FfiClient._instance._dispose()
        FfiClient._instance = None


async def _tone(source: rtc.AudioSource, hertz: float) -> None:
    position, size = 0, RATE // 100
    while True:
        time = (np.arange(size) + position) / RATE
        samples = (np.sin(2 * np.pi * hertz * time) * 8000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, size))
        position += size


async def _ramp(source: rtc.VideoSource, width: int, height: int) -> None:
    level = 40
    while True:
        level = 40 + (level - 38) % 170
        frame = np.full((height, width, 3), level, dtype=np.uint8)
        source.capture_frame(
            rtc.VideoFrame(width, height, rtc.VideoBufferType.RGB24, frame.tobytes())
        )
        await asyncio.sleep(1 / 15)


@asynccontextmanager
async def people(*identities: str) -> AsyncIterator[list[Person]]:
    """People who have not connected yet; they leave at the end."""
    present = [Person(identity) for identity in identities]
    try:
        yield present
    finally:
        await asyncio.gather(*(person.leave() for person in present))
