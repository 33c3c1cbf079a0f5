/**
 * Takes the secret part of a link out of the address bar, so that no screenshot, shared screen,
 * history entry or error report of this page shows it.
 *
 * It is kept in memory, and in this tab's `sessionStorage`: without that a reload would lead to the
 * lobby, for the address has lost the secret. `sessionStorage` ends with the tab and is read by this
 * origin alone, which is what was true of the address. Must never be logged, put into a title, a
 * request or an error.
 */

import { type Fragment, formatFragment, parseFragment } from "./link.ts";

/** What is touched of a page; `window` is one. */
export interface Page {
  readonly location: Pick<Location, "href" | "hash" | "pathname" | "search">;
  readonly history: Pick<History, "state" | "replaceState">;
  /** Throws where storage is blocked. */
  readonly sessionStorage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
}

const memory = new Map<string, string>();

const slot = (meetingId: string): string => `conclave.link.${meetingId}`;

function keep(page: Page, meetingId: string, fragment: string): void {
  memory.set(meetingId, fragment);
  try {
    page.sessionStorage.setItem(slot(meetingId), fragment);
  } catch {
    // Storage is blocked: the link holds until the page is closed or loaded anew.
  }
}

function kept(page: Page, meetingId: string): string {
  const remembered = memory.get(meetingId);
  if (remembered !== undefined) return remembered;
  try {
    return page.sessionStorage.getItem(slot(meetingId)) ?? "";
  } catch {
    return "";
  }
}

/** The fragment of this page's address, or the one that was taken from it before. */
export function takeFragment(meetingId: string, page: Page = window): Fragment {
  const { hash, pathname, search, href } = page.location;
  const seen = parseFragment(hash);
  // An empty fragment has no `hash`, but its sign is in the address.
  if (hash !== "" || href.endsWith("#")) {
    page.history.replaceState(page.history.state, "", `${pathname}${search}`);
  }
  if (seen.type === "link") {
    keep(page, meetingId, formatFragment(seen.link, seen.seed));
    return seen;
  }
  const before = parseFragment(kept(page, meetingId));
  return before.type === "link" ? before : seen;
}

/** For a link that came another way: from the vault, or at the door. */
export function keepFragment(meetingId: string, fragment: string, page: Page = window): void {
  keep(page, meetingId, fragment);
}

export function forgetFragment(meetingId: string, page: Page = window): void {
  memory.delete(meetingId);
  try {
    page.sessionStorage.removeItem(slot(meetingId));
  } catch {
    // Storage is blocked: nothing was kept there.
  }
}
