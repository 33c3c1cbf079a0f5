/**
 * Runs the meeting machine of one visit: gives it what happens, carries out what it decides, and
 * shows the outcome as a `SealedMeeting`. Holds the socket, the one timer and the open calls; no
 * rule and no key of its own. After `stop` nothing works any more, and every key is gone.
 */

import { createStore } from "zustand/vanilla";
import type { Outcome, Sealed, SealedActions, SealedMeeting, SealedNotice } from "../contract.ts";
import type { MlsEngine } from "../engine/contract.ts";
import type { Findings } from "../frames/findings.ts";
import type { KeyRing } from "../frames/keyRing.ts";
import type { Ask, CallName, Calls, Effect, Input, Setup, Wish } from "../meeting/io.ts";
import { begin, step } from "../meeting/machine.ts";
import { view } from "../meeting/view.ts";
import type { Ticket } from "../meeting/wire.ts";
import type { Work } from "../proofOfWork/client.ts";
import { createWitness } from "./witness.ts";

/** The cryptography around the group that is not MLS (`sealing/keys/`), for one meeting. */
export type KeyCalls = {
  readonly [K in Exclude<CallName, keyof EngineCalls | "work">]: (
    ask: Calls[K]["ask"],
  ) => Promise<Calls[K]["answer"]>;
};

type EngineCalls = Pick<
  Calls,
  | "inspect"
  | "create"
  | "keyPackage"
  | "join"
  | "commit"
  | "merge"
  | "discard"
  | "apply"
  | "undo"
  | "protect"
  | "open"
  | "frameKeys"
  | "boxKey"
  | "sealTo"
  | "openBox"
>;

export interface Line {
  send(text: string): void;
  close(): void;
}

export interface LineListener {
  onOpen(): void;
  onText(text: string): void;
  onClose(): void;
}

