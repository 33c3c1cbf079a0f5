import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupOf, nextFullHour } from "./groups.ts";
import { keepingOf } from "./keep.ts";
import { type Plan, parsePlan, planContent } from "./plan.ts";
import { formatRule, parseRule } from "./rule.ts";

const CONTENT = {
  title: "Choir",
  note: "Bring the scores.\n\nAnd tea.",
  start: "2026-12-01T19:00",
  zone: "Europe/Berlin",
  minutes: 90,
  rule: "FREQ=WEEKLY;BYDAY=TU",
  template: "club",
  except: ["2026-12-29"],
};

function planOf(changes: object = {}): Plan {
  const plan = parsePlan({ v: 1, ...CONTENT, ...changes });
  if (plan === null) throw new Error("no plan");
  return plan;
}

describe("what is in a sealed plan", () => {
  it("is read as it was written", () => {
    expect(planContent(planOf())).toEqual(CONTENT);
    expect(planContent(planOf({ rule: null, except: [] }))).toEqual({
      ...CONTENT,
      rule: null,
      except: [],
    });
  });

  it.each([
    { start: "2026-12-01" },
    { start: "2026-02-30T10:00" },
    { start: 7 },
    { start: undefined },
    { zone: 7 },
    { zone: "x".repeat(65) },
    { minutes: 4 },
    { minutes: 1_441 },
    { minutes: 45.5 },
    { minutes: "45" },
    { minutes: Number.NaN },
    { rule: "FREQ=SECONDLY" },
    { rule: undefined },
    { rule: 7 },
    { rule: `FREQ=DAILY;${"X".repeat(200)}` },
    { except: "2026-12-01" },
    { except: ["tomorrow"] },
    { except: [7] },
    { except: Array.from({ length: 401 }, () => "2026-12-01") },
  ])("is refused for %o", (changes) => {
    expect(parsePlan({ v: 1, ...CONTENT, ...changes })).toBeNull();
  });

  it("is made fit to be shown", () => {
    const plan = planOf({
      title: `Choir\u202e\r\n${"x".repeat(300)}`,
      note: `one\u0007\r\n\r\n\r\n\r\ntwo${"y".repeat(3_000)}`,
      zone: "Mars/Base",
      template: "circus",
    });
    expect(plan.title.startsWith("Choir xxx")).toBe(true);
    expect([...plan.title]).toHaveLength(120);
    expect(plan.note.startsWith("one\n\ntwoy")).toBe(true);
    expect([...plan.note]).toHaveLength(2_000);
    expect([plan.zone, plan.isZoneKnown, plan.template]).toEqual(["UTC", false, "none"]);
    expect(planOf({ title: 7, note: null })).toMatchObject({ title: "", note: "" });
  });

  it("whatever comes, it is a plan that can be written, or none", () => {
    const anything = fc.record(
      {
        title: fc.anything(),
        note: fc.oneof(fc.string(), fc.anything()),
        start: fc.oneof(fc.constant(CONTENT.start), fc.string(), fc.anything()),
        zone: fc.oneof(fc.constant("UTC"), fc.string(), fc.anything()),
        minutes: fc.oneof(fc.integer(), fc.anything()),
        rule: fc.oneof(fc.constant(null), fc.constant("FREQ=DAILY"), fc.string()),
        template: fc.anything(),
        except: fc.oneof(fc.constant([]), fc.anything()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anything, (value) => {
        const plan = parsePlan(value);
        if (plan === null) return;
        const again = parsePlan(planContent(plan));
        expect(again).toEqual({ ...plan, isZoneKnown: true });
      }),
    );
  });
});

describe("rules", () => {
  it.each([
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=2;COUNT=10",
    "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270101",
    "FREQ=WEEKLY;INTERVAL=2;UNTIL=20270101T120000Z",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=1,-1",
    "FREQ=YEARLY",
  ])("%s is written as it was read", (text) => {
    const rule = parseRule(text);
    expect(rule && formatRule(rule)).toBe(text);
  });

  it.each([
    "",
    "DAILY",
    "FREQ",
    "FREQ=",
    "FREQ=HOURLY",
    "FREQ=DAILY;FREQ=WEEKLY",
    "FREQ=DAILY;",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=401",
    "FREQ=DAILY;INTERVAL=-1",
    "FREQ=DAILY;INTERVAL=1e3",
    "FREQ=DAILY;COUNT=0",
    "FREQ=DAILY;COUNT=1001",
    "FREQ=DAILY;COUNT=2;UNTIL=20270101",
    "FREQ=DAILY;UNTIL=20270230",
    "FREQ=DAILY;UNTIL=20270101T120000",
    "FREQ=DAILY;UNTIL=20270101T250000Z",
    "FREQ=DAILY;BYHOUR=1,2,3",
    "FREQ=DAILY;BYDAY=1MO",
    "FREQ=WEEKLY;BYDAY=XX",
    "FREQ=WEEKLY;BYDAY=MO,MO",
    "FREQ=WEEKLY;BYDAY=6MO",
    "FREQ=WEEKLY;BYMONTHDAY=1",
    "FREQ=WEEKLY;WKST=SU",
    "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=1",
    "FREQ=MONTHLY;BYMONTHDAY=0",
    "FREQ=MONTHLY;BYMONTHDAY=32",
    "FREQ=YEARLY;BYDAY=MO",
    "FREQ=YEARLY;BYMONTH=3",
    "FREQ=DAILY=WEEKLY",
  ])("%s is not understood", (text) => {
    expect(parseRule(text)).toBeNull();
  });

  it("no text makes it stumble", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."FREQ=DAILYWKMOUNT;,-0123456789BYTZ") }),
        (text) => {
          const rule = parseRule(text);
          if (rule !== null) expect(parseRule(formatRule(rule))).toEqual(rule);
        },
      ),
    );
  });
});

