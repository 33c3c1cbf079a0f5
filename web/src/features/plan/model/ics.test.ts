import fc from "fast-check";
// Another implementation of RFC 5545, for the tests alone.
import ICAL from "ical.js";
import { describe, expect, it } from "vitest";
import { calendarFile } from "./ics.ts";
import { nextOccurrences } from "./occurrences.ts";
import { type Plan, parsePlan } from "./plan.ts";

const NOW = Date.UTC(2026, 10, 26, 12);
const LINK =
  "https://meet.example/m/mtg_6mg8p21800ag05s2ctversgyed#1.AAECAwQFBgcICQoLDA0ODw.qSayMJuhTE780WrtO-XMtw";

function planOf(changes: object = {}): Plan {
  const content = {
    title: "Choir",
    note: "",
    start: "2026-12-01T19:00",
    zone: "Europe/Berlin",
    minutes: 90,
    rule: null,
    template: "none",
    except: [],
    ...changes,
  };
  const plan = parsePlan(content);
  if (plan === null) throw new Error("no plan");
  return plan;
}

function fileOf(plan: Plan): string {
  return calendarFile({
    meetingId: "mtg_6mg8p21800ag05s2ctversgyed",
    host: "meet.example",
    plan,
    fallbackTitle: "Meeting",
    link: LINK,
    linkText: "Your link:",
    now: NOW,
  });
}

/** As a calendar program reads it, with the zone that the file brings along. */
function read(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const [event] = calendar.getAllSubcomponents("vevent");
  if (event === undefined) throw new Error("no event");
  const zone = calendar.getFirstSubcomponent("vtimezone");
  const found = new ICAL.Event(event);
  if (zone !== null) found.startDate.zone = new ICAL.Timezone(zone);
  return { calendar, event, found };
}

function starts(text: string, most: number): string[] {
  const { found, event } = read(text);
  const shown: string[] = [];
  if (!found.isRecurring()) return [found.startDate.toJSDate().toISOString()];
  const except = new Set(
    event.getAllProperties("exdate").map((one) => String(one.getFirstValue())),
  );
  const all = found.iterator();
  for (let next = all.next(); next && shown.length < most; next = all.next()) {
    const local = next.toString();
    if (except.has(local)) continue;
    next.zone = found.startDate.zone;
    shown.push(next.toJSDate().toISOString());
  }
  return shown;
}

const ours = (plan: Plan, most: number) =>
  nextOccurrences(plan, 0, most).map(({ start }) => new Date(start).toISOString());

describe("a calendar file", () => {
  it("says what is planned", () => {
    const { calendar, event, found } = read(fileOf(planOf({ note: "Bring\nthe scores." })));
    expect(calendar.getFirstPropertyValue("method")).toBe("PUBLISH");
    expect(found.uid).toBe("mtg_6mg8p21800ag05s2ctversgyed@meet.example");
    expect(found.summary).toBe("Choir");
    expect(found.description).toBe(`Bring\nthe scores.\n\nYour link:\n${LINK}`);
    expect(event.getFirstPropertyValue("url")).toBe(LINK);
    expect(found.duration.toSeconds()).toBe(5_400);
    expect(found.startDate.toJSDate().toISOString()).toBe("2026-12-01T18:00:00.000Z");
    expect(read(fileOf(planOf({ title: "" }))).found.summary).toBe("Meeting");
  });

  it("is lines of at most 75 octets, with CR and LF", () => {
    const text = fileOf(
      planOf({ title: "Übung für Anfänger 🎻".repeat(6), note: "漢字".repeat(200) }),
    );
    expect(text.endsWith("END:VCALENDAR\r\n")).toBe(true);
    for (const line of text.split("\r\n")) {
      expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
      expect(line).not.toMatch(/[\r\n\ufffd]/);
      expect(line.isWellFormed()).toBe(true);
    }
  });

  it("whatever stands in it, stays in its place", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.string({ maxLength: 300 }),
        (title, note) => {
          const plan = planOf({ title, note: `a${note}b,;\\n:"` });
          const { calendar, found } = read(fileOf(plan));
          expect(calendar.getAllSubcomponents("vevent")).toHaveLength(1);
          expect(found.summary).toBe(plan.title === "" ? "Meeting" : plan.title);
          expect(found.description).toBe(`${plan.note}\n\nYour link:\n${LINK}`);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("smuggles nothing in", () => {
    const text = fileOf(planOf({ title: "Choir\r\nEND:VEVENT\r\nATTENDEE:mailto:x@example.org" }));
    expect(text).not.toMatch(/^ATTENDEE/m);
    expect(text.match(/^END:VEVENT/gm)).toHaveLength(1);
  });

  it.each([
    ["Europe/Berlin", "2026-10-18T19:00", "FREQ=WEEKLY"],
    ["Europe/Berlin", "2026-10-18T19:00", "FREQ=WEEKLY;BYDAY=WE,SU;COUNT=30"],
    ["America/New_York", "2026-10-25T09:30", "FREQ=DAILY;INTERVAL=3"],
    ["Australia/Lord_Howe", "2026-03-30T10:00", "FREQ=DAILY;UNTIL=20260410"],
    ["Australia/Sydney", "2026-01-29T10:00", "FREQ=MONTHLY;BYDAY=-1TH"],
    ["America/Santiago", "2026-03-01T10:00", "FREQ=WEEKLY;INTERVAL=2;UNTIL=20261201T130000Z"],
    ["Africa/Casablanca", "2026-01-05T10:00", "FREQ=WEEKLY"],
    ["Asia/Kathmandu", "2026-01-31T10:00", "FREQ=MONTHLY"],
    ["UTC", "2028-02-28T10:00", "FREQ=YEARLY"],
    ["Pacific/Chatham", "2026-09-20T10:00", "FREQ=WEEKLY;COUNT=8"],
  ])("in %s from %s, %s: a calendar program shows the same moments", (zone, start, rule) => {
    const plan = planOf({ zone, start, rule });
    const most = 60;
    const wanted = ours(plan, most);
    expect(wanted.length).toBeGreaterThan(5);
    expect(starts(fileOf(plan), most)).toEqual(wanted);
  });

  it("what is left out is not in it", () => {
    const plan = planOf({ rule: "FREQ=WEEKLY;COUNT=4", except: ["2026-12-08", "2026-12-22"] });
    expect(starts(fileOf(plan), 9)).toEqual([
      "2026-12-01T18:00:00.000Z",
      "2026-12-15T18:00:00.000Z",
    ]);
  });

  it("changes of the clock that keep to a rule are written as one", () => {
    const berlin = fileOf(planOf({ rule: "FREQ=WEEKLY" }));
    expect(berlin).toContain("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n");
    expect(berlin).toContain("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n");
    const newYork = fileOf(planOf({ rule: "FREQ=WEEKLY", zone: "America/New_York" }));
    expect(newYork).toContain("RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\n");
    expect(newYork).toContain("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\n");
    // Those of Morocco follow the moon.
    const casablanca = fileOf(planOf({ rule: "FREQ=WEEKLY", zone: "Africa/Casablanca" }));
    expect(casablanca).not.toContain("RRULE:FREQ=YEARLY");
    expect(casablanca).toContain("RDATE:");
  });
});
