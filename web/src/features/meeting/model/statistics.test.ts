import { describe, expect, it } from "vitest";
import {
  receivedPicture,
  receivedSound,
  type Sending,
  sentLayer,
  way,
} from "../../../../test/reports.ts";
import { figuresOf, type PersonReport, type Snapshot, type Stat } from "./statistics.ts";

const own = (stats: readonly Stat[], source: "camera" | "microphone" = "camera"): Snapshot => ({
  own: [{ sid: `TR_${source}`, source, stats }],
  others: [],
});
const person = (identity: string, stats: readonly Stat[]): PersonReport => ({
  identity,
  name: identity.toUpperCase(),
  tracks: [{ sid: `TR_${identity}`, source: "camera", stats }],
});
const sending = (from: Sending, to: Sending) => figuresOf(own(sentLayer(from)), own(sentLayer(to)));

describe("what is sent", () => {
  it("has rates, sizes and losses of the time in between", () => {
    const figures = sending({ seconds: 10 }, { seconds: 14, loss: 0 });
    expect(figures.sent).toEqual([
      {
        sid: "TR_camera",
        source: "camera",
        limit: "none",
        layers: [
          {
            codec: "VP8",
            width: 1280,
            height: 720,
            framesPerSecond: 30,
            bitsPerSecond: 1_500_000,
            loss: 0,
          },
        ],
      },
    ]);
    expect(figures.up).toEqual({ bitsPerSecond: 1_500_000, loss: 0 });
    expect(figures.roundTrip).toBe(0.05);
  });

  it("lists the layers that are sent, the largest first, and no other", () => {
    const at = (seconds: number): Stat[] => [
      ...sentLayer({ seconds, rid: "q", width: 320, height: 180, kilobits: 150 }),
      ...sentLayer({ seconds, rid: "f" }),
      ...sentLayer({ seconds, rid: "h", width: 640, height: 360, kilobits: 0 }),
      ...sentLayer({ seconds, rid: "x", width: 2, isActive: false }),
    ];
    const { sent, up } = figuresOf(own(at(1)), own(at(2)));
    expect(sent[0]?.layers.map(({ width }) => width)).toEqual([1280, 320]);
    expect(up.bitsPerSecond).toBe(1_650_000);
  });

  it("names the way a picture is scaled, and none where there is none", () => {
    const named = (mode: string) =>
      figuresOf(null, own(sentLayer({ seconds: 1, codec: "video/VP9", mode }))).sent[0]?.layers[0]
        ?.codec;
    expect([named("L3T3_KEY"), named("L1T1")]).toEqual(["VP9 L3T3_KEY", "VP9"]);
  });

  it("loses what the server did not get, as the server counts", () => {
    const before = own(sentLayer({ seconds: 10, loss: 0 }));
    const now = own(sentLayer({ seconds: 14, loss: 0.1 }));
    // 140 lost of the 400 sent meanwhile.
    expect(figuresOf(before, now).up.loss).toBeCloseTo(0.35);
  });

  it("loses the part last told while no report has come", () => {
    const still = (seconds: number) =>
      sentLayer({ seconds, loss: 0.08 }).map((stat) =>
        stat.type === "remote-inbound-rtp" ? { ...stat, timestamp: 7, packetsLost: 80 } : stat,
      );
    expect(figuresOf(own(still(10)), own(still(12))).up.loss).toBeCloseTo(0.08);
  });

  it("is limited only by what holds for half of the time", () => {
    const limit = (reasonSince: number, reason = "cpu") =>
      sending(
        { seconds: 10, reason: "none", reasonSince: 10 },
        { seconds: 14, reason, reasonSince },
      ).limit;
    const held = sending(
      { seconds: 10, reason: "bandwidth", reasonSince: 4 },
      { seconds: 14, reason: "bandwidth", reasonSince: 4 },
    );
    expect(held.limit).toBe("bandwidth");
    // Told without how long: believed.
    expect(limit(13)).toBe("cpu");
    const short = sending(
      { seconds: 10, reason: "cpu", reasonSince: 10 },
      { seconds: 14, reason: "cpu", reasonSince: 13 },
    );
    expect(short.limit).toBe("none");
    expect(limit(0, "weather")).toBeNull();
  });

  it("is starting until the browser has had time to find out what the line carries", () => {
    const isStarting = (seconds: number) =>
      figuresOf(null, own(sentLayer({ seconds, reason: "bandwidth" }))).isStarting;
    expect([isStarting(24), isStarting(25)]).toEqual([true, false]);
  });

  it("takes the computer's fault before the line's", () => {
    const at = (seconds: number): Stat[] => [
      ...sentLayer({ seconds, rid: "q", reason: "cpu" }),
      ...sentLayer({ seconds, rid: "f", reason: "bandwidth" }),
    ];
    expect(figuresOf(own(at(1)), own(at(2))).limit).toBe("cpu");
  });

  it("has neither size nor frames when it is sound", () => {
    const { sent } = figuresOf(
      own(sentLayer({ seconds: 1 }), "microphone"),
      own(sentLayer({ seconds: 2 }), "microphone"),
    );
    expect(sent[0]?.layers[0]).toMatchObject({ width: null, framesPerSecond: null });
  });

  it("takes the round trip of the way in use", () => {
    expect(figuresOf(null, own([...sentLayer({ seconds: 1 }), ...way(0.021)])).roundTrip).toBe(
      0.021,
    );
  });
});