export interface ShellPorts {
  readonly engine: MlsEngine;
  readonly keys: KeyCalls;
  /** The account's word for this device, 64 bytes; null: a guest. */
  readonly certificate: Uint8Array | null;
  /** Proof of work for a crowded door; ended with the socket that asked for it. */
  readonly work: Work;
  /** Opens the sealing socket of the meeting. */
  readonly connect: (listener: LineListener) => Line;
  readonly createRing: (identity: string, onUsing: (epoch: number) => void) => KeyRing;
  /** 16 random bytes, base64url. */
  readonly randomId: () => string;
  readonly now: () => number;
  /** Runs something later; the answer calls it off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

/** What the media connection needs, and what it tells. */
export interface MediaSeat {
  readonly identity: string;
  readonly ticket: Ticket;
  readonly ring: KeyRing;
}

export interface SealedSession extends SealedMeeting {
  /** Knock, or open the room, under this name. Once; before it nobody hears of us. */
  start(name: string): void;
  /** Gone from the door without a trace. */
  close(): void;
  /** Resolves with the first seat, as soon as somebody has let us in. Never rejects. */
  readonly seated: Promise<MediaSeat>;
  /** A fresh ticket for the media connection; null once the meeting is over for us. */
  renewTicket(): Promise<MediaSeat | null>;
  /** Another seat than the media connection has: it must be made anew. */
  onSeat(listener: (seat: MediaSeat) => void): () => void;
  /** What the media connection sees: who is connected, whose packets arrive, what is not encrypted. */
  tellMedia(seen: { connected: readonly string[]; flowing: readonly string[] }): void;
  tellFindings(findings: Findings): void;
  tellNoEncryption(): void;
}

export function createSealedSession(ports: ShellPorts, setup: Omit<Setup, "name">): SealedSession {
  const { engine } = ports;
  const { saw, ...witness } = createWitness({
    sign: (content) => engine.sign(content),
    certificate: ports.certificate,
  });
  let state = begin({ ...setup, name: "" });
  const store = createStore<Sealed>(() => view(state));
  const listeners = new Set<(notice: SealedNotice) => void>();
  const seatListeners = new Set<(seat: MediaSeat) => void>();
  const wishes = new Map<number, (outcome: Outcome) => void>();
  let nextWish = 1;
  let line: Line | null = null;
  let cancelWake: () => void = () => undefined;
  let ring: KeyRing | null = null;
  let seat: MediaSeat | null = null;
  let renewals: ((seat: MediaSeat | null) => void)[] = [];
  let media: Extract<Input, { type: "media" }> = {
    type: "media",
    connected: [],
    flowing: [],
    plaintext: [],
    hasUnopened: false,
  };
  let isStopped = false;
  let resolveSeated: (seat: MediaSeat) => void = () => undefined;
  const seated = new Promise<MediaSeat>((resolve) => {
    resolveSeated = resolve;
  });
  /** Inputs that come while effects are carried out wait their turn. */
  const waiting: Input[] = [];
  let isTaking = false;

  function take(input: Input): void {
    waiting.push(input);
    if (isTaking) return;
    isTaking = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        // Closed from outside: a late answer must not set out anew.
        if (isStopped && state.stage !== "over") continue;
        const { state: after, effects } = step(state, next, ports.now());
        const isSame = after === state;
        state = after;
        for (const effect of effects) carryOut(effect);
        if (isSame) continue;
        saw(state);
        store.setState(view(state, store.getState()), true);
      }
    } finally {
      isTaking = false;
    }
  }

  function carryOut(effect: Effect): void {
    if (isStopped && effect.type !== "notice" && effect.type !== "outcome") return;
    switch (effect.type) {
      case "connect":
        connect();
        break;
      case "disconnect":
        hangUp();
        break;
      case "send":
        line?.send(JSON.stringify(effect.frame));
        break;
      case "call":
        void call(effect.id, effect);
        break;
      case "wake":
        cancelWake();
        cancelWake =
          effect.at === null
            ? () => undefined
            : ports.after(Math.max(0, effect.at - ports.now()), () => take({ type: "tick" }));
        break;
      case "keys-receive":
        void ringOf()
          ?.install({ epoch: effect.epoch, keys: effect.keys, isUrgent: effect.isUrgent })
          .catch(() => take({ type: "no-encryption" }));
        break;
      case "keys-send":
        void ring?.settled(effect.epoch);
        break;
      case "keys-forget":
        // The ring overwrites old keys by itself, by the same rule.
        break;
      case "media-connect":
        onTicket(effect.identity, effect.ticket);
        break;
      case "stop":
        stop();
        break;
      case "notice":
        for (const listener of listeners) listener(effect.notice);
        break;
      case "outcome":
        wishes.get(effect.wish)?.(effect.outcome);
        wishes.delete(effect.wish);
    }
  }

  function connect(): void {
    hangUp();
    const mine: Line = ports.connect({
      onOpen: () => line === mine && take({ type: "opened" }),
      onText(text) {
        if (line === mine) take({ type: "frame", frame: parse(text) });
      },
      onClose() {
        if (line !== mine) return;
        line = null;
        ports.work.stop();
        take({ type: "closed" });
      },
    });
    line = mine;
  }

  function hangUp(): void {
    const old = line;
    line = null;
    ports.work.stop();
    old?.close();
  }

  /** One ring for one identity: another sitting has other keys. */
  function ringOf(): KeyRing | null {
    const identity = view(state, store.getState()).selfIdentity;
    if (identity !== null && ring?.ownIdentity !== identity) {
      ring?.close();
      ring = ports.createRing(identity, () => undefined);
    }
    return ring;
  }

  function onTicket(identity: string, ticket: Ticket): void {
    const own = ringOf();
    if (own === null) return;
    const isNew = seat !== null && seat.identity !== identity;
    seat = { identity, ticket, ring: own };
    resolveSeated(seat);
    for (const resolve of renewals) resolve(seat);
    renewals = [];
    if (isNew) for (const listener of seatListeners) listener(seat);
  }

  function stop(): void {
    if (isStopped) return;
    isStopped = true;
    cancelWake();
    hangUp();
    ring?.close();
    engine.close();
    for (const resolve of renewals) resolve(null);
    renewals = [];
  }

  /** Gone at any moment, and without a word: what was wished for comes to nothing. */
  function close(): void {
    stop();
    for (const resolve of wishes.values()) resolve("failed");
    wishes.clear();
  }

  async function call(id: number, { call: name, ask }: Ask): Promise<void> {
    try {
      take({ type: "answered", id, answer: await answerTo(name, ask) });
    } catch {
      take({ type: "failed", id });
    }
  }

  function answerTo(name: CallName, ask: object): Promise<unknown> {
    const asked = { call: name, ask } as Ask;
    switch (asked.call) {
      case "inspect":
        return engine.inspect(asked.ask.keyPackage);
      case "create":
        return engine.create(asked.ask.instance, asked.ask.meeting);
      case "keyPackage":
        return engine.keyPackage();
      case "join":
        return engine.join(asked.ask.welcome);
      case "commit":
        return engine.commit(asked.ask.changes);
      case "merge":
        return engine.merge();
      case "discard":
        return engine.discard().then(() => null);
      case "apply":
        return engine.apply(asked.ask.commit);
      case "undo":
        return engine.undo().then((isUndone) => ({ isUndone }));
      case "protect":
        return engine.protect(asked.ask.content);
      case "open":
        return engine.open(asked.ask.message);
      case "frameKeys":
        return engine.exportFrameKeys(asked.ask.identities);
      case "boxKey":
        return engine.boxKey();
      case "sealTo":
        return engine.sealTo(asked.ask.recipient, asked.ask.info, asked.ask.aad, asked.ask.content);
      case "openBox":
        return engine.openBox(asked.ask.info, asked.ask.aad, asked.ask.box);
      case "work":
        return ports.work.find(asked.ask);
      default:
        return (ports.keys[asked.call] as (ask: object) => Promise<unknown>)(asked.ask);
    }
  }

  function wish(what: Wish): Promise<Outcome> {
    if (isStopped) return Promise.resolve(what.type === "leave" ? "done" : "failed");
    const number = nextWish++;
    return new Promise((resolve) => {
      wishes.set(number, resolve);
      take({ type: "wish", wish: number, what });
    });
  }

  const actions: SealedActions = {
    leave: async () => {
      await wish({ type: "leave" });
    },
    sendChat: (text, options = {}) =>
      wish({
        type: "chat",
        id: ports.randomId(),
        text,
        replyTo: options.replyTo ?? null,
        privateTo: options.privateTo ?? null,
      }),
    editChat: (id, text) => wish({ type: "edit", id, text }),
    deleteChat: (id) => wish({ type: "delete", id }),
    resendChat: (id) => wish({ type: "resend", id }),
    reactToChat: (id, emoji, on) => wish({ type: "chat-react", id, emoji, on }),
    markRead: () => void wish({ type: "read" }),
    exportChat: () => exportText(store.getState()),
    react: (emoji) => wish({ type: "react", emoji }),
    setHand: (isUp) => wish({ type: "hand", isUp }),
    admit: (seats) => wish({ type: "admit", seats }),
    deny: (at, isBlocked = false) => wish({ type: "deny", seat: at, isBlocked }),
    sendNote: (text) => wish({ type: "note", text }),
    remove: (identity) => wish({ type: "remove", identity }),
    setCohost: (identity, isCohost) => wish({ type: "cohost", identity, isCohost }),
    setPart: (identity, part) => wish({ type: "part", identity, part }),
    allow: (identity, bits, isAllowed) => wish({ type: "allow", identity, bits, isAllowed }),
    block: (keys) => wish({ type: "block", keys }),
    unblock: () => wish({ type: "unblock" }),
    setPolicy: (policy) => wish({ type: "policy", policy }),
    revoke: (ids, isRevoked) => wish({ type: "revoke", ids, isRevoked }),
    freeze: (isOn) => wish({ type: "freeze", isOn }),
    clean: (identities, seats, invitations) =>
      wish({ type: "clean", identities, seats, invitations }),
    order: (what, identity) => wish({ type: "order", what, identity }),
  };

  return {
    store,
    actions,
    witness,
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start(name) {
      state = begin({ ...setup, name });
      take({ type: "start" });
    },
    close,
    seated,
    renewTicket() {
      if (isStopped) return Promise.resolve(null);
      return new Promise((resolve) => {
        renewals.push(resolve);
        take({ type: "ticket-wanted" });
      });
    },
    onSeat(listener) {
      seatListeners.add(listener);
      return () => seatListeners.delete(listener);
    },
    tellMedia({ connected, flowing }) {
      media = { ...media, connected, flowing };
      take(media);
    },
    tellFindings({ plaintext, hasUnopened }) {
      media = { ...media, plaintext, hasUnopened };
      take(media);
    },
    tellNoEncryption: () => take({ type: "no-encryption" }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The chat as this person saw it: a line a message, private ones with whom they are for. */
export function exportText({ chat, members }: Pick<Sealed, "chat" | "members">): string {
  const ownName = members.find((member) => member.isSelf)?.name ?? "";
  const lines = chat
    .filter((message) => !message.isDeleted && message.state === "sent")
    .map((message) => {
      const time = new Date(message.sentAt).toISOString().slice(0, 16).replace("T", " ");
      const reader = message.isOwn ? message.privateWith?.name : ownName;
      const to = message.privateWith === null ? "" : ` → ${reader}`;
      return `${time} ${message.name}${to}: ${message.text}`;
    });
  return lines.map((line) => `${line}\n`).join("");
}
