import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeSealed, fakeSealed, member, message } from "../../../../test/fakeSealed.ts";
import { expectAccessible, showPage } from "../../../../test/page.tsx";
import { somebody } from "../../../../test/people.ts";
import { b64, utf8 } from "../../../sealing/keys/bytes.ts";
import { memberIdentity } from "../../../sealing/keys/credential.ts";
import { generateKey, sign } from "../../../sealing/keys/ed25519.ts";
import { openReport, reportWords, signedContent } from "../../../sealing/report/seal.ts";
import { loadWords } from "../../../sealing/words/wordList.ts";
import { type Meeting, MeetingProvider } from "../components/context.tsx";
import { type CallStore, createCallStore } from "../model/call.ts";
import { createViewStore, type ViewStore } from "../model/view.ts";
import { SealedProvider } from "../sealed/context.tsx";
import { Report } from "./Report.tsx";

const user = userEvent.setup();
const INSTANCE = new Uint8Array(16).fill(7);
let view: ViewStore;
let calls: CallStore;
let sealed: FakeSealed;
let saved: Promise<string>[];
let ids: Record<"me" | "ada" | "tom", string>;

async function show(): Promise<void> {
  const own = await generateKey();
  const identity = (key: Uint8Array) => memberIdentity(key, INSTANCE);
  const keys = { me: own, ada: await generateKey(), tom: await generateKey() };
  ids = {
    me: await identity(keys.me.publicKey),
    ada: await identity(keys.ada.publicKey),
    tom: await identity(keys.tom.publicKey),
  };
  view = createViewStore({ read: () => null, write: () => undefined });
  calls = createCallStore({ people: [somebody(ids.tom)] });
  const now = Date.now();
  sealed = fakeSealed({
    selfIdentity: ids.me,
    members: [
      member(ids.me, { name: "Hanna", isSelf: true }),
      member(ids.ada, { name: "Ada" }),
      member(ids.tom, { name: "Tom" }),
    ],
    chat: [message("one", { identity: ids.tom, name: "Tom", text: "you fool", sentAt: now })],
  });
  sealed.witness.store.setState({
    instance: b64(INSTANCE),
    devices: new Map(
      Object.entries(keys).map(([name, { publicKey }]) => [
        ids[name as "me"],
        { deviceKey: b64(publicKey), accountKey: null, addedBy: null },
      ]),
    ),
  });
  sealed.witness.signReport = (digest) => sign(own, signedContent(digest));
  const meeting = { view, session: { store: calls }, meetingId: "mtg_1" } as unknown as Meeting;
  showPage(
    <MeetingProvider value={meeting}>
      <SealedProvider value={sealed}>
        <Report />
      </SealedProvider>
    </MeetingProvider>,
  );
}

const press = (about: string | null = null) =>
  act(() => view.setState({ dialog: "report", reportAbout: about }));
const dialog = () => screen.findByRole("alertdialog", { name: "Report somebody" });
const button = (name: string) => screen.getByRole("button", { name });

beforeEach(async () => {
  saved = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    saved.push((blob as Blob).text());
    return "blob:here";
  });
  await show();
});

