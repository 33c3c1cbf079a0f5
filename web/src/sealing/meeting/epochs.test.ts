import { expect, test } from "vitest";
import { beginning } from "../templates.ts";
import { enterGroup } from "./epochs.ts";
import { encodeContext, type MeetingContext } from "./meetingContext.ts";
import { identityOf } from "./roles.ts";
import { begin } from "./state.ts";
import { onOpened } from "./talk.ts";
import { Turn } from "./turn.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
const context: MeetingContext = {
  meetingId: new TextEncoder().encode("mtg_a"),
  instance: new Uint8Array(16).fill(1),
  creatorKey: key(0),
  hostFingerprint: new Uint8Array(16),
  mac: key(9),
  policy: {
    entry: "open",
    isLocked: false,
    history: 0,
    cohosts: [],
    revoked: [],
    template: "none",
    attendees: 0x1ff,
    people: [],
    blocked: [],
  },
};

test.each([true, false])(
  "who was there before us has the link if our Welcome needed it: %s",
  (is) => {
    const policy = beginning("none");
    const link = { secret: "", fingerprint: "" };
    const turn = new Turn(
      begin({
        meetingId: "mtg_a",
        name: "Cleo",
        colour: 0,
        signatureKey: key(2),
        accountKey: null,
        invitation: null,
        link,
        policy,
        blocked: [],
        title: null,
        keyNotes: [],
        knownAccounts: [],
        knownDevices: new Map(),
      }),
      1_000,
    );
    const facts = {
      groupId: context.instance,
      epoch: 2,
      ownLeaf: 2,
      roster: [0, 1, 2].map((n) => ({
        leaf: n,
        signatureKey: key(n),
        accountKey: null,
        invitation: null,
      })),
      meeting: encodeContext(context),
      authenticator: key(7),
      isLinkBound: is,
    };
    enterGroup(turn, { facts, context }, new Map(), null);
    const ben = identityOf(key(1), context.instance);
    expect(turn.state.people.get(ben)?.hasLink).toBe(false);
    const content = new TextEncoder().encode('{"v":1,"k":"hand","up":true}');
    onOpened(turn, { type: "opened", sender: 1, epoch: 2, content });
    expect(turn.state.people.get(ben)).toMatchObject({ hasLink: is, handAt: 1 });
  },
);
