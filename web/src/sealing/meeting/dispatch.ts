/** Frames of the socket, sorted: what needs the engine waits for its turn, the rest is now. */

import { onCommitError } from "./commits.ts";
import {
  onCreateOk,
  onEntryError,
  onHello,
  onInstance,
  onKnockOk,
  onWelcome,
  startOver,
} from "./connection.ts";
import { onNoteAnswer } from "./door.ts";
import { onSettled } from "./epochs.ts";
import { onNotSent, onSent } from "./outbox.ts";
import { ownIdentity } from "./people.ts";
import { tellPermissionsAnew } from "./permits.ts";
import { noteFrame } from "./rates.ts";
import type { State } from "./state.ts";
import { type Done, finish, type Turn } from "./turn.ts";
import { type FrameOf, readFrame, type ServerFrame } from "./wire.ts";
import { onDenied } from "./wishes.ts";
import { onWorkWanted } from "./work.ts";

const MOST_RETRY_MS = 30_000;
const AGAIN_MS = 2_000;

export function onFrame(t: Turn, value: unknown): Done {
  const frame = readFrame(value);
  if (frame === null || !t.state.isConnected) return t.drop("frame");
  const isForAll = frame.t === "ping" || frame.t === "bye" || frame.t === "ended";
  if (!isForAll && (frame.t === "hello") === t.state.isGreeted) return t.drop("frame");
  noteFrame(t, frame.t === "hello" && frame.resumed);
  sort(t, frame);
}

function isIn({ stage }: State): boolean {
  return stage === "member" || stage === "joining" || stage === "leaving" || stage === "cut";
}

function sort(t: Turn, frame: ServerFrame): Done {
  switch (frame.t) {
    case "hello":
      return onHello(t, frame);
    case "ping":
      return t.send("pong", {});
    case "ended":
      return finish(t, "ended");
    case "bye":
      return t.set({ notBefore: t.now + Math.min(frame.retry_after_ms ?? 0, MOST_RETRY_MS) });
    case "ok":
      return onOk(t, frame);
    case "error":
      return onError(t, frame);
    case "instance":
      return onInstance(t, frame);
    case "waiting": {
      const { atDoor } = t.state;
      if (atDoor !== null) t.set({ atDoor: { ...atDoor, members: frame.members } });
      return;
    }
    case "denied":
      if (t.state.stage !== "knocking") return t.drop("frame");
      return frame.reason === "ended" ? startOver(t) : finish(t, frame.reason);
    case "welcome":
      return onWelcome(t, frame);
    default:
      if (!isIn(t.state)) return t.drop("frame");
      return sortInside(t, frame);
  }
}

type Inside = Exclude<
  ServerFrame,
  FrameOf<
    | "hello"
    | "ping"
    | "ended"
    | "bye"
    | "ok"
    | "error"
    | "instance"
    | "waiting"
    | "denied"
    | "welcome"
  >
>;

function sortInside(t: Turn, frame: Inside): Done {
  switch (frame.t) {
    case "commit":
      t.set({ seq: Math.max(t.state.seq, frame.seq) });
      return t.job({ type: "commit", frame });
    case "message":
      t.set({ seq: Math.max(t.state.seq, frame.seq) });
      return t.job({ type: "message", frame });
    case "reopened":
      return t.job({ type: "reopened", frame });
    case "knock":
      return t.job({ type: "knock", frame });
    case "knock_gone":
      return t.job({ type: "knock-gone", frame });
    case "settled":
      return onSettled(t, frame.epoch);
    case "presence":
      return t.job({ type: "presence", frame });
    case "removed":
      if (frame.why === "removed") return finish(t, "removed");
      return frame.why === "replaced" ? finish(t, "elsewhere") : startOver(t);
    case "granted":
      // Roles are what the group says; but the server takes it from whom it knows to lead.
      return tellPermissionsAnew(t);
  }
}

function take(t: Turn, n: number) {
  const request = t.state.requests.get(n);
  const requests = new Map(t.state.requests);
  requests.delete(n);
  t.set({ requests });
  return request;
}

function onOk(t: Turn, { n, ticket }: FrameOf<"ok">): Done {
  const request = take(t, n);
  switch (request?.type) {
    case undefined:
      return t.drop("frame");
    case "create":
      return ticket === null ? t.drop("frame") : onCreateOk(t, ticket);
    case "knock":
      return onKnockOk(t);
    case "message":
      return onSent(t, request.out);
    case "deny":
      return onDenied(t, request.seat, request.wish, null);
    case "note":
      return onNoteAnswer(t, request.text, null);
    case "leave":
      return finish(t, "left");
    case "ticket": {
      const identity = ownIdentity(t.state);
      if (ticket === null || identity === null) return t.drop("frame");
      t.set({ isTicketWanted: false });
      return t.emit({ type: "media-connect", identity, ticket });
    }
    default:
      return;
  }
}

function onError(t: Turn, frame: FrameOf<"error">): Done {
  const { n, code } = frame;
  const request = n === null ? undefined : take(t, n);
  switch (request?.type) {
    case undefined:
      return t.drop("frame");
    case "knock":
      if (code === "work") return onWorkWanted(t, request.fields, frame);
      return onEntryError(t, request.type, code);
    case "create":
      return onEntryError(t, request.type, code);
    case "commit":
      return onCommitError(t, code);
    case "message":
      return onNotSent(t, request.out, code);
    case "deny":
      return onDenied(t, request.seat, request.wish, code);
    case "note":
      return onNoteAnswer(t, request.text, code);
    case "ticket":
      return t.timer("ticket", t.now + AGAIN_MS);
    case "permit":
      return t.timer("permit", t.now + AGAIN_MS);
    case "leave":
      return finish(t, "left");
    default:
      return;
  }
}
