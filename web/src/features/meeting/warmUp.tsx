/**
 * Runs the meeting's code once while the person still stands at the door, so that the browser has
 * compiled it when they press Join. Shows nothing, hears nothing, asks nobody: no device, no
 * request, no connection leaves from here, and everything made is let go at once.
 */

import { Room } from "livekit-client";
import { GridList } from "react-aria-components";
import { createRoot } from "react-dom/client";
import { Tile } from "./components/Tile.tsx";
import type { DeviceChoice } from "./contract.ts";
import type { Person } from "./model/call.ts";
import { roomOptions } from "./model/livekit.ts";

const DRAWN_FOR_MS = 1_000;

const NO_DEVICES: DeviceChoice = {
  cameraId: null,
  microphoneId: null,
  speakerId: null,
  isCameraOn: false,
  isMicrophoneOn: false,
};

const SOMEBODY: Person = {
  identity: "somebody",
  name: "Somebody",
  isVerified: false,
  handPlace: null,
  isSelf: false,
  joinedAt: 0,
  camera: { sid: "", attach: () => undefined, detach: () => undefined },
  isCameraOn: true,
  isMicrophoneOn: true,
  microphoneSid: null,
  isSpeaking: false,
  lastSpokeAt: null,
  quality: "unknown",
};

/** A tile drawn where nobody sees it: the page, empty so far, has none. The answer lets it go. */
function draw(): () => void {
  const tiles = createRoot(document.createElement("div"));
  tiles.render(
    <GridList aria-label={SOMEBODY.name} layout="grid" keyboardNavigationBehavior="tab">
      <Tile
        person={SOMEBODY}
        rect={{ x: 0, y: 0, width: 1, height: 1 }}
        isLarge={false}
        isPinned={false}
        onPin={() => undefined}
      />
    </GridList>,
  );
  return () => tiles.unmount();
}

/** The browser loads its codecs and makes its first offer; nothing is gathered or sent. */
async function connect(): Promise<void> {
  new Room(roomOptions(NO_DEVICES, () => undefined)).removeAllListeners();
  const connection = new RTCPeerConnection();
  try {
    connection.createDataChannel("");
    connection.addTransceiver("audio", { direction: "recvonly" });
    connection.addTransceiver("video", { direction: "recvonly" });
    await connection.createOffer();
  } finally {
    connection.close();
  }
}

/**
 * Answers when everything made has been let go. Never rejects: without it, joining works as well,
 * only a little later.
 */
export async function warmUp(): Promise<void> {
  try {
    const clear = draw();
    const isDrawn = new Promise((resolve) => setTimeout(resolve, DRAWN_FOR_MS)).then(clear);
    await Promise.allSettled([isDrawn, connect()]);
  } catch {
    // A browser without the means says so at the door.
  }
}
