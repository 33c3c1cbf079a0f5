/** Carries out what `machine.ts` decides: one WebSocket, two timers. Holds no rule of its own. */
import { begin, type Effect, type Happening, type RealtimeEvent, step } from "./machine.ts";

/** The server pings more often than this; longer silence means the connection is dead. */
const SILENCE_MS = 60_000;

export interface RealtimeListener {
  onEvent(event: RealtimeEvent): void;
  onReload(): void;
  onLive(isLive: boolean): void;
}

/** Opens the socket and keeps it open. Returns what ends it for good. */
export function openRealtime(listener: RealtimeListener): () => void {
  let { state, effects } = begin();
  let socket: WebSocket | null = null;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let isEnded = false;

  function happened(happening: Happening): void {
    if (isEnded) return;
    const wasLive = state.phase === "live";
    ({ state, effects } = step(state, happening, Math.random()));
    if ((state.phase === "live") !== wasLive) listener.onLive(state.phase === "live");
    for (const effect of effects) carryOut(effect);
  }

  function listen(): void {
    clearTimeout(silence);
    silence = setTimeout(() => happened({ kind: "silent" }), SILENCE_MS);
  }

  function drop(): void {
    clearTimeout(silence);
    const old = socket;
    socket = null;
    old?.close();
  }

  function connect(since: number | null): void {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = since === null ? "" : `?since=${since}`;
    const opened = new WebSocket(`${scheme}//${location.host}/api/v1/realtime${query}`);
    socket = opened;
    listen();
    opened.addEventListener("message", ({ data }) => {
      if (socket !== opened || typeof data !== "string") return;
      listen();
      happened({ kind: "frame", text: data });
    });
    opened.addEventListener("close", () => {
      if (socket !== opened) return;
      drop();
      happened({ kind: "closed" });
    });
  }

  function carryOut(effect: Effect): void {
    switch (effect.do) {
      case "connect":
        connect(effect.since);
        break;
      case "send":
        if (socket?.readyState === WebSocket.OPEN) socket.send(effect.text);
        break;
      case "deliver":
        listener.onEvent(effect.event);
        break;
      case "reload":
        listener.onReload();
        break;
      case "close":
        drop();
        break;
      case "wait":
        clearTimeout(waiting);
        waiting = setTimeout(() => happened({ kind: "due" }), effect.ms);
        break;
    }
  }

  for (const effect of effects) carryOut(effect);
  return () => {
    isEnded = true;
    clearTimeout(waiting);
    drop();
  };
}
