import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS, formatDate, formatLocal, parseDate, parseLocal, weekdayOf } from "./days.ts";
import { endOfAll, nextOccurrence, nextOccurrences, occurrences } from "./occurrences.ts";
import { parseRule } from "./rule.ts";
import { exists, instantOf, isZone, localAt, offsetAt } from "./zones.ts";

const BERLIN = "Europe/Berlin";

function series(start: string, rule: string | null, zone = BERLIN, except: string[] = []) {
  const read = rule === null ? null : parseRule(rule);
  if (rule !== null && read === null) throw new Error(`not understood: ${rule}`);
  return { start, zone, minutes: 45, rule: read, except };
}

const dates = (plan: ReturnType<typeof series>, most = 20, from = 0) =>
  nextOccurrences(plan, from, most).map(({ date }) => date);

const times = (plan: ReturnType<typeof series>, most = 20, from = 0) =>
  nextOccurrences(plan, from, most).map(({ start }) => new Date(start).toISOString());

describe("the days of a series", () => {
  // The first ones are the examples of RFC 5545, 3.8.5.3.
  it.each([
    ["1997-09-02T09:00", "FREQ=DAILY;COUNT=3", ["1997-09-02", "1997-09-03", "1997-09-04"]],
    [
      "1997-09-02T09:00",
      "FREQ=DAILY;INTERVAL=10;COUNT=3",
      ["1997-09-02", "1997-09-12", "1997-09-22"],
    ],
    [
      "1997-09-01T09:00",
      "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=MO;BYDAY=MO,WE,FR",
      ["1997-09-01", "1997-09-03", "1997-09-05", "1997-09-15", "1997-09-17", "1997-09-19"],
    ],
    [
      "1997-08-05T09:00",
      "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
      ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
    ],
    [
      "1997-09-05T09:00",
      "FREQ=MONTHLY;COUNT=3;BYDAY=1FR",
      ["1997-09-05", "1997-10-03", "1997-11-07"],
    ],
    [
      "1997-09-07T09:00",
      "FREQ=MONTHLY;INTERVAL=2;COUNT=6;BYDAY=1SU,-1SU",
      ["1997-09-07", "1997-09-28", "1997-11-02", "1997-11-30", "1998-01-04", "1998-01-25"],
    ],
    [
      "1997-09-28T09:00",
      "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3",
      ["1997-09-28", "1997-10-29", "1997-11-28"],
    ],
    [
      "1997-09-02T09:00",
      "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=2,15",
      ["1997-09-02", "1997-09-15", "1997-10-02", "1997-10-15"],
    ],
    [
      "2026-01-31T18:00",
      "FREQ=MONTHLY;COUNT=4",
      ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"],
    ],
    ["2024-02-29T18:00", "FREQ=YEARLY;COUNT=3", ["2024-02-29", "2028-02-29", "2032-02-29"]],
    ["2096-02-29T18:00", "FREQ=YEARLY;COUNT=2", ["2096-02-29", "2104-02-29"]],
    [
      "2026-11-26T18:00",
      "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=3",
      ["2026-11-26", "2026-11-27", "2026-11-30"],
    ],
    [
      "2026-12-29T18:00",
      "FREQ=MONTHLY;BYDAY=5TU;COUNT=3",
      ["2026-12-29", "2027-03-30", "2027-06-29"],
    ],
  ])("%s, %s", (start, rule, expected) => {
    expect(dates(series(start, rule), expected.length)).toEqual(expected);
  });

  it("what is left out counts all the same", () => {
    const plan = series("2026-12-01T10:00", "FREQ=WEEKLY;COUNT=3", BERLIN, ["2026-12-08"]);
    expect(dates(plan)).toEqual(["2026-12-01", "2026-12-15"]);
  });

  it("the last day counts, by the clock of the zone", () => {
    const local = series("2026-12-01T00:15", "FREQ=DAILY;UNTIL=20261203", "Pacific/Kiritimati");
    expect(dates(local)).toEqual(["2026-12-01", "2026-12-02", "2026-12-03"]);
    const moment = series("2026-12-01T00:15", "FREQ=DAILY;UNTIL=20261201T231500Z");
    expect(dates(moment)).toEqual(["2026-12-01", "2026-12-02"]);
    expect(dates(series("2026-12-01T00:15", "FREQ=DAILY;UNTIL=20261201T231459Z"))).toEqual([
      "2026-12-01",
    ]);
  });

  it("a series that ended before it began has its first day alone, or none", () => {
    expect(dates(series("2026-12-01T10:00", "FREQ=DAILY;UNTIL=20260101"))).toEqual([]);
    expect(endOfAll(series("2026-12-01T10:00", "FREQ=DAILY;UNTIL=20260101"))).toBe(
      Date.parse("2026-12-01T09:45:00Z"),
    );
  });
});

