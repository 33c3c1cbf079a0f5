"""A bot's pictures and sound, sealed with the keys of the group: the `livekit` wheel.

That client decodes plaintext even while its encryption is on, so nothing is read here from a
publication that does not say it is encrypted, nor from an identity without a key. Must never
publish before the own key is in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from livekit import rtc

from conclave_sealing.effects import Inside, Keys, UseKey

RATE = 48_000
_HKDF: Any = rtc.KeyDerivationFunction.HKDF


@dataclass
class Received:
    """What came of one identity and could be decoded."""

    pictures: int = 0
    brightness: float = 0.0
    samples: int = 0
    """That were no silence."""


def _options() -> rtc.RoomOptions:
    keys = rtc.KeyProviderOptions(
        ratchet_window_size=0,
        failure_tolerance=-1,
        key_ring_size=256,
        key_derivation_function=_HKDF,
    )
    return rtc.RoomOptions(encryption=rtc.E2EEOptions(key_provider_options=keys))


class Media:
    def __init__(self) -> None:
        self.room = rtc.Room()
        self.received: dict[str, Received] = {}
        self.plaintext: set[str] = set()
        """Identities that published something unencrypted; none of it was read."""
        self.identity = ""
        self.connected = asyncio.Event()
        self.error: BaseException | None = None
        self._news = asyncio.Event()
        self._keys: dict[int, dict[str, bytes]] = {}
        self._using: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.room.on("track_subscribed", self._subscribed)

    def apply(self, effect: Inside | Keys | UseKey, server: str) -> None:
        match effect:
            case Inside():
                self.identity = effect.identity
                self._begin(self._connect(effect.url or server, effect.token))
            case Keys():
                self._keys = {
                    epoch: keys for epoch, keys in self._keys.items() if epoch > effect.epoch - 4
                }
                self._keys[effect.epoch] = effect.keys
                if self.connected.is_set():
                    self._install(effect.epoch)
            case UseKey():
                self._using = effect.epoch
                self.use()

    async def until(self, condition: Callable[[Media], bool], seconds: float = 20.0) -> None:
        """Wait for what is received; what went wrong is raised here."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                if self.error is not None:
                    raise self.error
                self._news.clear()
                await self._news.wait()

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.error = task.exception()
            self._news.set()

    async def _connect(self, url: str, token: str) -> None:
        await self.room.connect(url, token, _options())
        for epoch in sorted(self._keys):
            self._install(epoch)
        self.connected.set()
        self._news.set()
        self.use()

    def _install(self, epoch: int) -> None:
        provider = self.room.e2ee_manager.key_provider
        if provider is not None:
            for identity, key in self._keys[epoch].items():
                provider.set_key(identity, key, epoch % 256)

    def use(self) -> None:
        """Own cryptors start at index 0: each new one has to be told, and each at a key change."""
        if self._using is None or not self.connected.is_set():
            return
        for cryptor in self.room.e2ee_manager.frame_cryptors():
            if cryptor.participant_identity == self.identity:
                cryptor.set_key_index(self._using % 256)

    # --- sending
    async def speak(self, hertz: float) -> None:
        """Publish a microphone with a tone in it."""
        await self.until(lambda media: media.connected.is_set())
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("mic", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await self.room.local_participant.publish_track(track, options)
        self.use()
        self._begin(_tone(source, hertz))

    async def show(self, width: int = 320, height: int = 240, per_second: int = 15) -> None:
        """Publish a camera: grey frames whose brightness rises with each."""
        await self.until(lambda media: media.connected.is_set())
        source = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track("cam", source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=False,
            video_codec=rtc.VideoCodec.VP8,
            video_encoding=rtc.VideoEncoding(max_bitrate=500_000, max_framerate=float(per_second)),
        )
        await self.room.local_participant.publish_track(track, options)
        self.use()
        self._begin(_ramp(source, width, height, per_second))

    # --- receiving
    def _subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        identity = participant.identity
        if publication.encryption_type == rtc.EncryptionType.NONE:
            self.plaintext.add(identity)
            publication.set_subscribed(False)
            self._news.set()
            return
        found = self.received.setdefault(identity, Received())
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            self._begin(self._watch(track, found))
        else:
            self._begin(self._listen(track, found))

    async def _watch(self, track: rtc.Track, found: Received) -> None:
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGB24)
        try:
            async for event in stream:
                found.pictures += 1
                found.brightness = float(np.frombuffer(event.frame.data, dtype=np.uint8).mean())
                self._news.set()
        finally:
            await stream.aclose()

    async def _listen(self, track: rtc.Track, found: Received) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        try:
            async for event in stream:
                samples = np.frombuffer(event.frame.data, dtype=np.int16)
                if np.abs(samples).max(initial=0) > 1_000:
                    found.samples += len(samples)
                    self._news.set()
        finally:
            await stream.aclose()

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.connected.is_set():
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await self.room.disconnect()


async def _tone(source: rtc.AudioSource, hertz: float) -> None:
    position, size = 0, RATE // 100
    while True:
        time = (np.arange(size) + position) / RATE
        samples = (np.sin(2 * np.pi * hertz * time) * 8_000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, size))
        position += size


async def _ramp(source: rtc.VideoSource, width: int, height: int, per_second: int) -> None:
    level = 40
    while True:
        level = 40 + (level - 38) % 170
        frame = np.full((height, width, 3), level, dtype=np.uint8)
        source.capture_frame(
            rtc.VideoFrame(width, height, rtc.VideoBufferType.RGB24, frame.tobytes())
        )
        await asyncio.sleep(1 / per_second)
