/**
 * What the viewer has chosen on the meeting page: view, pins, page, panel, dialogs. Lives as long
 * as the page; the two choices about keys and self view are kept in this browser.
 */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { StageChoices, ViewChoice } from "./stage.ts";

export type DialogName = "seal" | "shortcuts" | "devices" | "leave" | "self" | "clean" | "report";

export interface View extends StageChoices {
  readonly panel: "people" | "chat" | "figures" | null;
  /** Whom the next chat message is for, as another part of the page has named them. */
  readonly chatTo: string | null;
  readonly dialog: DialogName | null;
  /** Whom a report is to be about, as another part of the page has named them. */
  readonly reportAbout: string | null;
  readonly isSelfHidden: boolean;
  readonly areSingleKeysOn: boolean;
  /** The bar that says why the room is not sealed has been folded to the badge. */
  readonly isNoticeFolded: boolean;
}

export interface ViewStore extends StoreApi<View> {
  togglePin(identity: string): void;
  enlarge(identity: string | null): void;
  setView(view: ViewChoice): void;
  turnPage(by: number, pages: number): void;
  setPanel(panel: View["panel"]): void;
  show(dialog: DialogName | null): void;
}

/** What this browser remembers: only what differs from the usual is written down. */
export interface Keep {
  read(setting: "selfHidden" | "singleKeys"): string | null;
  write(setting: "selfHidden" | "singleKeys", value: string | null): void;
}

export function createViewStore(keep: Keep): ViewStore {
  const store = createStore<View>(() => ({
    view: "automatic",
    enlarged: null,
    pinned: [],
    page: 0,
    wantsMany: false,
    panel: null,
    chatTo: null,
    dialog: null,
    reportAbout: null,
    isSelfHidden: keep.read("selfHidden") === "yes",
    areSingleKeysOn: keep.read("singleKeys") !== "no",
    isNoticeFolded: false,
  }));
  store.subscribe((now, before) => {
    if (now.isSelfHidden !== before.isSelfHidden) {
      keep.write("selfHidden", now.isSelfHidden ? "yes" : null);
    }
    if (now.areSingleKeysOn !== before.areSingleKeysOn) {
      keep.write("singleKeys", now.areSingleKeysOn ? null : "no");
    }
  });
  return {
    ...store,
    togglePin(identity) {
      store.setState(({ pinned }) => ({
        pinned: pinned.includes(identity)
          ? pinned.filter((other) => other !== identity)
          : [...pinned, identity],
        page: 0,
      }));
    },
    enlarge: (enlarged) => store.setState({ enlarged, page: 0 }),
    setView: (view) => store.setState({ view, enlarged: null, page: 0 }),
    turnPage(by, pages) {
      store.setState(({ page }) => ({ page: Math.min(Math.max(page + by, 0), pages - 1) }));
    },
    setPanel: (panel) => store.setState({ panel }),
    show: (dialog) => store.setState({ dialog }),
  };
}
