import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { follows, given, hex, MEETING, vectors } from "../../../test/protocolVectors.ts";
import {
  openIntro,
  openNote,
  openPlan,
  openTitle,
  sealIntro,
  sealNote,
  sealPlan,
  sealTitle,
} from "./intro.ts";
import { deriveLinkKeys, type LinkKeys } from "./link.ts";
import { knockContent, makeMeetingMac, makeProof, verifyMeetingMac, verifyProof } from "./proof.ts";
import { readableName, readableTitle } from "./readable.ts";

const INSTANCE = given("instance");
const KNOCK = { ref: given("key_package_ref"), instance: INSTANCE };
const INTRO = { name: vectors.given["name"] ?? "", colour: Number(vectors.given["colour"]) };
const TITLE = vectors.given["title"] ?? "";
const OTHER = new Uint8Array(16);

let keys: LinkKeys;
let foreign: LinkKeys;
beforeAll(async () => {
  keys = await deriveLinkKeys(given("link_secret"), MEETING);
  foreign = await deriveLinkKeys(new Uint8Array(16), MEETING);
});

describe("vectors", () => {
  it("seals the title", async () => {
    const sealed = await sealTitle(keys, TITLE, given("title_nonce"));
    expect(hex(sealed)).toBe(vectors.follows["sealed_title"]);
    expect(await openTitle(keys, follows("sealed_title"))).toBe(TITLE);
  });

  it("the plan is sealed as the document says", async () => {
    const { v, ...content } = JSON.parse(vectors.given["plan"] ?? "") as Record<string, unknown>;
    const sealed = await sealPlan(keys, content, given("plan_nonce"));
    expect(hex(sealed)).toBe(vectors.follows["sealed_plan"]);
    expect(await openPlan(keys, follows("sealed_plan"))).toEqual({ v, ...content });
    expect(await openTitle(keys, follows("sealed_plan"))).toBeNull();
    expect(await openPlan(keys, follows("sealed_title"))).toBeNull();
    const altered = follows("sealed_plan");
    altered[40] = (altered[40] ?? 0) ^ 1;
    expect(await openPlan(keys, altered)).toBeNull();
    expect(await sealPlan(keys, { note: "x".repeat(4_060) })).toBeNull();
  });

  it("seals the intro", async () => {
    const sealed = await sealIntro(keys, INSTANCE, INTRO, given("intro_nonce"));
    expect(hex(sealed)).toBe(vectors.follows["sealed_intro"]);
    expect(await openIntro(keys, INSTANCE, follows("sealed_intro"))).toEqual(INTRO);
  });

  it("proves the link at the door", async () => {
    expect(hex(await makeProof(keys, KNOCK))).toBe(vectors.follows["proof"]);
    expect(await verifyProof(keys, KNOCK, follows("proof"))).toBe(true);
  });

  it("says what a knock's signature is over", async () => {
    const content = await knockContent(MEETING, KNOCK, follows("sealed_intro"), follows("proof"));
    expect(hex(content)).toBe(vectors.follows["knock_content"]);
  });

  it("proves the link of a group", async () => {
    const mac = await makeMeetingMac(keys, follows("meeting_fields"));
    expect(hex(mac)).toBe(vectors.follows["meeting_mac"]);
    expect(await verifyMeetingMac(keys, follows("meeting_fields"), mac)).toBe(true);
  });
});

describe("what does not belong together", () => {
  it("proves nothing", async () => {
    const proof = follows("proof");
    expect(await verifyProof(foreign, KNOCK, proof)).toBe(false);
    expect(await verifyProof(keys, { ...KNOCK, instance: OTHER }, proof)).toBe(false);
    expect(await verifyProof(keys, { ...KNOCK, ref: OTHER }, proof)).toBe(false);
    expect(await verifyProof(keys, KNOCK, new Uint8Array(0))).toBe(false);
    expect(await verifyProof(keys, KNOCK, proof.slice(0, 16))).toBe(false);
    const mac = follows("meeting_mac");
    expect(await verifyMeetingMac(foreign, follows("meeting_fields"), mac)).toBe(false);
    expect(await verifyMeetingMac(keys, OTHER, mac)).toBe(false);
  });

  it("does not open", async () => {
    expect(await openTitle(foreign, follows("sealed_title"))).toBeNull();
    expect(await openIntro(foreign, INSTANCE, follows("sealed_intro"))).toBeNull();
    expect(await openIntro(keys, OTHER, follows("sealed_intro"))).toBeNull();
    expect(await openTitle(keys, follows("sealed_intro"))).toBeNull();
  });

  it("does not open whatever bytes come", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .tuple(fc.nat(59), fc.integer({ min: 1, max: 255 }))
        .map(([at, change]) =>
          follows("sealed_intro").map((byte, place) => (place === at ? byte ^ change : byte)),
        ),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sealed) => {
        expect(await openTitle(keys, Uint8Array.from(sealed))).toBeNull();
        expect(await openIntro(keys, INSTANCE, Uint8Array.from(sealed))).toBeNull();
      }),
    );
  });
});

