import { beforeEach, describe, expect, it } from "vitest";
import { forgetFragment, keepFragment, type Page, takeFragment } from "./address.ts";
import { parseFragment } from "./link.ts";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const GOOD = "#1.AAECAwQFBgcICQoLDA0ODw.qSayMJuhTE780WrtO-XMtw";
const LINK = parseFragment(GOOD);

class Address extends URL {
  assign(to: string): void {
    this.href = to;
  }
}

/** A page at this address; `shown` is what its address bar says. */
function pageAt(address: string, storage: "works" | "blocked" = "works") {
  const kept = new Map<string, string>();
  const url = new Address(address, "https://meet.example");
  const page = {
    // `URL` drops nothing: an empty fragment is in `href` only, as in a browser.
    location: url,
    history: {
      state: { place: 3 },
      replaceState(state: unknown, _title: string, path: string) {
        expect(state).toEqual({ place: 3 });
        url.href = new URL(path, url).href;
      },
    },
    get sessionStorage() {
      if (storage === "blocked") throw new DOMException("blocked", "SecurityError");
      return {
        getItem: (name: string) => kept.get(name) ?? null,
        setItem: (name: string, value: string) => void kept.set(name, value),
        removeItem: (name: string) => void kept.delete(name),
      };
    },
  } satisfies Page;
  return { page, kept, shown: () => url.href, go: (to: string) => url.assign(to) };
}

const blank = pageAt("/").page;
beforeEach(() => forgetFragment(ID, blank));

describe.each(["works", "blocked"] as const)("where storage %s", (storage) => {
  it("takes the secret out of the address and gives it", () => {
    const { page, shown } = pageAt(`/m/${ID}?from=mail${GOOD}`, storage);
    expect(takeFragment(ID, page)).toEqual(LINK);
    expect(shown()).toBe(`https://meet.example/m/${ID}?from=mail`);
    expect(takeFragment(ID, page)).toEqual(LINK);
  });

  it("forgets it when told to", () => {
    const { page, kept } = pageAt(`/m/${ID}${GOOD}`, storage);
    takeFragment(ID, page);
    forgetFragment(ID, page);
    expect(takeFragment(ID, page)).toEqual({ type: "missing" });
    expect(kept.size).toBe(0);
  });

  it("tells missing and damaged apart, and clears both", () => {
    const none = pageAt(`/m/${ID}`, storage);
    expect(takeFragment(ID, none.page)).toEqual({ type: "missing" });
    const damaged = pageAt(`/m/${ID}${GOOD.slice(0, 30)}`, storage);
    expect(takeFragment(ID, damaged.page)).toEqual({ type: "damaged" });
    expect(damaged.shown()).toBe(`https://meet.example/m/${ID}`);
    const sign = pageAt(`/m/${ID}#`, storage);
    expect(takeFragment(ID, sign.page)).toEqual({ type: "missing" });
    expect(sign.shown()).toBe(`https://meet.example/m/${ID}`);
  });

  it("keeps a link that came another way", () => {
    const { page } = pageAt(`/m/${ID}`, storage);
    keepFragment(ID, GOOD, page);
    expect(takeFragment(ID, page)).toEqual(LINK);
  });
});

it("has it again after a reload, in this tab, for this meeting", () => {
  const { page, kept } = pageAt(`/m/${ID}${GOOD}`);
  takeFragment(ID, page);
  const reloaded = pageAt(`/m/${ID}`);
  // Memory of another page: nothing but what the tab kept.
  forgetFragment(ID, blank);
  for (const [name, value] of kept) reloaded.kept.set(name, value);
  expect(takeFragment(ID, reloaded.page)).toEqual(LINK);
  expect(takeFragment(`${ID}x`, reloaded.page)).toEqual({ type: "missing" });
});

it("does not lose a good link to a damaged one", () => {
  const { page, go } = pageAt(`/m/${ID}${GOOD}`);
  takeFragment(ID, page);
  go(`https://meet.example/m/${ID}#1.cut`);
  expect(takeFragment(ID, page)).toEqual(LINK);
});

it("does not believe what somebody else has put into the tab's memory", () => {
  const { page, kept } = pageAt(`/m/${ID}`);
  kept.set(`conclave.link.${ID}`, "javascript:alert(1)");
  expect(takeFragment(ID, page)).toEqual({ type: "missing" });
});
