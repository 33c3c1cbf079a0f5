import { type KeyInfo, KeyProviderEvent } from "livekit-client";
import { describe, expect, it } from "vitest";
import { createKeyRing } from "./keyRing.ts";
import { KEY_FRAME_MS } from "./keySchedule.ts";
import { importFrameKey, SealKeys } from "./sealKeys.ts";

function listen(keys: SealKeys): string[] {
  const heard: string[] = [];
  keys.on(KeyProviderEvent.SetKey, (info: KeyInfo, isForSending?: boolean) => {
    heard.push(`${info.participantIdentity} ${info.keyIndex}${isForSending ? " sends" : ""}`);
  });
  return heard;
}

const key = () => importFrameKey(new Uint8Array(32).fill(7));

describe("SealKeys", () => {
  it("tells the worker and keeps nothing", async () => {
    const keys = new SealKeys("me");
    const heard = listen(keys);
    keys.receive("bo", 259, await key());
    keys.hold(259, await key());
    keys.send(260, await key());
    expect(heard).toEqual(["bo 3", "me 3", "me 4 sends"]);
    expect(keys.getKeys()).toEqual([]);
    expect(keys.getOptions()).toMatchObject({
      sharedKey: false,
      keyringSize: 256,
      ratchetWindowSize: 0,
      failureTolerance: -1,
    });
  });

  it("overwrites old keys without sending with them", async () => {
    const keys = new SealKeys("me");
    keys.send(1, await key());
    keys.send(2, await key());
    const heard = listen(keys);
    await keys.forget("me", 1);
    await keys.forget("bo", 1);
    expect(heard).toEqual(["me 1", "bo 1"]);
  });

  it("never overwrites the key that is being sent with", async () => {
    const keys = new SealKeys("me");
    keys.send(2, await key());
    const heard = listen(keys);
    await keys.forget("me", 2);
    await keys.forget("me", 258);
    expect(heard).toEqual([]);
  });

  it("takes one's own key for receiving as one to hold", async () => {
    const keys = new SealKeys("me");
    const heard = listen(keys);
    keys.receive("me", 5, await key());
    expect(heard).toEqual(["me 5"]);
  });

  it.each([0, 16, 31, 33, 64])("refuses %d bytes as a key", async (length) => {
    await expect(importFrameKey(new Uint8Array(length))).rejects.toThrow(TypeError);
  });

  it("makes keys that cannot be read back", async () => {
    expect((await key()).extractable).toBe(false);
  });
});

describe("the ring", () => {
  function stage() {
    let now = 0;
    let timer: { at: number; run: () => void } | null = null;
    const used: number[] = [];
    const ring = createKeyRing({
      ownIdentity: "me",
      now: () => now,
      after(milliseconds, run) {
        const mine = { at: now + milliseconds, run };
        timer = mine;
        return () => {
          if (timer === mine) timer = null;
        };
      },
      onUsing: (epoch) => used.push(epoch),
    });
    const goTo = (time: number) => {
      now = time;
      while (timer !== null && timer.at <= now) {
        const { run } = timer;
        timer = null;
        run();
      }
    };
    const user = () => {
      const keys = new SealKeys("me");
      const made = { frames: 0 };
      const makeKeyFrame = () => {
        made.frames += 1;
      };
      return { keys, heard: listen(keys), made, makeKeyFrame };
    };
    const epochOf = (epoch: number, identities: string[], isUrgent = false) => ({
      epoch,
      keys: new Map(identities.map((identity) => [identity, new Uint8Array(32).fill(epoch)])),
      isUrgent,
    });
    return { ring, goTo, user, used, epochOf, isIdle: () => timer === null };
  }

  it("fills every worker, now and later", async () => {
    const { ring, goTo, user, used, epochOf } = stage();
    const first = user();
    ring.use(first);
    await ring.install(epochOf(1, ["me", "bo"]));
    expect(first.heard).toEqual(["me 1", "bo 1", "me 1 sends"]);
    goTo(KEY_FRAME_MS);
    expect(first.made.frames).toBe(1);
    const second = user();
    const stop = ring.use(second);
    expect(second.heard).toEqual(["me 1 sends", "bo 1"]);
    stop();
    await ring.install(epochOf(2, ["me", "bo"]));
    await ring.settled(2);
    expect(second.heard).toHaveLength(2);
    expect(used).toEqual([1, 2]);
  });

  it("works off what comes in its order", async () => {
    const { ring, used, epochOf } = stage();
    void ring.install(epochOf(1, ["me"]));
    void ring.install(epochOf(2, ["me"]));
    await ring.settled(2);
    expect(used).toEqual([1, 2]);
  });

  it("wipes the bytes it was given, and goes on after a bad key", async () => {
    const { ring, used, epochOf } = stage();
    const bad = { epoch: 1, keys: new Map([["me", new Uint8Array(5)]]), isUrgent: false };
    await expect(ring.install(bad)).rejects.toThrow(TypeError);
    const good = epochOf(2, ["me"]);
    await ring.install(good);
    expect(good.keys.get("me")).toEqual(new Uint8Array(32));
    expect(used).toEqual([2]);
  });

  it("leaves nothing behind", async () => {
    const { ring, user, epochOf, isIdle } = stage();
    const one = user();
    ring.use(one);
    await ring.install(epochOf(1, ["me"]));
    ring.close();
    expect(isIdle()).toBe(true);
    await ring.install(epochOf(2, ["me"]));
    expect(one.heard).toHaveLength(2);
    const late = user();
    ring.use(late);
    expect(late.heard).toEqual([]);
  });
});