/** What somebody with the link may put inside. */
async function sealedBy(value: unknown): Promise<{ title: Uint8Array; intro: Uint8Array }> {
  const seal = async (text: string, tail: Uint8Array) => {
    const aad = Buffer.concat([Buffer.from(text + MEETING), tail]);
    const iv = new Uint8Array(12);
    const plain = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    const params = { name: "AES-GCM", iv, additionalData: aad };
    const sealed = await crypto.subtle.encrypt(params, keys.intro, plain);
    return Uint8Array.from([...iv, ...new Uint8Array(sealed)]);
  };
  return {
    title: await seal("conclave title v1", new Uint8Array(0)),
    intro: await seal("conclave intro v1", INSTANCE),
  };
}

describe("content of somebody who has the link", () => {
  it.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    '"x"',
    "{}",
    { v: 2, title: "x", name: "x", colour: 1 },
    { v: 1 },
    { v: 1, title: 7, name: 7, colour: 1 },
    { v: 1, title: " \u202e\u0007 ", name: "\u200d", colour: 1 },
    { v: 1, title: "x".repeat(5_000), name: "x".repeat(5_000), colour: 1 },
  ])("is nothing to show: %.60j", async (value) => {
    const { title, intro } = await sealedBy(value);
    expect(await openTitle(keys, title)).toBeNull();
    expect(await openIntro(keys, INSTANCE, intro)).toBeNull();
  });

  it.each([-1, 12, 1.5, "1", null, undefined])("has no colour %j", async (colour) => {
    const { intro } = await sealedBy({ v: 1, name: "x", colour });
    expect(await openIntro(keys, INSTANCE, intro)).toBeNull();
  });

  it("may have more fields", async () => {
    const { intro } = await sealedBy({ v: 1, name: "x", colour: 0, later: true });
    expect(await openIntro(keys, INSTANCE, intro)).toEqual({ name: "x", colour: 0 });
  });

  it("is made fit to be shown", () => {
    expect(readableName("  Zoe\u0301\n\u202eevil  ")).toBe("Zoé evil");
    expect(readableName("👩‍🚀")).toBe("👩‍🚀");
    expect(readableName("x".repeat(100))).toHaveLength(60);
    expect(readableTitle("x".repeat(200))).toHaveLength(120);
    expect(readableTitle(undefined)).toBeNull();
  });

  it("always is one line that holds no controls", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(readableName(text) ?? "x").toMatch(
          /^(?!\s)[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+$/u,
        );
      }),
    );
  });
});

describe("a title", () => {
  it("is sealed anew each time", async () => {
    expect(await sealTitle(keys, "x")).not.toEqual(await sealTitle(keys, "x"));
  });

  it("fits its row, however it is written", async () => {
    for (const sign of ["x", "ß", "語", "👩‍🚀", '"', "\\"]) {
      const sealed = await sealTitle(keys, sign.repeat(200));
      expect(sealed?.length).toBeLessThanOrEqual(1_024);
    }
  });

  it("is none when nothing can be shown", async () => {
    expect(await sealTitle(keys, "  ")).toBeNull();
  });
});

describe("a line from in front of the door", () => {
  it("is opened with the link, and beside its own knock alone", async () => {
    const sealed = (await sealNote(keys, KNOCK.ref, "  from class\n4b ")) as Uint8Array;
    expect(await openNote(keys, KNOCK.ref, sealed)).toBe("from class 4b");
    expect(await openNote(foreign, KNOCK.ref, sealed)).toBeNull();
    expect(await openNote(keys, OTHER, sealed)).toBeNull();
    expect(await openNote(keys, KNOCK.ref, sealed.slice(1))).toBeNull();
  });

  it("is one readable line, of a bounded length", async () => {
    expect(await sealNote(keys, KNOCK.ref, " \u202e\u200b ")).toBeNull();
    const long = (await sealNote(keys, KNOCK.ref, "€".repeat(900))) as Uint8Array;
    expect(await openNote(keys, KNOCK.ref, long)).toBe("€".repeat(200));
    expect(long.length).toBeLessThanOrEqual(1_050);
  });
});
