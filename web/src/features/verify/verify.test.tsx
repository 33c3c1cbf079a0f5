import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { expectAccessible, showPage } from "../../../test/page.tsx";
import { compare, type Fetch, parseList, readList, sha256 } from "./check.ts";
import VerifyPage from "./VerifyPage.tsx";

const bytes = (text: string) => new TextEncoder().encode(text).buffer as ArrayBuffer;
const entry = async (path: string, text: string) => ({ path, sha256: await sha256(bytes(text)) });

/** A server that has these files. */
const serving =
  (files: Record<string, string>): Fetch =>
  async (path) => {
    const text = files[path];
    return text === undefined ? null : bytes(text);
  };

describe("a list of files", () => {
  const hash = "0".repeat(64);

  it("is read", () => {
    const files = [
      { path: "/", sha256: hash },
      { path: "/assets/a-1_b.js", sha256: hash },
    ];
    expect(parseList(JSON.stringify({ version: 1, files }))).toEqual(files);
  });

  it.each([
    "",
    "[]",
    "null",
    '{"version":2,"files":[]}',
    '{"version":1,"files":{}}',
    '{"version":1,"files":[null]}',
    '{"version":1,"files":[{"path":"/a"}]}',
    JSON.stringify({ version: 1, files: [{ path: "/a", sha256: "F".repeat(64) }] }),
    ...[
      "//evil.example/a",
      "https://evil.example/a",
      "/a/../b",
      "/a?b",
      "/a#b",
      "a",
      "/a//b",
      7,
    ].map((path) => JSON.stringify({ version: 1, files: [{ path, sha256: "0".repeat(64) }] })),
    JSON.stringify({
      version: 1,
      files: Array(1_001).fill({ path: "/a", sha256: "0".repeat(64) }),
    }),
    JSON.stringify({ version: 1, files: Array(2).fill({ path: "/a", sha256: "0".repeat(64) }) }),
  ])("is nothing else (%#)", (text) => {
    expect(parseList(text)).toBeNull();
  });

  it("stands for all files by its own hash", async () => {
    const text = JSON.stringify({ version: 1, files: [] });
    const list = await readList(serving({ "/hashes.json": text }));
    expect(list?.sha256).toBe(await sha256(bytes(text)));
    expect(await readList(serving({}))).toBeNull();
    expect(await readList(serving({ "/hashes.json": "<html>" }))).toBeNull();
  });
});

describe("comparing", () => {
  it("finds what is altered and what is missing", async () => {
    const files = await Promise.all(["/", "/a.js", "/b.js"].map((path) => entry(path, path)));
    const found = new Map<string, string>();
    const read = serving({ "/": "/", "/a.js": "altered" });
    await compare(files, read, (path, { type }) => found.set(path, type));
    expect([...found].sort()).toEqual([
      ["/", "same"],
      ["/a.js", "different"],
      ["/b.js", "missing"],
    ]);
  });
});

describe("the page", () => {
  let files: Record<string, string>;

  beforeEach(async () => {
    const listed = [await entry("/", "page"), await entry("/assets/main.js", "code")];
    files = {
      "/": "page",
      "/assets/main.js": "code",
      "/hashes.json": JSON.stringify({ version: 1, files: listed }),
      "/api/v1/server": JSON.stringify({ name: "conclave", version: "1.2.3", media: {} }),
    };
    vi.stubGlobal("fetch", async (path: string) => {
      const text = files[path];
      return new Response(text ?? "", { status: text === undefined ? 404 : 200 });
    });
  });

  it("says that all matches, and what that is worth", async () => {
    showPage(<VerifyPage />);
    expect(await screen.findByText("All 2 files match the list.")).toBeTruthy();
    expect(screen.getByText("1.2.3")).toBeTruthy();
    expect(
      screen.getByText(/A server that sends altered files can send an altered page/),
    ).toBeTruthy();
    expect(screen.getByText(/hashes.json \| sha256sum/)).toBeTruthy();
    await expectAccessible();
  });

  it("shows the file that is not, with both hashes", async () => {
    files["/assets/main.js"] = "altered code";
    showPage(<VerifyPage />);
    expect((await screen.findByRole("alert")).textContent).toContain(
      "One file does not match the list.",
    );
    const row = within(screen.getByRole("row", { name: /main\.js/ }));
    expect(row.getByText("Different:")).toBeTruthy();
    expect(row.getByText(await sha256(bytes("code")))).toBeTruthy();
    expect(row.getByText(await sha256(bytes("altered code")))).toBeTruthy();
  });

  it("says so when there is no list, and looks again", async () => {
    const list = files["/hashes.json"] ?? "";
    files["/hashes.json"] = "<!doctype html>";
    showPage(<VerifyPage />);
    expect(await screen.findByText("There is no list to compare with.")).toBeTruthy();
    files["/hashes.json"] = list;
    await userEvent.click(screen.getByRole("button", { name: "Check again" }));
    await waitFor(() => expect(screen.getByText("All 2 files match the list.")).toBeTruthy());
  });
});
