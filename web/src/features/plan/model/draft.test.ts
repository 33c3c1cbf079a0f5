import { describe, expect, it } from "vitest";
import { isAddress, readAddresses } from "./addresses.ts";
import { type Draft, draftOf, movedTo, newDraft, readDraft } from "./draft.ts";
import { type Plan, parsePlan } from "./plan.ts";
import { formatRule } from "./rule.ts";

/** Thursday, 26 November 2026, 13:20 in Berlin. */
const NOW = Date.UTC(2026, 10, 26, 12, 20);
const BERLIN = "Europe/Berlin";

function read(changes: Partial<Draft> = {}, isNew = true) {
  return readDraft({ ...newDraft(NOW, BERLIN), ...changes }, NOW, isNew);
}

function planned(changes: Partial<Draft> = {}, isNew = true): Plan {
  const found = read(changes, isNew);
  if (found.type !== "plan") throw new Error(found.fault);
  return found.plan;
}

const ruleText = ({ rule }: Plan) => rule && formatRule(rule);

describe("the form", () => {
  it("begins with the next full hour, for 45 minutes, once", () => {
    expect(planned()).toMatchObject({
      start: "2026-11-26T14:00",
      zone: BERLIN,
      minutes: 45,
      rule: null,
      template: "none",
      except: [],
    });
  });

  it.each<[Partial<Draft>, string]>([
    [{ repeat: "daily" }, "FREQ=DAILY"],
    [{ repeat: "weekly" }, "FREQ=WEEKLY;BYDAY=TH"],
    [{ repeat: "weekly", weekdays: [6, 0] }, "FREQ=WEEKLY;BYDAY=MO,TH,SU"],
    [{ repeat: "fortnightly" }, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"],
    [{ repeat: "monthly" }, "FREQ=MONTHLY;BYMONTHDAY=26"],
    [{ repeat: "nth" }, "FREQ=MONTHLY;BYDAY=4TH"],
    [{ repeat: "nth", date: "2026-12-31" }, "FREQ=MONTHLY;BYDAY=-1TH"],
    [{ repeat: "yearly", ends: "count", count: 3 }, "FREQ=YEARLY;COUNT=3"],
    [{ repeat: "daily", ends: "date", endDate: "2026-12-24" }, "FREQ=DAILY;UNTIL=20261224"],
    [{ repeat: "daily", ends: "date", endDate: "2026-11-26" }, "FREQ=DAILY;UNTIL=20261126"],
  ])("%o makes %s, and shows it as it was", (changes, rule) => {
    const plan = planned(changes);
    expect(ruleText(plan)).toBe(rule);
    expect(planned(draftOf(plan, "open"))).toEqual(plan);
    expect(draftOf(plan, "open").repeat).toBe(changes.repeat);
  });

  it.each([
    "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=WEEKLY;BYDAY=TU;UNTIL=20270301T180000Z",
    "FREQ=WEEKLY",
  ])("%s, which it does not make, stays as it is", (rule) => {
    const plan = parsePlan({
      title: "",
      note: "",
      start: "2026-12-01T19:00",
      zone: BERLIN,
      minutes: 45,
      rule,
      template: "none",
      except: [],
    });
    if (plan === null) throw new Error("no plan");
    const draft = draftOf(plan, "invited");
    expect([draft.repeat, draft.entry]).toEqual(["kept", "invited"]);
    expect(ruleText(planned(draft))).toBe(rule);
  });

  it.each<[Partial<Draft>, string]>([
    [{ date: null }, "no-date"],
    [{ time: null }, "no-time"],
    [{ date: "2026-02-30" }, "no-date"],
    [{ time: "13:19" }, "past"],
    [{ date: "2020-01-01" }, "past"],
    [{ date: "2020-01-01", repeat: "daily" }, "past"],
    [{ date: "2028-12-01" }, "too-far"],
    [{ repeat: "daily", ends: "date", endDate: null }, "no-end"],
    [{ repeat: "daily", ends: "date", endDate: "2026-11-25" }, "end-before"],
    [{ repeat: "daily", ends: "count", count: Number.NaN }, "count"],
    [{ repeat: "daily", ends: "count", count: 0 }, "count"],
    [{ repeat: "daily", ends: "count", count: 1_001 }, "count"],
    [{ repeat: "daily", ends: "count", count: 1, except: ["2026-11-26"] }, "none-left"],
  ])("%o is refused: %s", (changes, fault) => {
    expect(read(changes)).toEqual({ type: "fault", fault });
  });

  it("a series that has begun can be changed, one that is over cannot", () => {
    const begun = { date: "2026-01-01", repeat: "daily" } as const;
    expect(planned(begun, false).start).toBe("2026-01-01T14:00");
    expect(read({ ...begun, ends: "count", count: 3 }, false)).toEqual({
      type: "fault",
      fault: "past",
    });
  });

  it("a time that a change to summer time leaves out is shown as it will be", () => {
    const draft = { ...newDraft(NOW, BERLIN), date: "2027-03-28", time: "02:30" };
    expect(movedTo(draft)).toEqual({ at: Date.UTC(2027, 2, 28, 1, 30) });
    expect(movedTo({ ...draft, time: "03:30" })).toBeNull();
    expect(movedTo({ ...draft, date: null })).toBeNull();
    expect(planned(draft).start).toBe("2027-03-28T02:30");
  });
});

describe("addresses", () => {
  it("are read as they are typed, each once", () => {
    expect(readAddresses(" a@b.example,\nc@d.example; a@b.example ")).toEqual({
      type: "read",
      addresses: ["a@b.example", "c@d.example"],
    });
    expect(readAddresses(" ,\n; ")).toEqual({ type: "none" });
    const many = Array.from({ length: 41 }, (_, at) => `p${at}@b.example`).join(" ");
    expect(readAddresses(many)).toEqual({ type: "too-many" });
  });

  it.each([
    "anna",
    "anna@",
    "@b.example",
    "a@b@c",
    "a@-b.example",
    "<a@b.example>",
    "ä@b.example",
    `${"a".repeat(250)}@b.example`,
  ])("%s is none", (text) => {
    expect(isAddress(text)).toBe(false);
    expect(readAddresses(text).type).toBe("bad");
  });
});
