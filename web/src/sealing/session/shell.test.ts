import { expect, test } from "vitest";
import type { Outcome, SealedNotice } from "../contract.ts";
import type { MlsEngine } from "../engine/contract.ts";
import type { FrameKeys, KeyRing } from "../frames/keyRing.ts";
import { b64, utf8 } from "../meeting/bytes.ts";
import type { CallName, Calls } from "../meeting/io.ts";
import { SymbolicEngine, Truth } from "../meeting/model/symbolicEngine.ts";
import { accountFingerprint } from "../meeting/roles.ts";
import { beginning } from "../templates.ts";
import {
  createSealedSession,
  exportText,
  type KeyCalls,
  type LineListener,
  type MediaSeat,
} from "./shell.ts";

const ACCOUNT = new Uint8Array(32).fill(9);
const DEVICE = new Uint8Array(32).fill(4);
const LINK = {
  secret: b64(utf8("link secret 1234")),
  fingerprint: b64(accountFingerprint(ACCOUNT)),
};
const TICKET = { url: "", token: "one" };
type Frame = Readonly<Record<string, unknown>> & { readonly t: string };

/** Answers that are on their way have come. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
}

class Stage {
  /** Everything that was asked of the ports, in order. */
  readonly log: string[] = [];
  readonly sent: Frame[] = [];
  readonly installed: FrameKeys[] = [];
  readonly notices: SealedNotice[] = [];
  readonly seats: MediaSeat[] = [];
  /** Answers that wait while it is set. */
  held: (() => void)[] | null = null;
  failing: CallName | "install" | null = null;
  now = 1_000;
  line: LineListener | null = null;
  #timer: { at: number; run: () => void } | null = null;
  #lines = 0;
  #isWorking = false;
  #ids = 0;
  readonly #symbolic = new SymbolicEngine(
    { signatureKey: DEVICE, accountKey: ACCOUNT, invitation: null, link: LINK, name: "Anna" },
    new Truth(),
  );

  readonly session = createSealedSession(
    {
      engine: this.#engine(),
      keys: this.#keys(),
      certificate: new Uint8Array(64).fill(7),
      work: {
        find: (ask) => {
          this.#isWorking = true;
          return this.#run("work", ask);
        },
        stop: () => {
          if (this.#isWorking) this.log.push("stop work");
          this.#isWorking = false;
        },
      },
      connect: (listener) => {
        this.log.push("connect");
        this.line = listener;
        this.#lines += 1;
        const number = this.#lines;
        return {
          send: (text) => {
            const frame: Frame = JSON.parse(text);
            this.sent.push(frame);
            this.log.push(`send ${frame.t}`);
          },
          close: () => this.log.push(`close line ${number}`),
        };
      },
      createRing: (identity) => this.#ring(identity),
      randomId: () => {
        this.#ids += 1;
        return b64(new Uint8Array(16).fill(this.#ids));
      },
      now: () => this.now,
      after: (milliseconds, run) => {
        const mine = { at: this.now + milliseconds, run };
        this.#timer = mine;
        return () => {
          if (this.#timer === mine) this.#timer = null;
        };
      },
    },
    {
      meetingId: "mtg_a",
      colour: 3,
      signatureKey: DEVICE,
      accountKey: ACCOUNT,
      invitation: null,
      link: LINK,
      policy: beginning("none"),
      blocked: [],
      title: null,
      keyNotes: [],
      knownAccounts: [],
      knownDevices: new Map(),
    },
  );

  constructor() {
    this.session.onNotice((notice) => this.notices.push(notice));
    this.session.onSeat((seat) => this.seats.push(seat));
  }

  #run<K extends CallName>(call: K, ask: Calls[K]["ask"]): Promise<Calls[K]["answer"]> {
    this.log.push(`call ${call}`);
    return new Promise((resolve, reject) => {
      const answer = () => {
        if (this.failing === call) reject(new Error("the worker died"));
        else resolve(this.#symbolic.answer(call, ask));
      };
      if (this.held === null) answer();
      else this.held.push(answer);
    });
  }

  #engine(): MlsEngine {
    const no = () => Promise.reject(new Error("not the shell's"));
    return {
      setUp: no,
      setPsk: no,
      exportSecret: no,
      sign: no,
      verify: no,
      keyPackage: () => this.#run("keyPackage", {}),
      inspect: (keyPackage) => this.#run("inspect", { keyPackage }),
      create: (instance, meeting) => this.#run("create", { instance, meeting }),
      join: (welcome) => this.#run("join", { welcome }),
      commit: (changes) => this.#run("commit", { changes }),
      merge: () => this.#run("merge", {}),
      discard: async () => {
        await this.#run("discard", {});
      },
      apply: (commit) => this.#run("apply", { commit }),
      undo: async () => (await this.#run("undo", {})).isUndone,
      protect: (content) => this.#run("protect", { content }),
      open: (message) => this.#run("open", { message }),
      exportFrameKeys: (identities) => this.#run("frameKeys", { identities }),
      boxKey: () => this.#run("boxKey", {}),
      sealTo: (recipient, info, aad, content) =>
        this.#run("sealTo", { recipient, info, aad, content }),
      openBox: (info, aad, box) => this.#run("openBox", { info, aad, box }),
      close: () => this.log.push("close engine"),
    };
  }

  #keys(): KeyCalls {
    return {
      found: (ask) => this.#run("found", ask),
      verifyMeeting: (ask) => this.#run("verifyMeeting", ask),
      makeKnock: (ask) => this.#run("makeKnock", ask),
      examineKnock: (ask) => this.#run("examineKnock", ask),
      adoptLink: (ask) => this.#run("adoptLink", ask),
      sealNote: (ask) => this.#run("sealNote", ask),
      invitedNames: (ask) => this.#run("invitedNames", ask),
      codes: (ask) => this.#run("codes", ask),
    };
  }

  #ring(ownIdentity: string): KeyRing {
    this.log.push("ring");
    return {
      ownIdentity,
      install: async (keys) => {
        this.log.push(`install ${keys.epoch}`);
        this.installed.push(keys);
        if (this.failing === "install") throw new TypeError("a key of a wrong length");
      },
      settled: async (epoch) => {
        this.log.push(`switch ${epoch}`);
      },
      use: () => () => undefined,
      close: () => this.log.push("close ring"),
    };
  }

  tell(frame: Frame): void {
    this.line?.onText(JSON.stringify(frame));
  }

  async greet(more: object = {}): Promise<void> {
    this.line?.onOpen();
    const own = { seat: "seat_1", resume: "resume_1", resumed: false, role: "host" };
    this.tell({ t: "hello", ...own, instance: null, seq: 0, ping_s: 20, ...more });
    await quiet();
  }

  /** The newest request of this kind is answered. */
  async ok(t: string, more: object = {}): Promise<void> {
    const request = this.sent.findLast((frame) => frame.t === t);
    expect(request, t).toBeDefined();
    this.tell({ t: "ok", n: request?.["n"], ...more });
    await quiet();
  }

  async comeIn(): Promise<void> {
    this.session.start("Anna");
    await this.greet();
    await this.ok("create", { ticket: TICKET });
  }

  async pass(milliseconds: number): Promise<void> {
    const until = this.now + milliseconds;
    while (this.#timer !== null && this.#timer.at <= until) {
      const { at, run } = this.#timer;
      this.#timer = null;
      this.now = Math.max(this.now, at);
      run();
      await quiet();
    }
    this.now = until;
  }

  get phase() {
    return this.session.store.getState().phase;
  }
}

const seen = async (outcome: Promise<Outcome>) => {
  let settled: Outcome | null = null;
  void outcome.then((value) => {
    settled = value;
  });
  await quiet();
  return settled;
};

test("what the machine decides is done in its order, and calls are answered", async () => {
  const stage = new Stage();
  expect(stage.log).toEqual([]);
  await stage.comeIn();
  expect(stage.phase).toEqual({ type: "inside" });
  expect(stage.log.slice(0, 13)).toEqual([
    "connect",
    "send hello",
    "call found",
    "send create",
    "call create",
    "call frameKeys",
    "ring",
    "install 0",
    "send ack",
    "switch 0",
    "send using",
    "call boxKey",
    "call codes",
  ]);
  const { selfIdentity, members } = stage.session.store.getState();
  expect([...(stage.installed[0]?.keys.keys() ?? [])]).toEqual([selfIdentity]);
  expect(members.map(({ name, isSelf }) => ({ name, isSelf }))).toEqual([
    { name: "Anna", isSelf: true },
  ]);
  await expect(stage.session.seated).resolves.toMatchObject({
    identity: selfIdentity,
    ticket: TICKET,
  });
  expect(stage.seats).toEqual([]);
});

test("whether keys are to be forgotten at once is the machine's word", async () => {
  const stage = new Stage();
  await stage.comeIn();
  // Into a group: whoever is not in it is out.
  expect(stage.installed.map(({ epoch, isUrgent }) => ({ epoch, isUrgent }))).toEqual([
    { epoch: 0, isUrgent: true },
  ]);
});

test.each(["frameKeys", "install"] as const)("without %s nothing is sealed", async (failing) => {
  const stage = new Stage();
  stage.failing = failing;
  await stage.comeIn();
  expect(stage.phase).toEqual({ type: "over", reason: "broken" });
  expect(stage.log).toContain("close engine");
  expect(stage.log.filter((line) => line === "ring").length).toBe(
    stage.log.filter((line) => line === "close ring").length,
  );
});

test("text that is no frame does no harm", async () => {
  const stage = new Stage();
  await stage.comeIn();
  stage.line?.onText("{");
  stage.line?.onText("null");
  stage.tell({ t: "welcome" });
  await quiet();
  expect(stage.phase).toEqual({ type: "inside" });
});

test("work for a crowded door ends with the socket that asked for it, or with the meeting", async () => {
  for (const end of ["socket", "close"] as const) {
    const stage = new Stage();
    stage.session.start("Anna");
    await stage.greet({ instance: b64(new Uint8Array(16)) });
    stage.held = [];
    const knock = stage.sent.findLast((frame) => frame.t === "knock");
    const wanted = { code: "work", challenge: "A".repeat(39), bits: 16 };
    stage.tell({ t: "error", n: knock?.["n"], detail: "", ...wanted });
    expect(stage.phase).toEqual({ type: "entering", isCrowded: true });
    expect(stage.log).not.toContain("stop work");
    if (end === "socket") stage.line?.onClose();
    else stage.session.close();
    expect(stage.log).toContain("stop work");
  }
});

test("closed before the start: the engine is gone, and nothing begins any more", async () => {
  const stage = new Stage();
  stage.session.close();
  stage.session.close();
  expect(stage.log).toEqual(["close engine"]);
  stage.session.start("Anna");
  await quiet();
  expect(stage.log).toEqual(["close engine"]);
});

test("an answer that comes after the end is ignored", async () => {
  const stage = new Stage();
  stage.held = [];
  stage.session.start("Anna");
  await stage.greet();
  expect(stage.log.at(-1)).toBe("call found");
  const old = stage.line;
  stage.session.close();
  const before = [...stage.log];
  expect(before.slice(-2)).toEqual(["close line 1", "close engine"]);
  for (const answer of stage.held) answer();
  old?.onClose();
  old?.onText('{"t":"ping"}');
  await quiet();
  await stage.pass(300_000);
  expect(stage.log).toEqual(before);
});

test("a socket that was replaced is not heard any more", async () => {
  const stage = new Stage();
  await stage.comeIn();
  const old = stage.line;
  old?.onClose();
  await quiet();
  expect(stage.phase).toMatchObject({ type: "reconnecting" });
  await stage.pass(1_000);
  expect(stage.log.filter((line) => line === "connect")).toHaveLength(2);
  old?.onOpen();
  old?.onText('{"t":"ended"}');
  await quiet();
  expect(stage.phase).toMatchObject({ type: "reconnecting" });
});

test("wishes resolve with what came of them", async () => {
  const stage = new Stage();
  await stage.comeIn();
  const { actions } = stage.session;
  const chat = actions.sendChat("hello");
  expect(await seen(chat)).toBeNull();
  await stage.ok("message", { seq: 1 });
  const messages = stage.sent.filter(({ t }) => t === "message");
  for (const { n } of messages) stage.tell({ t: "ok", n, seq: 1 });
  expect(await seen(chat)).toBe("done");
  expect(await seen(actions.deny("nobody"))).toBe("gone");
  expect(await seen(actions.remove("nobody"))).toBe("gone");
  const reaction = actions.react("👍");
  expect(await seen(reaction)).toBeNull();
  expect(stage.notices).toContainEqual(expect.objectContaining({ type: "reaction", emoji: "👍" }));
  stage.session.close();
  expect(await seen(reaction)).toBe("failed");
  expect(await seen(actions.sendChat("too late"))).toBe("failed");
  await actions.leave();
});

test("after leaving the ring is closed and the rest of the wishes fail", async () => {
  const stage = new Stage();
  await stage.comeIn();
  const { actions } = stage.session;
  const leaving = actions.leave();
  await stage.pass(1_000);
  await leaving;
  expect(stage.phase).toEqual({ type: "over", reason: "left" });
  expect(stage.log.slice(-3)).toEqual(["close line 1", "close ring", "close engine"]);
  expect(await seen(actions.setHand(true))).toBe("failed");
});

test("a ticket is fetched when the media want one", async () => {
  const stage = new Stage();
  await stage.comeIn();
  const first = stage.session.renewTicket();
  const second = stage.session.renewTicket();
  await stage.ok("ticket", { ticket: { url: "", token: "two" } });
  const { selfIdentity } = stage.session.store.getState();
  for (const seat of [await first, await second]) {
    expect(seat).toMatchObject({ identity: selfIdentity, ticket: { token: "two" } });
  }
  expect(stage.sent.filter(({ t }) => t === "ticket")).toHaveLength(1);
  expect(stage.seats, "the same place").toEqual([]);
});

test("a ticket that is wanted while the socket is away is fetched afterwards", async () => {
  const stage = new Stage();
  await stage.comeIn();
  stage.line?.onClose();
  const renewal = stage.session.renewTicket();
  await stage.pass(1_000);
  expect(stage.sent.filter(({ t }) => t === "ticket")).toEqual([]);
  await stage.greet({ resumed: true });
  expect(stage.sent.filter(({ t }) => t === "ticket")).toHaveLength(1);

  // Lost with the socket, and then refused for a while.
  stage.line?.onClose();
  await stage.pass(1_000);
  await stage.greet({ resumed: true });
  const asked = stage.sent.findLast(({ t }) => t === "ticket");
  stage.tell({ t: "error", n: asked?.["n"], code: "unavailable", detail: "" });
  await stage.pass(1_900);
  expect(stage.sent.filter(({ t }) => t === "ticket")).toHaveLength(2);
  await stage.pass(200);
  await stage.ok("ticket", { ticket: { url: "", token: "three" } });
  await expect(renewal).resolves.toMatchObject({ ticket: { token: "three" } });
  expect(stage.sent.filter(({ t }) => t === "ticket")).toHaveLength(3);
});

test("who waits for a ticket at the end gets none, and so does who comes later", async () => {
  const stage = new Stage();
  await stage.comeIn();
  const waiting = stage.session.renewTicket();
  stage.tell({ t: "ended" });
  await expect(waiting).resolves.toBeNull();
  await expect(stage.session.renewTicket()).resolves.toBeNull();
  expect(stage.phase).toEqual({ type: "over", reason: "ended" });
});

test("another sitting has another ring, and the media are told", async () => {
  const stage = new Stage();
  await stage.comeIn();
  const first = await stage.session.seated;
  stage.line?.onClose();
  await stage.pass(1_000);
  await stage.greet({ seat: "seat_2", resume: "resume_2" });
  await stage.ok("create", { ticket: { url: "", token: "two" } });
  const [second] = stage.seats;
  expect(stage.seats).toHaveLength(1);
  expect(second?.identity).toBe(stage.session.store.getState().selfIdentity);
  expect(second?.identity).not.toBe(first.identity);
  expect(second?.ring).not.toBe(first.ring);
  expect(second?.ring.ownIdentity).toBe(second?.identity);
  expect(stage.log.filter((line) => line === "close ring")).toHaveLength(1);
  stage.session.close();
  expect(stage.log.filter((line) => line === "close ring")).toHaveLength(2);
});

test("frames that cannot be sealed end it", async () => {
  const stage = new Stage();
  await stage.comeIn();
  stage.session.tellNoEncryption();
  expect(stage.phase).toEqual({ type: "over", reason: "broken" });
});

test("what the media see reaches the seal", async () => {
  const stage = new Stage();
  await stage.comeIn();
  await stage.pass(2_000);
  expect(stage.session.store.getState().seal.type).toBe("sealed");
  stage.session.tellMedia({ connected: ["stranger"], flowing: [] });
  await stage.pass(15_000);
  expect(stage.session.store.getState().seal).toMatchObject({
    type: "not-sealed",
    reasons: ["stranger"],
  });
});

test("the chat as a text", async () => {
  const stage = new Stage();
  stage.now = Date.UTC(2026, 0, 2, 3, 4);
  await stage.comeIn();
  void stage.session.actions.sendChat("good morning");
  await quiet();
  expect(stage.session.actions.exportChat(), "not sent yet").toBe("");
  for (const { n } of stage.sent.filter(({ t }) => t === "message")) {
    stage.tell({ t: "ok", n, seq: 1 });
  }
  await quiet();
  for (const { n } of stage.sent.filter(({ t }) => t === "message")) {
    stage.tell({ t: "ok", n, seq: 1 });
  }
  expect(stage.session.actions.exportChat()).toBe("2026-01-02 03:04 Anna: good morning\n");

  const { chat, members } = stage.session.store.getState();
  const [message] = chat;
  if (message === undefined) throw new Error("no message");
  const bo = { identity: "bo", name: "Bo" };
  const lines = exportText({
    members,
    chat: [
      { ...message, text: "to Bo", privateWith: bo },
      { ...message, name: "Bo", isOwn: false, text: "to Anna", privateWith: bo },
      { ...message, text: "gone", isDeleted: true },
      { ...message, text: "never arrived", state: "failed" },
    ],
  });
  expect(lines).toBe("2026-01-02 03:04 Anna → Bo: to Bo\n2026-01-02 03:04 Bo → Anna: to Anna\n");
});
