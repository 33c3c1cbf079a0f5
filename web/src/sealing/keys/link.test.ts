import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { follows, given, hex, MEETING, vectors } from "../../../test/protocolVectors.ts";
import { b64, fromB64, isSame } from "./bytes.ts";
import {
  deriveLinkKeys,
  formatFragment,
  formatLink,
  hostFingerprint,
  isHost,
  LINK_PSK_ID,
  makeLink,
  parseFragment,
} from "./link.ts";

const LINK = { secret: given("link_secret"), fingerprint: follows("host_fingerprint") };
const FRAGMENT = formatFragment(LINK);

describe("vectors", () => {
  it("writes the link", () => {
    expect(formatLink("https://meet.example", MEETING, LINK)).toBe(vectors.follows["link"]);
  });

  it("takes the fingerprint of an account key", async () => {
    const fingerprint = await hostFingerprint(follows("account_key"));
    expect(hex(fingerprint)).toBe(vectors.follows["host_fingerprint"]);
  });

  it("derives the PSK", async () => {
    const { psk } = await deriveLinkKeys(LINK.secret, MEETING);
    expect(hex(psk)).toBe(vectors.follows["link_psk"]);
    expect(new TextDecoder().decode(LINK_PSK_ID)).toBe("conclave link v1");
  });

  it("holds keys that cannot be read out", async () => {
    const { admission, intro } = await deriveLinkKeys(LINK.secret, MEETING);
    expect([admission.extractable, intro.extractable]).toEqual([false, false]);
  });
});

describe("parseFragment", () => {
  it.each([
    FRAGMENT,
    FRAGMENT.slice(1),
    ` ${FRAGMENT} `,
    `${FRAGMENT}.`,
    `${FRAGMENT})`,
    `${FRAGMENT}>,`,
    `${FRAGMENT}“!`,
  ])("reads %s", (text) => {
    expect(parseFragment(text)).toEqual({ type: "link", link: LINK, seed: null });
  });

  it.each(["", "#", "  ", "# "])("takes %j for none", (text) => {
    expect(parseFragment(text)).toEqual({ type: "missing" });
  });

  it.each([
    "#top",
    "#1",
    "#1.",
    FRAGMENT.slice(0, -1),
    `${FRAGMENT}A`,
    FRAGMENT.replace("#1", "#2"),
    FRAGMENT.replace("#", "##"),
    FRAGMENT.replace("#1.A", "#1.="),
    FRAGMENT.replaceAll(".", "/"),
    // The last character carries two bits only: other ones are not as we write them.
    FRAGMENT.replace("Dw.", "Dx."),
    `${FRAGMENT.slice(0, -1)}x`,
    `${FRAGMENT}.${FRAGMENT}`,
    `${FRAGMENT}.${"A".repeat(21)}`,
    `${FRAGMENT}.${"A".repeat(21)}x`,
    `${FRAGMENT}.${"A".repeat(22)}.${"A".repeat(22)}`,
    `#1.${"A".repeat(22)}`,
    `#1.${"é".repeat(22)}.${"A".repeat(22)}`,
    "x".repeat(100_000),
  ])("says that %.60s is damaged", (text) => {
    expect(parseFragment(text)).toEqual({ type: "damaged" });
  });

  it("reads back what it writes", () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, bytes, fc.option(bytes), (secret, fingerprint, personal) => {
        const link = { secret: Uint8Array.from(secret), fingerprint: Uint8Array.from(fingerprint) };
        const seed = personal && Uint8Array.from(personal);
        expect(parseFragment(formatFragment(link, seed))).toEqual({ type: "link", link, seed });
      }),
    );
  });

  it("never throws, and takes one way of writing only", () => {
    const pieces = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc
        .array(fc.constantFrom("#", "1", ".", "A", "_", "-", FRAGMENT, "%2e", "\ud800"))
        .map((a) => a.join("")),
    );
    fc.assert(
      fc.property(pieces, (text) => {
        const read = parseFragment(text);
        if (read.type === "link")
          expect(text).toContain(formatFragment(read.link, read.seed).slice(1));
      }),
    );
  });
});

describe("a link of one's own", () => {
  it("is drawn anew each time and names its host", async () => {
    const key = follows("account_key");
    const [one, other] = await Promise.all([makeLink(key), makeLink(key)]);
    expect(one.secret).toHaveLength(16);
    expect(one.secret).not.toEqual(other.secret);
    expect(await isHost(one, key)).toBe(true);
  });

  it("takes nobody else for the host", async () => {
    expect(await isHost(LINK, follows("account_key"))).toBe(true);
    expect(await isHost(LINK, given("other_account_key"))).toBe(false);
    expect(await isHost(LINK, null)).toBe(false);
    expect(await isHost(null, follows("account_key"))).toBe(false);
  });

  it("gives other keys to every meeting", async () => {
    const [one, other] = await Promise.all([
      deriveLinkKeys(LINK.secret, MEETING),
      deriveLinkKeys(LINK.secret, `${MEETING}x`),
    ]);
    expect(one.psk).not.toEqual(other.psk);
  });
});

describe("bytes", () => {
  it("reads back base64url", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(fromB64(b64(bytes))).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  it.each(["A", "AB", "A===", "AA==", "+/+/", "A A", "Ä"])("refuses %j", (text) => {
    expect(fromB64(text)).toBeNull();
  });

  it("compares", () => {
    expect(isSame(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(isSame(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(isSame(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });
});
