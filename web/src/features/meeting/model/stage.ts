/**
 * What stands on the stage: which of the people, how large, where, and what is left for the next
 * page. Pure: takes the call, the choices of the viewer and the size of the stage.
 */

import { type Call, othersOf, type Person, type Share } from "./call.ts";
import {
  AUTOMATIC_SPEAKER_VIEW,
  GAP,
  PHONE_GAP,
  pageCount,
  pageOf,
  pageSize,
  placeGrid,
  placeWithStrip,
  type Rect,
  type Size,
  SPEAKER_VIEW_FROM,
} from "./layout.ts";

/** Room under the grid for the buttons that turn pages. */
const PAGER_HEIGHT = 52;

export type ViewChoice = "automatic" | "grid" | "speaker";

export interface StageChoices {
  readonly view: ViewChoice;
  /** Shown large until the viewer goes back; null for nobody. */
  readonly enlarged: string | null;
  readonly pinned: readonly string[];
  readonly page: number;
  readonly wantsMany: boolean;
}

export interface StageInput {
  readonly call: Pick<Call, "people" | "share">;
  readonly choices: StageChoices;
  /** Identities in the order to show them. */
  readonly order: readonly string[];
  readonly stage: Size;
  readonly isPhone: boolean;
  /** One column that scrolls with the page: for very small windows and high zoom. */
  readonly isFlow: boolean;
}

export interface PlacedTile {
  readonly person: Person;
  readonly rect: Rect;
  readonly isLarge: boolean;
}

export interface StageView {
  readonly kind: "alone" | "grid" | "speaker" | "share";
  readonly tiles: readonly PlacedTile[];
  readonly share: { readonly share: Share; readonly rect: Rect } | null;
  /** The button behind which the rest of a strip is found. */
  readonly more: { readonly rect: Rect; readonly count: number } | null;
  readonly page: number;
  readonly pages: number;
  /** What the content needs where it flows; null where it fills the stage. */
  readonly flowHeight: number | null;
}

/** Whether the speaker view can be chosen at all. */
export function canSpeakerView(others: number): boolean {
  return others >= SPEAKER_VIEW_FROM - 1;
}

export function isSpeakerView(view: ViewChoice, others: number): boolean {
  return view === "speaker"
    ? canSpeakerView(others)
    : view === "automatic" && others > AUTOMATIC_SPEAKER_VIEW;
}

/** Who is shown large: chosen, else pinned, else who speaks or spoke last, else the first. */
export function largeOne(others: readonly Person[], choices: StageChoices): Person | null {
  const byIdentity = (identity: string | null | undefined) =>
    others.find((person) => person.identity === identity);
  const speaking = others
    .filter((person) => person.isSpeaking || person.lastSpokeAt !== null)
    .reduce<Person | undefined>((best, person) => {
      const spoke = (who: Person) => (who.isSpeaking ? Number.MAX_VALUE : (who.lastSpokeAt ?? 0));
      return best === undefined || spoke(person) > spoke(best) ? person : best;
    }, undefined);
  return (
    byIdentity(choices.enlarged) ?? byIdentity(choices.pinned[0]) ?? speaking ?? others[0] ?? null
  );
}

export function stageView(input: StageInput): StageView {
  const { call, choices, stage } = input;
  const gap = input.isPhone ? PHONE_GAP : GAP;
  const others = sorted(othersOf(call as Call), input.order);
  const empty = { tiles: [], share: null, more: null, page: 0, pages: 1, flowHeight: null };
  if (call.share !== null) {
    return input.isFlow
      ? flowView(others, call.share, stage, gap)
      : stripView("share", others, null, call.share, input, gap);
  }
  if (others.length === 0) {
    return { ...empty, kind: "alone" };
  }
  if (input.isFlow) {
    return flowView(others, null, stage, gap);
  }
  const isEnlarged = others.some((person) => person.identity === choices.enlarged);
  if (others.length > 1 && (isEnlarged || isSpeakerView(choices.view, others.length))) {
    return stripView("speaker", others, largeOne(others, choices), null, input, gap);
  }
  const size = pageSize(others.length, stage, {
    isPhone: input.isPhone,
    wantsMany: choices.wantsMany,
  });
  const pages = pageCount(others.length, size);
  const page = Math.min(Math.max(choices.page, 0), pages - 1);
  const shown = pageOf(others, page, size);
  const floor = pages === 1 ? stage : { ...stage, height: stage.height - PAGER_HEIGHT };
  const rects = placeGrid(shown.length, floor, gap);
  return {
    ...empty,
    kind: "grid",
    tiles: place(shown, rects),
    page,
    pages,
  };
}

function stripView(
  kind: "speaker" | "share",
  others: readonly Person[],
  large: Person | null,
  share: Share | null,
  input: StageInput,
  gap: number,
): StageView {
  const rest = others.filter((person) => person !== large);
  const { large: rect, strip, more } = placeWithStrip(rest.length, input.stage, gap);
  const size = Math.max(1, strip.length);
  const pages = pageCount(rest.length, size);
  // The strip goes round: after the last of the rest come the first again.
  const page = ((input.choices.page % pages) + pages) % pages;
  const shown = pageOf(rest, page, size);
  const largeTile = large === null ? [] : [{ person: large, rect, isLarge: true }];
  return {
    kind,
    tiles: [...largeTile, ...place(shown, strip)],
    share: share === null ? null : { share, rect },
    more: more === null ? null : { rect: more, count: rest.length - shown.length },
    page,
    pages,
    flowHeight: null,
  };
}

function flowView(
  others: readonly Person[],
  share: Share | null,
  stage: Size,
  gap: number,
): StageView {
  const height = (stage.width * 9) / 16;
  const at = (index: number): Rect => ({
    x: 0,
    y: index * (height + gap),
    width: stage.width,
    height,
  });
  const before = share === null ? 0 : 1;
  const count = others.length + before;
  return {
    kind: share === null ? "grid" : "share",
    tiles: others.map((person, index) => ({ person, rect: at(index + before), isLarge: false })),
    share: share === null ? null : { share, rect: at(0) },
    more: null,
    page: 0,
    pages: 1,
    flowHeight: Math.max(0, count * (height + gap) - gap),
  };
}

function place(people: readonly Person[], rects: readonly Rect[]): PlacedTile[] {
  return people.flatMap((person, index) => {
    const rect = rects[index];
    return rect === undefined ? [] : [{ person, rect, isLarge: false }];
  });
}

function sorted(people: readonly Person[], order: readonly string[]): readonly Person[] {
  const at = new Map(order.map((identity, index) => [identity, index]));
  const rank = (person: Person) => at.get(person.identity) ?? order.length;
  return [...people].sort((left, right) => rank(left) - rank(right));
}