describe("over a change of the clocks", () => {
  it("a series keeps its time on the clock", () => {
    // 25 October 2026: an hour comes twice in Berlin.
    expect(times(series("2026-10-18T19:00", "FREQ=WEEKLY;COUNT=3"))).toEqual([
      "2026-10-18T17:00:00.000Z",
      "2026-10-25T18:00:00.000Z",
      "2026-11-01T18:00:00.000Z",
    ]);
    // In Sydney summer begins in October.
    expect(times(series("2026-09-27T19:00", "FREQ=WEEKLY;COUNT=2", "Australia/Sydney"))).toEqual([
      "2026-09-27T09:00:00.000Z",
      "2026-10-04T08:00:00.000Z",
    ]);
  });

  it.each([
    // zone, time that is not there, as the clock shows it instead, moment
    [BERLIN, "2026-03-29T02:30", "2026-03-29T03:30", "2026-03-29T01:30:00.000Z"],
    ["America/New_York", "2026-03-08T02:15", "2026-03-08T03:15", "2026-03-08T07:15:00.000Z"],
    // Lord Howe moves by half an hour.
    ["Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-04T02:45", "2026-10-03T15:45:00.000Z"],
    ["America/Santiago", "2026-09-06T00:30", "2026-09-06T01:30", "2026-09-06T04:30:00.000Z"],
  ])("%s has no %s", (zone, wanted, shown, moment) => {
    const local = parseLocal(wanted);
    if (local === null) throw new Error("no time");
    expect(exists(local, zone)).toBe(false);
    expect(new Date(instantOf(local, zone)).toISOString()).toBe(moment);
    expect(formatLocal(localAt(instantOf(local, zone), zone))).toBe(shown);
  });

  it.each([
    [BERLIN, "2026-10-25T02:30", "2026-10-25T00:30:00.000Z"],
    ["America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00.000Z"],
    ["Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00.000Z"],
  ])("%s has %s twice: the first is meant", (zone, wanted, moment) => {
    const local = parseLocal(wanted);
    if (local === null) throw new Error("no time");
    expect(exists(local, zone)).toBe(true);
    expect(new Date(instantOf(local, zone)).toISOString()).toBe(moment);
  });

  it("a day that a zone has skipped moves on", () => {
    // Samoa went over the date line: there was no 30 December 2011.
    const local = parseLocal("2011-12-30T10:00");
    if (local === null) throw new Error("no time");
    expect(formatLocal(localAt(instantOf(local, "Pacific/Apia"), "Pacific/Apia"))).toBe(
      "2011-12-31T10:00",
    );
  });
});

describe("what cannot be is not looked for for ever", () => {
  it.each([
    "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31",
    "FREQ=MONTHLY;INTERVAL=12;BYDAY=5MO;COUNT=1000",
    "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
  ])("%s", (rule) => {
    const all = [...occurrences(series("2027-02-01T10:00", rule), 0)];
    expect(all.length).toBeLessThan(200);
  });

  it("a series without end has one all the same, and its far end is found at once", () => {
    const plan = series("1970-01-02T10:00", "FREQ=DAILY");
    const last = nextOccurrences(plan, Date.UTC(2199, 11, 30), 10);
    expect(last.map(({ date }) => date)).toEqual(["2199-12-30", "2199-12-31"]);
    expect(nextOccurrence(plan, Date.UTC(2300, 0, 1))).toBeNull();
  });
});

