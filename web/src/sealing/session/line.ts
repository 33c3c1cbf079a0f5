/** The sealing socket (docs/reference/sealing-protocol.md, 7) in a browser. Holds no rule. */

import type { Line, LineListener } from "./shell.ts";

/** Longer than the server's two pings without an answer: the connection is dead. */
const SILENCE_MS = 60_000;

export function openLine(meetingId: string, listener: LineListener): Line {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const path = `/api/v1/meetings/${encodeURIComponent(meetingId)}/sealing`;
  const socket = new WebSocket(`${scheme}//${location.host}${path}`);
  let silence: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    clearTimeout(silence);
    socket.close();
    listener.onClose();
  }
  function listen(): void {
    clearTimeout(silence);
    silence = setTimeout(close, SILENCE_MS);
  }

  listen();
  socket.addEventListener("open", () => isClosed || listener.onOpen());
  socket.addEventListener("message", ({ data }) => {
    if (isClosed || typeof data !== "string") return;
    listen();
    listener.onText(data);
  });
  socket.addEventListener("close", close);
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close,
  };
}
