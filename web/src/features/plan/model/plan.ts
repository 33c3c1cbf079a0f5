/**
 * What is planned: the content of a meeting's sealed plan (docs/reference/sealing-protocol.md, 1).
 * Read strictly, for whoever has the link could have altered it. Pure.
 */
import { readableParagraphs, readableTitle } from "../../../sealing/keys/readable.ts";
import { TEMPLATES, type Template } from "../../../sealing/templates.ts";
import { isDate, isLocal } from "./days.ts";
import { formatRule, MAX_RULE, parseRule, type Rule } from "./rule.ts";
import { isZone } from "./zones.ts";

export interface Plan {
  /** Empty: none. */
  readonly title: string;
  /** With its line breaks; empty: none. */
  readonly note: string;
  /** `YYYY-MM-DDTHH:MM`, on a clock in `zone`. */
  readonly start: string;
  /** An IANA name that this browser knows. */
  readonly zone: string;
  /** False: the plan names a zone that this browser does not know; `zone` is UTC then. */
  readonly isZoneKnown: boolean;
  readonly minutes: number;
  /** Null: once. */
  readonly rule: Rule | null;
  readonly template: Template;
  /** `YYYY-MM-DD`: dates of the series that are left out. */
  readonly except: readonly string[];
}

export const MIN_MINUTES = 5;
export const MAX_MINUTES = 1_440;
export const MAX_NOTE = 2_000;
const MAX_ZONE = 64;
const MAX_EXCEPT = 400;

/** Null: is no plan, or one of a later version that this page does not understand. */
export function parsePlan(value: Readonly<Record<string, unknown>>): Plan | null {
  const { start, zone, minutes, rule, except, template } = value;
  if (typeof start !== "string" || !isLocal(start)) return null;
  if (typeof zone !== "string" || zone.length > MAX_ZONE) return null;
  if (typeof minutes !== "number" || !Number.isInteger(minutes)) return null;
  if (minutes < MIN_MINUTES || minutes > MAX_MINUTES) return null;
  if (!Array.isArray(except) || except.length > MAX_EXCEPT) return null;
  if (!except.every((date): date is string => typeof date === "string" && isDate(date))) {
    return null;
  }
  const read = rule === null ? null : typeof rule === "string" ? parseRule(rule) : undefined;
  if (read === undefined || (read === null && rule !== null)) return null;
  const isZoneKnown = isZone(zone);
  return {
    title: readableTitle(value["title"]) ?? "",
    note: readableParagraphs(value["note"], MAX_NOTE) ?? "",
    start,
    zone: isZoneKnown ? zone : "UTC",
    isZoneKnown,
    minutes,
    rule: read,
    template: TEMPLATES.find((known) => known === template) ?? "none",
    except,
  };
}

/** In the order in which the protocol names the fields. */
export function planContent(plan: Plan): Readonly<Record<string, unknown>> {
  const rule = plan.rule === null ? null : formatRule(plan.rule);
  if (rule !== null && rule.length > MAX_RULE) throw new RangeError("a rule that is too long");
  return {
    title: plan.title,
    note: plan.note,
    start: plan.start,
    zone: plan.zone,
    minutes: plan.minutes,
    rule,
    template: plan.template,
    except: plan.except,
  };
}
