/** A sealed meeting made of plain values, for tests of pages: records what was asked of it. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type {
  ChatMessage,
  DoorGuest,
  InvitedAs,
  Outcome,
  Sealed,
  SealedActions,
  SealedMember,
  SealedNotice,
  Witness,
  Witnessed,
} from "../src/sealing/contract.ts";
import type { KeyRing } from "../src/sealing/frames/keyRing.ts";
import { EVERYTHING } from "../src/sealing/permissions.ts";
import type { MediaSeat, SealedSession } from "../src/sealing/session/shell.ts";
import { beginning } from "../src/sealing/templates.ts";

export function member(identity: string, change: Partial<SealedMember> = {}): SealedMember {
  return {
    identity,
    name: identity.charAt(0).toUpperCase() + identity.slice(1),
    colour: 0,
    role: "member",
    part: "attendee",
    may: EVERYTHING,
    verification: "link",
    invited: null,
    isSelf: false,
    joinedAt: 0,
    handPlace: null,
    isLeaving: false,
    isLost: false,
    ...change,
  };
}

export function invitedAs(id: string, name: string | null = null): InvitedAs {
  return { id, name, device: `device of ${id}`, isOtherDevice: false };
}

export function message(id: string, change: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id,
    identity: "ada",
    name: "Ada",
    isOwn: false,
    text: `Words of ${id}`,
    sentAt: Date.UTC(2026, 0, 1, 12, 0),
    state: "sent",
    isEdited: false,
    isDeleted: false,
    replyTo: null,
    privateWith: null,
    reactions: [],
    isTrusted: false,
    isFromBefore: false,
    ...change,
  };
}

export function guest(seat: string, change: Partial<DoorGuest> = {}): DoorGuest {
  return {
    seat,
    name: seat,
    colour: 0,
    proof: "link",
    invited: null,
    note: null,
    words: { en: ["harbour", "lemon", "violin"], de: ["Hafen", "Zitrone", "Geige"] },
    knockedAt: 0,
    ...change,
  };
}

export interface FakeSealed extends SealedSession {
  readonly store: StoreApi<Sealed>;
  readonly witness: { readonly store: StoreApi<Witnessed>; signReport: Witness["signReport"] };
  /** "action argument argument", in the order in which they were asked for. */
  readonly asked: string[];
  /** What the next actions come to. */
  outcome: Outcome;
  /** The answers to the next wishes for a ticket; none left: the server does not answer. */
  readonly renewals: (MediaSeat | null | Error)[];
  /** Somebody lets us in. */
  admit(seat?: MediaSeat): void;
  /** We are given another place. */
  reseat(seat: MediaSeat): void;
  /** The people of the group, oneself apart. */
  group(...members: SealedMember[]): void;
  tell(notice: SealedNotice): void;
}

export function mediaSeat(token = "first", identity = "me"): MediaSeat {
  return { identity, ticket: { url: "", token }, ring: {} as KeyRing };
}

export function fakeSealed(change: Partial<Sealed> = {}): FakeSealed {
  const store = createStore<Sealed>(() => ({
    phase: { type: "inside" },
    seal: { type: "sealed", since: 0 },
    selfIdentity: "me",
    members: [member("me", { isSelf: true })],
    door: [],
    chat: [],
    unread: 0,
    codes: {
      words: {
        en: ["harbour", "lemon", "violin", "copper", "meadow", "sparrow", "candle", "orbit"],
        de: ["hafen", "zitrone", "geige", "kupfer", "wiese", "spatz", "kerze", "bahn"],
      },
      roster: "482139077561042339182756084196",
      matchesLink: true,
    },
    policy: beginning("none"),
    blocked: [],
    isLeaderLost: false,
    frozen: null,
    title: null,
    keyNotes: [],
    ...change,
  }));
  const asked: string[] = [];
  const listeners = new Set<(notice: SealedNotice) => void>();
  const seatListeners = new Set<(seat: MediaSeat) => void>();
  let admit: (seat: MediaSeat) => void = () => undefined;
  const fake: FakeSealed = {
    store,
    witness: {
      store: createStore<Witnessed>(() => ({
        instance: null,
        devices: new Map(),
        openLinkDevices: 0,
        certificate: null,
      })),
      signReport: () => Promise.reject(new Error("no key")),
    },
    asked,
    outcome: "done",
    renewals: [],
    seated: new Promise((resolve) => {
      admit = resolve;
    }),
    admit: (seat = mediaSeat()) => admit(seat),
    reseat: (seat) => {
      for (const listener of seatListeners) listener(seat);
    },
    group: (...members) =>
      store.setState(({ members: before }) => ({
        members: [...before.filter((one) => one.isSelf), ...members],
      })),
    start: (name) => void asked.push(`start ${name}`),
    close: () => void asked.push("close"),
    async renewTicket() {
      const answer = fake.renewals.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("unreachable");
      return answer;
    },
    onSeat(listener) {
      seatListeners.add(listener);
      return () => seatListeners.delete(listener);
    },
    tellMedia: (seen) => void asked.push(`media ${JSON.stringify(seen)}`),
    tellFindings: (found) => void asked.push(`findings ${JSON.stringify(found)}`),
    tellNoEncryption: () => void asked.push("no encryption"),
    tell: (notice) => {
      for (const listener of listeners) listener(notice);
    },
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    actions: new Proxy({} as SealedActions, {
      get: (_, action: string) => {
        if (action === "exportChat") return () => "the chat";
        return (...args: unknown[]) => {
          asked.push([action, ...args.map((one) => JSON.stringify(one))].join(" "));
          return action === "markRead" ? undefined : Promise.resolve(fake.outcome);
        };
      },
    }),
  };
  return fake;
}
