import { describe, expect, it } from "vitest";
import { excess, MESSAGE_LIMIT, REACTIONS, reactionOf, textParts } from "./chatText.ts";

const links = (text: string) => textParts(text).filter((part) => part.href !== null);

describe("links in messages", () => {
  it("leaves words alone", () => {
    expect(textParts("See you at ten.")).toEqual([{ text: "See you at ten.", href: null }]);
    expect(textParts("")).toEqual([]);
  });

  it("finds an address and leaves the sentence's signs outside", () => {
    expect(textParts("Look at https://example.org/a_b?c=1, please.")).toEqual([
      { text: "Look at ", href: null },
      { text: "https://example.org/a_b?c=1", href: "https://example.org/a_b?c=1" },
      { text: ", please.", href: null },
    ]);
    expect(links("(https://example.org/x)").map((part) => part.text)).toEqual([
      "https://example.org/x",
    ]);
    expect(links("https://example.org/a_(b)").map((part) => part.text)).toEqual([
      "https://example.org/a_(b)",
    ]);
  });

  it("makes no link of what could mislead or run", () => {
    for (const text of [
      "javascript:alert(1)",
      "data:text/html,x",
      "https://bank.example@evil.example/",
      "http://",
      "https://user:pw@example.org",
    ]) {
      expect(links(text)).toEqual([]);
    }
  });

  it("keeps every character, whatever it is given", () => {
    for (const text of [
      "https://a.example https://b.example",
      "x https://a.example",
      "https://[",
      "\u202ehttps://a.example",
    ]) {
      expect(
        textParts(text)
          .map((part) => part.text)
          .join(""),
      ).toBe(text);
    }
  });
});

it("counts what is too long as people see it", () => {
  expect(excess("x".repeat(MESSAGE_LIMIT))).toBe(0);
  expect(excess(`${"😀".repeat(MESSAGE_LIMIT)}ab`)).toBe(2);
  expect(excess(` ${"x".repeat(MESSAGE_LIMIT)} `)).toBe(0);
});

it("knows its own reactions and no others", () => {
  expect(REACTIONS.map(({ emoji }) => reactionOf(emoji))).toEqual([
    "thumb",
    "clap",
    "heart",
    "smile",
  ]);
  expect(reactionOf("🦄")).toBeNull();
});