const ZONES = [
  "UTC",
  BERLIN,
  "America/New_York",
  "America/Santiago",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "Pacific/Kiritimati",
  "Pacific/Chatham",
];
const zones = fc.constantFrom(...ZONES);
const moments = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2060, 0, 1) });
const days = fc.integer({ min: parseDate("2000-01-01") ?? 0, max: parseDate("2060-01-01") ?? 0 });
const minutes = fc.integer({ min: 0, max: 1_439 });
const rules = fc.constantFrom(
  "FREQ=DAILY",
  "FREQ=DAILY;INTERVAL=3;COUNT=500",
  "FREQ=WEEKLY;BYDAY=MO,TH",
  "FREQ=WEEKLY;INTERVAL=5",
  "FREQ=MONTHLY",
  "FREQ=MONTHLY;BYDAY=-1FR",
  "FREQ=MONTHLY;INTERVAL=7;BYMONTHDAY=1,-1",
  "FREQ=YEARLY",
  "FREQ=WEEKLY;UNTIL=20300101T120000Z",
);

describe("whatever the zone, the day and the rule", () => {
  it("a moment on the clock is that moment again, or the second of two", () => {
    fc.assert(
      fc.property(zones, moments, (zone, raw) => {
        const ms = Math.floor(raw / 60_000) * 60_000;
        const back = instantOf(localAt(ms, zone), zone);
        expect(back === ms || (back < ms && ms - back <= 7_200_000)).toBe(true);
        expect(localAt(back, zone)).toEqual(localAt(ms, zone));
      }),
    );
  });

  it("a time on the clock is shown at its moment, unless the clock leaves it out", () => {
    fc.assert(
      fc.property(zones, days, minutes, (zone, day, minute) => {
        const shown = localAt(instantOf({ day, minute }, zone), zone);
        const moved = (shown.day - day) * 1_440 + shown.minute - minute;
        expect(moved === 0 || !exists({ day, minute }, zone)).toBe(true);
        expect(moved).toBeGreaterThanOrEqual(0);
        expect(moved).toBeLessThanOrEqual(120);
      }),
    );
  });

  it("from any moment on, the same days come as from the beginning", () => {
    fc.assert(
      fc.property(
        zones,
        rules,
        days,
        minutes,
        fc.nat({ max: 3_000 }),
        (zone, rule, day, minute, far) => {
          const plan = series(formatLocal({ day, minute }), rule, zone);
          const from = (day + far) * DAY_MS;
          const all = [...occurrences(plan, 0)].filter(({ end }) => end > from).slice(0, 4);
          expect(nextOccurrences(plan, from, 4)).toEqual(all);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("they come in order, at the same time of day, each once", () => {
    fc.assert(
      fc.property(zones, rules, days, minutes, (zone, rule, day, minute) => {
        const plan = series(formatLocal({ day, minute }), rule, zone);
        const found = nextOccurrences(plan, 0, 40);
        for (const [at, one] of found.entries()) {
          const next = found[at + 1];
          if (next) expect(next.start).toBeGreaterThan(one.start);
          const shown = localAt(one.start, zone);
          const wanted = { day: parseDate(one.date) ?? 0, minute };
          if (exists(wanted, zone)) expect(shown).toEqual(wanted);
        }
      }),
      { numRuns: 60 },
    );
  });
});

it("dates are days, and only the ones there are", () => {
  expect(formatDate(parseDate("2026-11-26") ?? 0)).toBe("2026-11-26");
  expect(weekdayOf(parseDate("2026-11-26") ?? 0)).toBe(3);
  for (const text of [
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "26-01-01",
    "2026-1-1",
    "",
    "2200-01-01",
    "1969-12-31",
    "2026-11-26T10:00",
  ]) {
    expect(parseDate(text), text).toBeNull();
  }
  for (const text of [
    "2026-11-26",
    "2026-11-26T24:00",
    "2026-11-26T10:60",
    "2026-11-26 10:00",
    "2026-11-26T10:00Z",
  ]) {
    expect(parseLocal(text), text).toBeNull();
  }
});

it("zones are names that the browser knows", () => {
  for (const name of ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]) {
    expect(isZone(name), name).toBe(true);
  }
  for (const name of [
    "",
    "+02:00",
    "Berlin",
    "Europe/Berlin\r\nX:1",
    "Mars/Base",
    "Europe/Berlin;X=1",
  ]) {
    expect(isZone(name), name).toBe(false);
  }
  expect(offsetAt(Date.UTC(2026, 6, 1), "Asia/Kathmandu")).toBe(20_700_000);
});
