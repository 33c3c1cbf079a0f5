import { Track } from "livekit-client";
import { beforeEach, expect, it } from "vitest";
import { fakeSealed, member } from "../../../../test/fakeSealed.ts";
import type { Sealed } from "../../../sealing/contract.ts";
import { bitsOf, EVERYTHING, type Permission } from "../../../sealing/permissions.ts";
import { createRightsWatch, mayBegin, mayGoOn, type RightsWatch } from "./rights.ts";

const { Microphone, Camera, ScreenShare, ScreenShareAudio, Unknown } = Track.Source;

let now: number;
let arrivedAt: number | null;
let watch: RightsWatch;
beforeEach(() => {
  now = 100_000;
  arrivedAt = 10_000;
  watch = createRightsWatch({ now: () => now, arrivedAt: () => arrivedAt });
});

function room(people: number, ...permissions: readonly Permission[]): Sealed {
  const bits = bitsOf(...permissions);
  const others = Array.from({ length: people - 1 }, (_, at) => member(`p${at}`, { may: bits }));
  const self = member("me", { isSelf: true, may: bits });
  return fakeSealed({ members: [self, ...others] }).store.getState();
}

const sees = (sealed: Sealed | null, source: Track.Source, trackSid = "TR_1", identity = "p0") =>
  watch.isPermitted(sealed, { identity, source, trackSid });

it("attack: an altered client speaks, shows and shares without the floor", () => {
  const sealed = room(3, "chat", "hand");
  for (const source of [Microphone, Camera, ScreenShare, ScreenShareAudio]) {
    expect(sees(sealed, source)).toBe(false);
  }
  expect(sees(room(3, "microphone"), Microphone)).toBe(true);
  expect(sees(room(3, "camera"), Camera)).toBe(true);
  expect(sees(room(3, "screen"), ScreenShare, "TR_2")).toBe(true);
  expect(sees(room(3, "screenAmongMany"), ScreenShareAudio)).toBe(true);
});

it("attack: a track that says of nothing what it is", () => {
  expect(sees(room(3, "microphone", "camera"), Unknown)).toBe(false);
  const host = member("p0", { role: "host", may: EVERYTHING });
  expect(sees(fakeSealed({ members: [host] }).store.getState(), Unknown)).toBe(true);
});

it("attack: sharing among more than ten people is for who leads or presents", () => {
  expect(sees(room(10, "screen"), ScreenShare, "TR_ten")).toBe(true);
  expect(sees(room(11, "screen"), ScreenShare, "TR_eleven")).toBe(false);
  expect(sees(room(11, "screenAmongMany"), ScreenShare, "TR_many")).toBe(true);
  // One that began among ten goes on when the eleventh comes; one that did not stays hidden.
  expect(sees(room(11, "screen"), ScreenShare, "TR_ten")).toBe(true);
  expect(sees(room(3, "screen"), ScreenShare, "TR_eleven")).toBe(false);
  // The right itself can be taken at any time.
  expect(sees(room(3), ScreenShare, "TR_ten")).toBe(false);
  // Who goes does not count.
  const { members } = room(11, "screen");
  const leaving = members.map((one, at) => ({ ...one, isLeaving: at === 10 }));
  const sealed = fakeSealed({ members: leaving }).store.getState();
  expect(sees(sealed, ScreenShare, "TR_last")).toBe(true);
});

it("a share that was there before one came is taken as begun in order", () => {
  arrivedAt = null;
  expect(sees(room(11, "screen"), ScreenShare, "TR_a")).toBe(true);
  arrivedAt = now - 1_000;
  expect(sees(room(11, "screen"), ScreenShare, "TR_b")).toBe(true);
  now += 5_000;
  expect(sees(room(11, "screen"), ScreenShare, "TR_a")).toBe(true);
  expect(sees(room(11, "screen"), ScreenShare, "TR_c")).toBe(false);
});

it("whom the group does not know is not judged here", () => {
  expect(sees(null, Camera)).toBe(true);
  expect(sees(room(2), Camera, "TR_1", "stranger")).toBe(true);
});

it("oneself begins by the same rules, and goes on with what began in order", () => {
  expect(mayBegin(null, "microphone")).toBe(true);
  expect(mayGoOn(null, "screen")).toBe(true);
  expect(mayBegin(fakeSealed({ members: [] }).store.getState(), "camera")).toBe(true);
  const eleven = room(11, "screen", "camera");
  expect(mayBegin(eleven, "screen")).toBe(false);
  expect(mayGoOn(eleven, "screen")).toBe(true);
  expect(mayBegin(eleven, "camera")).toBe(true);
  expect(mayBegin(eleven, "microphone")).toBe(false);
  expect(mayGoOn(eleven, "microphone")).toBe(false);
  expect(mayGoOn(room(2), "screen")).toBe(false);
});
