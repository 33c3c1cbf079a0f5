"""A bare page with livekit-client as anybody uses it, against the running product's media engine.

The page draws its own pictures: a canvas with a moving pattern, so that encoders have something to
do and sizes are known. What a test does with it is in the test.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.e2e.frames_page import PATIENCE_S, WEB, token
from tests.e2e.product import Product

_CLIENT = WEB / "node_modules" / "livekit-client" / "dist" / "livekit-client.umd.js"

_SCRIPT = """
const { Room, RoomEvent, LocalAudioTrack, LocalVideoTrack, VideoPreset } = LivekitClient;

window.join = async ({ url, token, options }) => {
  window.room = new Room(options);
  window.pictures = new Map();
  room.on(RoomEvent.TrackSubscribed, (track, publication) => {
    if (track.kind !== 'video') {
      document.body.append(track.attach());
      return;
    }
    const video = document.createElement('video');
    video.muted = true;
    video.style.cssText = 'display:block;width:320px;height:180px';
    document.body.append(video);
    track.attach(video);
    const seen = { publication, video, sizes: [], frames: 0 };
    pictures.set(publication.trackSid, seen);
    const look = () => {
      seen.frames += 1;
      const width = video.videoWidth;
      if (seen.sizes.at(-1)?.width !== width) seen.sizes.push({ width, at: performance.now() });
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
  room.on(RoomEvent.TrackUnsubscribed, (track, publication) => {
    pictures.get(publication.trackSid)?.video.remove();
    pictures.delete(publication.trackSid);
  });
  await room.connect(url, token);
};

// Little bandwidth, which encoders believe in soon even on a busy machine.
const small = ({ videoCodec }) => ({
  // Scalable encoders leave out the upper layers for less.
  videoEncoding: {
    maxBitrate: ['vp9', 'av1'].includes(videoCodec) ? 1_000_000 : 400_000, maxFramerate: 25,
  },
  videoSimulcastLayers: [
    new VideoPreset(320, 180, 60_000, 25), new VideoPreset(640, 360, 150_000, 25),
  ],
});

window.publish = async (options, [width, height] = [1280, 720]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  let step = 0;
  setInterval(() => {
    step += 1;
    for (let row = 0; row < 9; row += 1) {
      for (let column = 0; column < 16; column += 1) {
        pen.fillStyle = `hsl(${(row * 40 + column * 22 + step * 7) % 360} 70% 50%)`;
        pen.fillRect((column * width) / 16, (row * height) / 9, width / 16, height / 9);
      }
    }
  }, 40);
  const track = new LocalVideoTrack(canvas.captureStream(25).getVideoTracks()[0]);
  const given = { ...small(options), ...options };
  const publication = await room.localParticipant.publishTrack(track, given);
  return publication.trackSid;
};

window.speak = async (hertz) => {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: hertz });
  const out = new MediaStreamAudioDestinationNode(context);
  tone.connect(new GainNode(context, { gain: 0.3 })).connect(out);
  tone.start();
  const track = new LocalAudioTrack(out.stream.getAudioTracks()[0]);
  await room.localParticipant.publishTrack(track, { dtx: false, red: false });
};

// Of everybody else: frames decoded, and energy of the sound.
window.gets = async () => {
  const found = {};
  for (const person of room.remoteParticipants.values()) {
    const got = { frames: 0, sound: 0 };
    for (const { track } of person.trackPublications.values()) {
      (await track?.receiver?.getStats())?.forEach((each) => {
        if (each.type !== 'inbound-rtp') return;
        if (each.kind === 'video') got.frames += each.framesDecoded;
        else got.sound += each.totalAudioEnergy ?? 0;
      });
    }
    found[person.identity] = got;
  }
  return found;
};

// As a browser that does not have these codecs ("video/vp9").
window.lack = (missing) => {
  const has = ({ mimeType }) => !missing.includes(mimeType.toLowerCase());
  const codecs = RTCRtpReceiver.getCapabilities('video').codecs.filter(has);
  for (const name of ['createOffer', 'createAnswer']) {
    const create = RTCPeerConnection.prototype[name];
    RTCPeerConnection.prototype[name] = function (...given) {
      for (const transceiver of this.getTransceivers()) {
        if (transceiver.receiver.track.kind === 'video') transceiver.setCodecPreferences(codecs);
      }
      return create.apply(this, given);
    };
  }
};

// Of the first codec, or of the second one of this name; undefined = not published.
window.sent = async (sid, second) => {
  const publication = [...room.localParticipant.trackPublications.values()]
    .find((each) => each.trackSid === sid);
  const sender = second
    ? publication.track.simulcastCodecs.get(second)?.sender : publication.track.sender;
  if (!sender) return undefined;
  const stats = await sender.getStats();
  const layers = {};
  stats.forEach((each) => {
    if (each.type === 'outbound-rtp') {
      layers[each.rid ?? ''] = {
        active: each.active, width: each.frameWidth ?? 0, bytes: each.bytesSent,
        frames: each.framesEncoded,
      };
    }
  });
  return layers;
};

window.received = async (sid) => {
  const stats = await pictures.get(sid).publication.track.receiver.getStats();
  let found = {};
  stats.forEach((each) => {
    if (each.type === 'inbound-rtp') {
      found = {
        width: each.frameWidth ?? 0, decoded: each.framesDecoded, dropped: each.framesDropped,
        lost: each.packetsLost, plis: each.pliCount, nacks: each.nackCount,
        bytes: each.bytesReceived, freezes: each.freezeCount,
        codec: stats.get(each.codecId)?.mimeType,
      };
    }
  });
  return found;
};

window.show = (sid, width, height) => {
  const { video } = pictures.get(sid);
  video.style.width = `${width}px`;
  video.style.height = `${height}px`;
  video.style.display = width === 0 ? 'none' : 'block';
  return performance.now();
};
"""


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_CLIENT, folder / "client.js")
    (folder / "page.js").write_text(_SCRIPT)
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>client</title>'
        '<script src="client.js"></script><body><script src="page.js"></script></body>'
    )


class Client:
    """One page, one participant."""

    def __init__(self, browser: Browser, page_url: str, product: Product, identity: str) -> None:
        self.identity = identity
        self._product = product
        self._context = browser.new_context(
            viewport={"width": 1600, "height": 1000}, device_scale_factor=1
        )
        self._context.set_default_timeout(PATIENCE_S * 1000)
        self.page = self._context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(page_url)

    def join(self, room: str, **options: Any) -> None:
        self.call(
            "join",
            {
                "url": f"ws://localhost:{self._product.port}",
                "token": token(room, self.identity),
                "options": options,
            },
        )

    def call(self, name: str, *arguments: Any) -> Any:
        return self.page.evaluate(
            "([name, given]) => window[name](...given)", [name, list(arguments)]
        )

    def evaluate(self, script: str) -> Any:
        return self.page.evaluate(script)

    def close(self) -> None:
        self._context.close()