describe("how long the server keeps it", () => {
  const now = Date.UTC(2026, 10, 26, 12);

  it("a week longer than the last of it lasts", () => {
    expect(keepingOf(planOf({ rule: null }), now)).toEqual({
      keep: "until",
      keep_until: "2026-12-08T19:30:00.000Z",
    });
    const counted = planOf({ rule: "FREQ=WEEKLY;COUNT=3", except: ["2026-12-15"] });
    expect(keepingOf(counted, now).keep_until).toBe("2026-12-22T19:30:00.000Z");
  });

  it("always, without an end or with one that is very far", () => {
    for (const rule of ["FREQ=WEEKLY", "FREQ=YEARLY;COUNT=9"]) {
      expect(keepingOf(planOf({ rule }), now)).toEqual({ keep: "always", keep_until: null });
    }
  });

  it("for a day more, when it is over", () => {
    const over = planOf({ start: "2020-01-01T10:00", rule: null });
    expect(keepingOf(over, now).keep_until).toBe("2026-11-27T12:00:00.000Z");
  });

  it("is never more than the server takes, with a clock that is an hour off", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_500 }),
        fc.integer({ min: 1, max: 60 }),
        (far, count) => {
          const start = `${new Date(now + far * 86_400_000).toISOString().slice(0, 10)}T10:00`;
          const { keep_until } = keepingOf(
            planOf({ start, rule: `FREQ=MONTHLY;COUNT=${count}` }),
            now,
          );
          if (keep_until === null) return;
          const until = Date.parse(keep_until);
          for (const server of [now - 3_600_000, now + 3_600_000]) {
            expect(until).toBeGreaterThan(server);
            expect(until - server).toBeLessThanOrEqual(731 * 86_400_000);
          }
        },
      ),
    );
  });
});

describe("the list's groups", () => {
  // Thursday, 26 November 2026, noon in UTC.
  const now = Date.UTC(2026, 10, 26, 12);
  it.each([
    [Date.UTC(2026, 10, 26, 23), "UTC", "today"],
    [Date.UTC(2026, 10, 25, 23), "UTC", "today"],
    [Date.UTC(2026, 10, 26, 23), "Europe/Berlin", "tomorrow"],
    [Date.UTC(2026, 10, 27, 0), "UTC", "tomorrow"],
    [Date.UTC(2026, 10, 29, 23), "UTC", "week"],
    [Date.UTC(2026, 10, 30, 0), "UTC", "later"],
    [Date.UTC(2026, 10, 26, 23), "Pacific/Kiritimati", "today"],
    [null, "UTC", "over"],
  ])("%o in %s: %s", (next, zone, group) => {
    expect(groupOf(next, now, zone)).toBe(group);
  });

  it("a plan begins with the next full hour", () => {
    expect(nextFullHour(now, "Asia/Kathmandu").minute).toBe(18 * 60);
    const late = nextFullHour(Date.UTC(2026, 10, 26, 23, 1), "UTC");
    expect(late).toEqual({ day: now / 86_400_000 + 0.5, minute: 0 });
  });
});