describe("what is received", () => {
  const both = (seconds: number, loss: number): Snapshot => ({
    own: [],
    others: [
      person("ada", receivedPicture({ seconds, loss, freezes: 2 })),
      {
        identity: "ben",
        name: "BEN",
        tracks: [{ sid: "TR_b", source: "microphone", stats: receivedSound({ seconds }) }],
      },
    ],
  });

  it("has a line for each track of each person, and totals", () => {
    const { people, down } = figuresOf(both(10, 0), both(14, 0));
    expect(people[0]?.tracks[0]).toEqual({
      sid: "TR_ada",
      source: "camera",
      codec: "VP8",
      width: 640,
      height: 360,
      framesPerSecond: 25,
      bitsPerSecond: 800_000,
      loss: 0,
      freezes: 2,
    });
    expect(people[1]?.tracks[0]).toMatchObject({
      codec: "Opus",
      width: null,
      freezes: null,
      bitsPerSecond: 32_000,
    });
    expect(down).toEqual({ bitsPerSecond: 832_000, loss: 0 });
  });

  it("keeps apart who loses and who does not", () => {
    const { people, down } = figuresOf(both(10, 0.1), both(20, 0.1));
    expect(people.map(({ total, lossOfOthers }) => [total.loss, lossOfOthers])).toEqual([
      [0.1, 0],
      [0, 0.1],
    ]);
    expect(down.loss).toBeCloseTo(100 / 1_500);
  });

  it("has lost nothing when a late packet is taken off the lost ones", () => {
    const { down } = figuresOf(both(10, 0.5), {
      ...both(14, 0),
      others: [
        person("ada", [{ ...receivedPicture({ seconds: 14 })[0], packetsLost: 480 } as Stat]),
      ],
    });
    expect(down.loss).toBe(0);
  });

  it("has no size while nothing of it comes", () => {
    const paused = (seconds: number): Snapshot => ({
      own: [],
      others: [person("ada", receivedPicture({ seconds, kilobits: 0 }))],
    });
    expect(figuresOf(paused(1), paused(2)).people[0]?.tracks[0]).toMatchObject({
      width: null,
      framesPerSecond: null,
      bitsPerSecond: 0,
    });
  });
});

describe("what is not known", () => {
  it("is null: without an earlier snapshot", () => {
    const { up, down, sent } = figuresOf(null, own(sentLayer({ seconds: 10 })));
    expect([up, down]).toEqual([
      { bitsPerSecond: null, loss: null },
      { bitsPerSecond: null, loss: null },
    ]);
    expect(sent[0]?.layers[0]).toMatchObject({ width: 1280, bitsPerSecond: null, loss: null });
  });

  it("is null: from a browser that tells nothing", () => {
    const silent: Snapshot = { ...own([]), others: [person("ada", [])] };
    expect(figuresOf(silent, silent)).toEqual({
      sent: [{ sid: "TR_camera", source: "camera", layers: [], limit: null }],
      up: { bitsPerSecond: null, loss: null },
      down: { bitsPerSecond: null, loss: null },
      roundTrip: null,
      limit: null,
      isStarting: false,
      people: [
        {
          identity: "ada",
          name: "ADA",
          total: { bitsPerSecond: null, loss: null },
          lossOfOthers: null,
          tracks: [
            {
              sid: "TR_ada",
              source: "camera",
              codec: null,
              width: null,
              height: null,
              framesPerSecond: null,
              bitsPerSecond: null,
              loss: null,
              freezes: null,
            },
          ],
        },
      ],
    });
  });

  it("is null: when a count begins anew, when no time went by, when a field is no number", () => {
    const rate = (before: Stat[], now: Stat[]) => figuresOf(own(before), own(now)).up.bitsPerSecond;
    expect(rate(sentLayer({ seconds: 10 }), sentLayer({ seconds: 2 }))).toBeNull();
    expect(rate(sentLayer({ seconds: 2 }), sentLayer({ seconds: 2 }))).toBeNull();
    const odd = sentLayer({ seconds: 3 }).map((stat) => ({ ...stat, bytesSent: "much" }));
    expect(rate(sentLayer({ seconds: 2 }), odd)).toBeNull();
  });

  it("is null: the loss of a handful of packets, in the total", () => {
    const figures = sending({ seconds: 1 }, { seconds: 1.1 });
    expect(figures.up.loss).toBeNull();
    expect(figures.sent[0]?.layers[0]?.loss).toBe(0);
  });
});
