import { describe, expect, it } from "vitest";
import { canSealLayers, examine, isSameFindings, mayPresent, NOTHING_FOUND } from "./findings.ts";

const roster = new Set(["ada", "bo"]);
const sealed = { isEncrypted: true };
const plain = { isEncrypted: false };

describe("who is seen and heard", () => {
  it("is in the group and sealed", () => {
    expect(mayPresent("ada", sealed, roster)).toBe(true);
    expect(mayPresent("ada", plain, roster)).toBe(false);
    expect(mayPresent("eve", sealed, roster)).toBe(false);
    expect(mayPresent("eve", plain, roster)).toBe(false);
  });

  it("and everybody else is told of", () => {
    const found = examine(
      [
        { identity: "bo", publications: [sealed, plain] },
        { identity: "eve", publications: [] },
        { identity: "ada", publications: [sealed] },
      ],
      roster,
      true,
    );
    expect(found).toEqual({ plaintext: ["bo"], strangers: ["eve"], hasUnopened: true });
    expect(examine([], roster, false)).toEqual(NOTHING_FOUND);
    expect(isSameFindings(found, { ...found })).toBe(true);
    expect(isSameFindings(found, { ...found, plaintext: ["ada"] })).toBe(false);
    expect(isSameFindings(found, { ...found, hasUnopened: false })).toBe(false);
    expect(isSameFindings(found, NOTHING_FOUND)).toBe(false);
  });
});

describe("several layers", () => {
  const mac = (version: string) =>
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version} Safari/605.1.15`;
  const phone = (os: string, browser: string) =>
    `Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ${browser} Mobile/15E148 Safari/604.1`;

  it.each([
    mac("16.6"),
    mac("17.1"),
    mac("17.1.2"),
    phone("17_1", "Version/17.1"),
    phone("16_7", "CriOS/140.0.0.0"),
  ])("are not sealed right by %s", (agent) => {
    expect(canSealLayers(agent)).toBe(false);
  });

  it.each([
    mac("17.2"),
    mac("18.0"),
    phone("17_2", "Version/17.2"),
    phone("18_1", "CriOS/140.0.0.0"),
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "",
  ])("are by %s", (agent) => {
    expect(canSealLayers(agent)).toBe(true);
  });
});
