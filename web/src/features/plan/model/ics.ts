/**
 * A planned meeting as a calendar file (RFC 5545), made in this browser. Whoever reads it reads title
 * and link. Pure.
 */
import { DAY_MS, parseDate, parseLocal } from "./days.ts";
import { endOfAll } from "./occurrences.ts";
import type { Plan } from "./plan.ts";
import { compact, formatRule, type Rule } from "./rule.ts";
import { timeZoneLines } from "./vtimezone.ts";
import { instantOf } from "./zones.ts";

export interface CalendarFile {
  readonly meetingId: string;
  /** Of this server. */
  readonly host: string;
  readonly plan: Plan;
  /** What stands in the calendar where the plan has no title. */
  readonly fallbackTitle: string;
  /** The whole link, with its key: an open one, or one person's. */
  readonly link: string;
  /** A line about the link, in the reader's language. */
  readonly linkText: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a calendar program is told of a zone, for a series without end. */
const HORIZON_MS = 12 * 365 * DAY_MS;
const MAX_OCTETS = 75;

export function calendarFile(file: CalendarFile): string {
  const { meetingId, host, plan, fallbackTitle, link, linkText, now } = file;
  const local = parseLocal(plan.start);
  if (local === null) throw new RangeError("a plan without a start");
  const start = instantOf(local, plan.zone);
  const isUtc = plan.zone === "UTC" || plan.zone === "Etc/UTC";
  const end = Math.min(endOfAll(plan) ?? Number.POSITIVE_INFINITY, start + HORIZON_MS);
  const time = ({ day, minute }: { day: number; minute: number }) =>
    compact(day * DAY_MS + minute * 60_000).slice(0, 15);
  const property = (name: string, value: string) =>
    isUtc ? `${name}:${value}Z` : `${name};TZID=${plan.zone}:${value}`;
  const except = plan.except
    .map(parseDate)
    .filter((day) => day !== null)
    .map((day) => property("EXDATE", time({ day, minute: local.minute })));
  const description = [plan.note, `${linkText}\n${link}`].filter((text) => text !== "");
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//conclave//planned meetings//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
    ...(isUtc ? [] : timeZoneLines(plan.zone, start, end)),
    "BEGIN:VEVENT",
    `UID:${meetingId}@${host}`,
    `DTSTAMP:${compact(now)}`,
    property("DTSTART", time(local)),
    `DURATION:PT${plan.minutes}M`,
    ...(plan.rule === null ? [] : [`RRULE:${formatRule(utcEnd(plan.rule, plan, local.minute))}`]),
    ...except,
    `SUMMARY:${escaped(plan.title === "" ? fallbackTitle : plan.title)}`,
    `DESCRIPTION:${escaped(description.join("\n\n"))}`,
    `URL:${link.replace(/[\r\n]/g, "")}`,
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join("");
}

/** With a start in a zone the end is a moment in UTC (RFC 5545, 3.3.10). */
function utcEnd(rule: Rule, { zone }: Plan, minute: number): Rule {
  const { end } = rule;
  if (end.type !== "date") return rule;
  return { ...rule, end: { type: "instant", ms: instantOf({ day: end.day, minute }, zone) } };
}

function escaped(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/(?!\n)\p{Cc}/gu, " ")
    .replace(/[\\;,]/g, "\\$&")
    .replace(/\n/g, "\\n");
}

/** At most 75 octets in a line, and no character cut in two (RFC 5545, 3.1). */
function folded(line: string): string {
  const lines: string[] = [];
  let now = "";
  let octets = 0;
  for (const character of line) {
    const size = octetsOf(character);
    if (octets + size > MAX_OCTETS) {
      lines.push(now);
      now = " ";
      octets = 1;
    }
    now += character;
    octets += size;
  }
  lines.push(now);
  return lines.join("\r\n");
}

function octetsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}
