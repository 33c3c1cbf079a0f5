/**
 * Runs the meeting's code once while the person still stands at the door, so that the browser has
 * compiled it when they press Join. Shows nothing, hears nothing, asks nobody: no device, no
 * request, no connection leaves from here, and everything made is let go at once.
 */

import { Room } from "livekit-client";
import { Activity } from "react";
import { GridList } from "react-aria-components";
import { createRoot } from "react-dom/client";
import { MeetingProvider } from "./components/context.tsx";
import { MeetingPage } from "./components/MeetingPage.tsx";
import { Tile } from "./components/Tile.tsx";
import type { EnteredMeeting } from "./contract.ts";
import { openSession } from "./model/browser.ts";
import type { Person } from "./model/call.ts";
import { roomOptions } from "./model/livekit.ts";
import { createViewStore } from "./model/view.ts";

const DRAWN_FOR_MS = 1_000;

const NOBODY: EnteredMeeting = {
  connection: { url: "", token: "", identity: "", role: "guest" },
  meetingId: "",
  guestLink: "",
  name: "",
  devices: {
    cameraId: null,
    microphoneId: null,
    speakerId: null,
    isCameraOn: false,
    isMicrophoneOn: false,
  },
  preview: { take: () => ({ camera: null, microphone: null }), stop: () => undefined },
  rejoin: () => Promise.reject(new Error("Nobody is in a rehearsal.")),
};

const SOMEBODY: Person = {
  identity: "somebody",
  name: "Somebody",
  role: "guest",
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

/** The meeting drawn where nobody sees it; the answer lets it go. */
function draw(): () => void {
  const session = openSession(NOBODY);
  session.store.setState({
    people: [{ ...SOMEBODY, identity: "self", isSelf: true }, SOMEBODY],
  });
  const view = createViewStore({ read: () => null, write: () => undefined });
  const root = createRoot(document.createElement("div"));
  const tiles = createRoot(document.createElement("div"));
  // Hidden: drawn in small steps between everything else, and without any effect.
  root.render(
    <Activity mode="hidden">
      <MeetingProvider value={{ session, view, meetingId: "", guestLink: "", role: "guest" }}>
        <MeetingPage />
      </MeetingProvider>
    </Activity>,
  );
  // The stage has no size here and shows nobody, so the tile is drawn by itself.
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
  return () => {
    root.unmount();
    tiles.unmount();
  };
}

/** The browser loads its codecs and makes its first offer; nothing is gathered or sent. */
async function connect(): Promise<void> {
  new Room(roomOptions(NOBODY.devices, () => undefined)).removeAllListeners();
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
