import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { expectAccessible, serve, showPage } from "../../../test/page.tsx";
import { AT, jpegHead, reportPerson, signedReport } from "../../../test/signedReport.ts";
import { Routes } from "../../app/Routes.tsx";
import { fromB64 } from "../../sealing/keys/bytes.ts";
import { MOST_BYTES, type ReportEvent, type ReportLine } from "../../sealing/report/format.ts";
import { reportWords } from "../../sealing/report/seal.ts";
import { loadWords } from "../../sealing/words/wordList.ts";
import { jpegSize } from "./jpeg.ts";

const user = userEvent.setup({ applyAccept: false });
let asked: ReturnType<typeof serve>;

const line = (change: Partial<ReportLine>): ReportLine => ({
  at: AT,
  who: "x",
  name: "Tom",
  text: "hello",
  private_with: null,
  edited: false,
  deleted: false,
  from_before: false,
  ...change,
});
const event = (type: ReportEvent["type"], change: Partial<ReportEvent> = {}): ReportEvent => ({
  at: AT,
  type,
  who: null,
  name: "Tom",
  what: null,
  ...change,
});

beforeEach(async () => {
  history.replaceState(null, "", "/report");
  asked = serve({});
  showPage(<Routes />);
  await screen.findByRole("heading", { name: "Check a report" });
});

async function open(content: BlobPart, name = "conclave-report-2026-01-02.json"): Promise<void> {
  const field = document.querySelector<HTMLInputElement>("input[type=file]");
  if (field === null) throw new Error("no field");
  await user.upload(field, new File([content], name));
}

const section = async (name: string) => within(await screen.findByRole("region", { name }));