describe("reporting somebody", () => {
  it("writes down what was seen, signs it, and shows the words by which it is known", async () => {
    // Happened before anybody thought of a report.
    act(() => {
      calls.setState({ people: [somebody(ids.tom, { isCameraOn: true })] });
      sealed.tell({ type: "reaction", identity: ids.tom, name: "Tom", emoji: "👍" });
      const [line] = sealed.store.getState().chat;
      if (line) sealed.store.setState({ chat: [{ ...line, text: "", isDeleted: true }] });
    });
    press(ids.tom);
    await dialog();
    await expectAccessible();
    const tom = screen.getByRole("checkbox", { name: /Tom/ }) as HTMLInputElement;
    expect(tom.checked).toBe(true);
    await user.type(screen.getByRole("textbox", { name: "What happened?" }), "He was rude.");
    await user.click(button("Sign and save"));
    expect(await screen.findByRole("alertdialog", { name: "The report is saved." })).toBeTruthy();
    await expectAccessible();

    const opened = await openReport(utf8((await saved[0]) ?? ""));
    if (opened.type !== "good") throw new Error(opened.type);
    const { report, digest } = opened;
    expect(report.meeting).toBe("mtg_1");
    expect(report.reporter.name).toBe("Hanna");
    expect(report.about.map(({ name }) => name)).toEqual(["Tom"]);
    expect(report.people).toHaveLength(3);
    expect(report.note).toBe("He was rude.");
    expect(report.pictures).toEqual([]);
    expect(report.events.map(({ type, what }) => `${type} ${what}`)).toEqual([
      "camera-on null",
      "reaction 👍",
      "deleted you fool",
    ]);
    expect(report.chat).toMatchObject([{ text: "", deleted: true }]);
    const words = await reportWords(digest, report.reporter.device_key, await loadWords("en"));
    const shown = [...document.querySelectorAll(".words b")].map((word) => word.textContent);
    expect(shown).toEqual(words);
    await user.click(button("Done"));
    expect(view.getState().dialog).toBeNull();
  });

  it("holds the moment at which it was asked for, whoever goes then", async () => {
    press(ids.tom);
    await dialog();
    act(() =>
      sealed.store.setState(({ members, chat }) => ({
        members: [...members.slice(0, 2)],
        chat: chat.slice(1),
      })),
    );
    await user.click(button("Sign and save"));
    await screen.findByRole("alertdialog", { name: "The report is saved." });
    const opened = await openReport(utf8((await saved[0]) ?? ""));
    expect(opened).toMatchObject({
      report: { about: [{ name: "Tom" }], chat: [{ text: "you fool" }] },
    });
  });

  it("can be about somebody who has just left, and about several", async () => {
    act(() => sealed.store.setState(({ members }) => ({ members: members.slice(0, 2) })));
    press();
    await dialog();
    expect(button("Sign and save").getAttribute("aria-disabled")).toBe("true");
    await user.click(button("Sign and save"));
    expect(saved).toEqual([]);
    await user.click(screen.getByRole("checkbox", { name: /Tom.*left at/ }));
    await user.click(screen.getByRole("checkbox", { name: /Ada/ }));
    await user.click(button("Sign and save"));
    await screen.findByRole("alertdialog", { name: "The report is saved." });
    const opened = await openReport(utf8((await saved[0]) ?? ""));
    expect(opened).toMatchObject({
      report: {
        about: [
          { name: "Ada", left_at: null },
          { name: "Tom", left_at: expect.any(Number) },
        ],
      },
    });
  });

  it("saves nothing when it cannot be signed, and says so", async () => {
    sealed.witness.signReport = () => Promise.reject(new Error("closed"));
    press(ids.tom);
    await dialog();
    await user.click(button("Sign and save"));
    expect((await screen.findByRole("alert")).textContent).toContain("Nothing was saved");
    expect(saved).toEqual([]);
    await user.click(button("Cancel"));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  });

  it("says when there is nobody", async () => {
    act(() => sealed.store.setState(({ members }) => ({ members: members.slice(0, 1) })));
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 61_000);
    press();
    expect(await screen.findByText(/Nobody else is here/)).toBeTruthy();
  });

  it("takes pictures only of the people chosen, and only when told to", async () => {
    act(() => view.show(null));
    const drawn: string[] = [];
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({
      drawImage: (video: HTMLVideoElement) => drawn.push(video.id),
    } as never);
    HTMLCanvasElement.prototype.toBlob = function toBlob(done) {
      done(new Blob(["jpeg"], { type: "image/jpeg" }));
    };
    for (const [name, place, width] of [
      ["tom", "tile", 1_280],
      ["ada", "tile", 640],
      ["tom", "scr", 1_920],
      ["me", "tile", 0],
    ] as const) {
      const tile = document.createElement("div");
      tile.className = `${place} fake`;
      tile.dataset["identity"] = ids[name];
      const video = document.createElement("video");
      video.id = `${name} ${place}`;
      Object.defineProperty(video, "videoWidth", { value: width });
      Object.defineProperty(video, "videoHeight", { value: (width / 16) * 9 });
      tile.append(video);
      document.body.append(tile);
    }
    press(ids.tom);
    await dialog();
    expect(drawn).toEqual(["tom tile", "ada tile", "tom scr"]);
    for (const tile of document.querySelectorAll(".fake")) tile.remove();
    const pictures = screen.getByRole("switch", { name: "With still pictures" });
    expect((pictures as HTMLInputElement).checked).toBe(false);
    await user.click(pictures);
    await user.click(button("Sign and save"));
    await screen.findByRole("alertdialog", { name: "The report is saved." });
    const opened = await openReport(utf8((await saved[0]) ?? ""));
    const taken = opened.type === "good" ? opened.report.pictures : [];
    expect(taken.map(({ who, source }) => [who, source])).toEqual([
      [ids.tom, "camera"],
      [ids.tom, "screen"],
    ]);
    expect(taken[0]?.jpeg).toBe(b64(utf8("jpeg")));
  });
});
