import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { expectAccessible, showPage } from "../../../test/page.tsx";
import { withLaterTexts } from "../../i18n/index.ts";
import { formatLocal } from "./model/days.ts";
import { parsePlan } from "./model/plan.ts";
import { localAt, ownZone } from "./model/zones.ts";
import PlanFacts from "./PlanFacts.tsx";

const LINK = "https://meet.example/m/mtg_1#1.secret.host.seed";

/** On this device's clock, so many minutes from now. */
function planIn(minutes: number, changes: object = {}) {
  const start = formatLocal(localAt(Date.now() + minutes * 60_000, ownZone()));
  const plan = parsePlan({
    title: "Choir",
    note: "",
    start,
    zone: ownZone(),
    minutes: 60,
    rule: null,
    template: "none",
    except: [],
    ...changes,
  });
  if (plan === null) throw new Error("no plan");
  return plan;
}

const stand = (plan: ReturnType<typeof planIn>, isPersonal = false) =>
  showPage(<PlanFacts meetingId="mtg_1" plan={plan} link={LINK} isPersonal={isPersonal} />);

beforeEach(() => withLaterTexts(Promise.resolve()));

describe("at the door of a planned meeting", () => {
  it("says when it begins, and that one may come in earlier", async () => {
    stand(planIn(20, { note: "Bring\nthe scores." }));
    expect(
      screen.getByText(/^It begins in (19|20) minutes\. You can come in earlier\.$/),
    ).toBeTruthy();
    expect(screen.getByText(/Bring\s+the scores\./)).toBeTruthy();
    await expectAccessible();
  });

  it("says until when it goes on, and when the next one is", () => {
    stand(planIn(-20, { rule: "FREQ=WEEKLY" }));
    expect(screen.getByText(/^It is on until \d\d:\d\d/)).toBeTruthy();
    expect(screen.getByText(/^The next date: /)).toBeTruthy();
    expect(screen.getByText(/^Every week on /)).toBeTruthy();
  });

  it("says that it is over", () => {
    stand(planIn(-120));
    expect(screen.getByText("Its last date has passed.")).toBeTruthy();
  });

  it("shows the host's clock where it is another one", () => {
    const zone = ownZone() === "Pacific/Kiritimati" ? "Asia/Kathmandu" : "Pacific/Kiritimati";
    stand(planIn(3_000, { zone }));
    expect(screen.getByText(new RegExp(`^${zone}: `))).toBeTruthy();
  });

  it("a zone that this browser does not know is said to be so", () => {
    stand(planIn(300, { zone: "Mars/Base" }));
    expect(screen.getByText(/does not know the time zone/)).toBeTruthy();
  });

  it("the calendar file carries one's own link, and that is said before", async () => {
    const files: Promise<string>[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      files.push((blob as Blob).text());
      return "blob:here";
    });
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockReturnValue();
    const user = userEvent.setup();
    stand(planIn(20), true);
    await user.click(screen.getByRole("button", { name: "Save calendar file" }));
    const dialog = await screen.findByRole("dialog", { name: "Calendar file" });
    expect(dialog.textContent).toContain("your personal link, which is for you alone");
    await expectAccessible();
    expect(files).toHaveLength(0);
    await user.click(within(dialog).getByRole("button", { name: "Save calendar file" }));
    expect(files).toHaveLength(1);
    expect(await files[0]).toContain(`URL:${LINK}`);
  });
});