describe("/report", () => {
  it("shows a good report, readable, and sends it nowhere", async () => {
    await expectAccessible();
    const hanna = await reportPerson("Hanna", { role: "host", came: "host" });
    const tom = await reportPerson("Tom", {
      role: "cohost",
      came: "invitation",
      invitation: "A".repeat(22),
      invited_as: "Leo",
      other_device: true,
      added_by: hanna.identity,
      left_at: AT - 1_000,
    });
    const { report, text, digest } = await signedReport(
      {
        about: [tom],
        people: [hanna],
        note: "He was rude.\nTwice.",
        chat: [
          line({}),
          line({ text: "psst", private_with: { identity: "y", name: "Ada" }, edited: true }),
          line({ text: "", deleted: true, edited: true }),
          line({ text: "earlier", from_before: true, name: "\u200b" }),
        ],
        events: [
          event("joined", { who: tom.identity }),
          event("order", { name: "Hanna", what: "mute" }),
          event("order", { name: "Hanna", what: "dance" }),
          event("deleted", { what: "you fool" }),
          event("frozen", { name: null }),
        ],
      },
      { hasAccount: true },
    );
    await open(text);
    expect(await screen.findByText("The signature is good.")).toBeTruthy();
    const words = await section("The words of this report");
    const key = report.reporter.device_key;
    const inEnglish = (await reportWords(digest, key, await loadWords("en"))).join(" ");
    expect(await words.findByText(inEnglish)).toBeTruthy();
    await user.click(words.getByRole("button", { name: "Show in Deutsch" }));
    const inGerman = (await reportWords(digest, key, await loadWords("de"))).join(" ");
    expect(await words.findByText(inGerman)).toBeTruthy();

    const facts = await section("About this report");
    expect(facts.getByText("Ada")).toBeTruthy();
    for (const known of [report.meeting, key, report.reporter.account_key ?? ""]) {
      expect(facts.getByText(known)).toBeTruthy();
    }
    const about = await section("Whom it is about");
    expect(about.getByText("Tom")).toBeTruthy();
    const how = about.getByText(/personal link: Leo/i).textContent;
    for (const part of [
      /Co-host/,
      /AAAA/,
      /another device/,
      /let in by the device of Hanna/,
      /left at/,
    ]) {
      expect(how).toMatch(part);
    }
    expect(screen.getByText(/He was rude\./)).toBeTruthy();
    const chat = await section("Chat of the five minutes before");
    const lines = chat.getAllByRole("listitem").map(({ textContent }) => textContent);
    expect(lines[0]).toContain("hello");
    expect(lines[1]).toMatch(/private, with Ada · changed.*psst/);
    expect(lines[2]).toMatch(/deleted$/);
    expect(lines[3]).toMatch(/^Somebody .*handed on by a host.*earlier/);
    const events = await section("The last minute");
    expect(
      events
        .getAllByRole("listitem")
        .map(({ textContent }) => textContent?.replace(/^.*? (?=Tom|Hanna|Somebody)/, "")),
    ).toEqual([
      "Tom came in",
      "Hanna told the reporter: microphone off",
      "Hanna told the reporter: dance",
      "Tom deleted a message; it was: you fool",
      "Somebody stopped everything",
    ]);
    await expectAccessible();
    expect(asked.filter(({ body }) => body !== null)).toEqual([]);
  });

  it("shows nothing of one that was altered", async () => {
    const { text } = await signedReport({ note: "He was rude." });
    await open(text.replace("rude", "kind"));
    expect(await screen.findByText("The signature is not good.")).toBeTruthy();
    expect(document.body.textContent).not.toContain("He was");
    expect(screen.queryByRole("region", { name: "About this report" })).toBeNull();
    await expectAccessible();
    // Another one can be chosen.
    await open(text);
    expect(await screen.findByText("The signature is good.")).toBeTruthy();
  });

  it.each([
    ["This is no report.", "<html>", "page.html"],
    ["This report is newer than this page.", '{"kind":"conclave report","v":9}', "later.json"],
    ["The signature is not good.", '{"about":[', "cut.json"],
  ])("says calmly: %s", async (said, content, name) => {
    await open(content, name);
    expect(await screen.findByText(said)).toBeTruthy();
    expect(screen.getByText(name)).toBeTruthy();
  });

  it("does not look into a file that is too large, or that cannot be read", async () => {
    const read = vi.spyOn(Blob.prototype, "arrayBuffer");
    await open(new Uint8Array(MOST_BYTES + 1));
    expect(await screen.findByText("The file is too large.")).toBeTruthy();
    expect(read).not.toHaveBeenCalled();
    read.mockRejectedValue(new DOMException("gone", "NotFoundError"));
    await open("x");
    expect(await screen.findByText("The file could not be read.")).toBeTruthy();
  });

  it("takes a file that is put onto it, and no text", async () => {
    const { text } = await signedReport();
    const dropped = (files: File[]) => {
      const event = new Event("drop", { cancelable: true });
      Object.assign(event, { dataTransfer: { files } });
      act(() => void dispatchEvent(event));
      return event;
    };
    expect(dropped([]).defaultPrevented).toBe(true);
    expect(screen.queryByText(/signature is/)).toBeNull();
    dropped([new File([text], "dropped.json")]);
    expect(await screen.findByText("The signature is good.")).toBeTruthy();
    expect(screen.getByText("dropped.json")).toBeTruthy();
  });

  it("takes hostile names and words as letters, without what cannot be seen", async () => {
    const script = "<img src=x onerror=alert(1)>";
    const { text } = await signedReport({
      note: `${script}\u202eevil\u200b`,
      people: [await reportPerson("\u202eannaH\u2066")],
      chat: [line({ name: script, text: "a\u200bb\u0007" })],
      made_at: Number.MAX_SAFE_INTEGER,
    });
    await open(text);
    expect(
      await screen.findByText("Characters that cannot be seen are left out here."),
    ).toBeTruthy();
    expect(document.querySelector("main img")).toBeNull();
    expect(document.querySelector("main")?.textContent).not.toMatch(/(?!\n)\p{C}/u);
    expect(screen.getByText(`${script}evil`)).toBeTruthy();
    expect(screen.getByText("annaH")).toBeTruthy();
    expect(screen.getByText("ab")).toBeTruthy();
    expect(screen.getByText(String(Number.MAX_SAFE_INTEGER), { exact: false })).toBeTruthy();
  });

  it("draws small pictures, and no others", async () => {
    const decoded: Blob[] = [];
    vi.stubGlobal("createImageBitmap", async (blob: Blob) => {
      decoded.push(blob);
      return { width: 320, height: 180, close: () => undefined };
    });
    const tom = await reportPerson("Tom");
    const picture = { who: tom.identity, at: AT } as const;
    const { text } = await signedReport({
      about: [tom],
      pictures: [
        { ...picture, source: "camera", jpeg: jpegHead(320, 180) },
        { ...picture, source: "screen", jpeg: jpegHead(65_000, 65_000) },
      ],
    });
    await open(text);
    const canvas = await screen.findByRole("img", { name: /Picture of Tom/ });
    await waitFor(() => expect((canvas as HTMLCanvasElement).width).toBe(320));
    expect(await screen.findByText("This picture cannot be shown.")).toBeTruthy();
    expect(decoded.map(({ type }) => type)).toEqual(["image/jpeg"]);
  });
});

describe("the size of a JPEG", () => {
  const bytes = (text: string) => fromB64(text) ?? new Uint8Array();

  it("is what its frame says", () => {
    expect(jpegSize(bytes(jpegHead(480, 270)))).toEqual({ width: 480, height: 270 });
  });

  it("is not known of anything else", () => {
    const head = bytes(jpegHead(480, 270));
    for (const file of [
      new Uint8Array(),
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      head.slice(0, 12),
      Uint8Array.of(0xff, 0xd8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      Uint8Array.of(0xff, 0xd8, ...Array(5_000).fill([0xff, 0xc4, 0, 2]).flat()),
    ]) {
      expect(jpegSize(file)).toBeNull();
    }
  });
});
