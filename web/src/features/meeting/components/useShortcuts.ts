import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { SealedMeeting } from "../../../sealing/contract.ts";
import { othersOf, selfOf } from "../model/call.ts";
import {
  type Focus,
  HOLD_MS,
  NOT_TALKING,
  type PushToTalkInput,
  pushToTalk,
  type ShortcutAction,
  shortcutFor,
} from "../model/shortcuts.ts";
import { isSpeakerView } from "../model/stage.ts";
import { selfOf as selfIn, useSealedMeeting } from "../sealed/context.tsx";
import { type Meeting, useMeeting } from "./context.tsx";
import { toggleFullscreen } from "./hooks.ts";
import { IS_MAC } from "./platform.ts";
import { saySummary } from "./useNotices.ts";

const FIELDS = "input, textarea, select, [contenteditable], [role=textbox], [role=searchbox]";
const OVERLAYS = "[role=dialog], [role=alertdialog], [role=menu], [role=listbox]";
const BUTTONS = "button, a, [role=button], [role=switch]";

function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof Element)) return "stage";
  if (target.closest(FIELDS)) return "field";
  if (target.closest(OVERLAYS) || document.querySelector(".scrim")) return "overlay";
  return target.closest(".panel") ? "panel" : "stage";
}

/** Moves the focus to the next region of the page: top, stage, controls, panel. */
function moveRegion(by: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")];
  const now = regions.findIndex((region) => region.contains(document.activeElement));
  const next = now === -1 ? (by === 1 ? 0 : regions.length - 1) : now + by;
  regions[(next + regions.length) % regions.length]?.focus();
}

/** The tiles as they stand on the screen: person one is at the top left. */
function identityAt(index: number): string | null {
  const tiles = [...document.querySelectorAll(".tile[data-identity]")];
  return tiles[index]?.getAttribute("data-identity") ?? null;
}

function act(
  action: ShortcutAction,
  meeting: Meeting,
  sealed: SealedMeeting,
  say: () => void,
): void {
  const { session, view } = meeting;
  const call = session.store.getState();
  const state = view.getState();
  const carryOut: Record<ShortcutAction["type"], () => unknown> = {
    "toggle-microphone": () => session.media.setMicrophone(call.microphone.state !== "on"),
    "toggle-camera": () => session.media.setCamera(call.camera.state !== "on"),
    "toggle-people": () => view.setPanel(state.panel === "people" ? null : "people"),
    "toggle-chat": () => view.setPanel(state.panel === "chat" ? null : "chat"),
    "toggle-figures": () => view.setPanel(state.panel === "figures" ? null : "figures"),
    "toggle-hand": () => sealed.actions.setHand(handOf(sealed) === null),
    "toggle-view": () =>
      view.setView(isSpeakerView(state.view, othersOf(call).length) ? "grid" : "speaker"),
    "toggle-share": () =>
      call.canShare &&
      call.shareState !== "choosing" &&
      session.media.setShare(call.shareState !== "on"),
    "toggle-fullscreen": () => document.fullscreenEnabled && toggleFullscreen(),
    enlarge: () =>
      action.type === "enlarge" && view.enlarge(identityAt(action.index) ?? state.enlarged),
    "enlarge-nobody": () => view.enlarge(null),
    page: () => action.type === "page" && turnPage(action.by),
    region: () => action.type === "region" && moveRegion(action.by),
    summary: say,
    freeze: () => {
      if ((selfIn(sealed.store.getState())?.role ?? "member") === "member") return;
      void sealed.actions.freeze(true);
      view.show("clean");
    },
    "show-shortcuts": () => view.show("shortcuts"),
    close: () => (state.panel === null ? view.enlarge(null) : view.setPanel(null)),
  };
  void carryOut[action.type]();
}

const handOf = ({ store }: SealedMeeting) => selfIn(store.getState())?.handPlace ?? null;

/** The pager knows how many pages there are; its buttons stop at the ends. */
function turnPage(by: 1 | -1): void {
  const buttons = document.querySelectorAll<HTMLElement>(".pager button");
  buttons[by === 1 ? buttons.length - 1 : 0]?.click();
}

/** The keyboard of the meeting page: `model/shortcuts.ts` decides, this carries out. */
export function useShortcuts(): void {
  const { t } = useTranslation("meeting");
  const meeting = useMeeting();
  const sealed = useSealedMeeting();
  useEffect(() => {
    const { session, view } = meeting;
    let talking = NOT_TALKING;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isMuted = () => selfOf(session.store.getState())?.isMicrophoneOn !== true;
    const talk = (input: PushToTalkInput) => {
      const step = pushToTalk(talking, input, isMuted(), Date.now());
      talking = step.state;
      if (step.microphone !== null) void session.media.setMicrophone(step.microphone === "open");
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const focus = focusOf(event.target);
      const { areSingleKeysOn } = view.getState();
      const isOnButton = event.target instanceof Element && event.target.closest(BUTTONS) !== null;
      if (event.key === " " && focus === "stage" && areSingleKeysOn && !isOnButton) {
        event.preventDefault();
        event.stopPropagation();
        if (event.repeat) return;
        talk("down");
        clearTimeout(timer);
        timer = setTimeout(() => talk("tick"), HOLD_MS);
        return;
      }
      const action = shortcutFor(event, { focus, areSingleKeysOn, isMac: IS_MAC });
      if (action === null) return;
      // Escape also belongs to whatever is open on top; the list of tiles must not jump by letter.
      if (action.type !== "close") {
        event.preventDefault();
        event.stopPropagation();
      }
      act(action, meeting, sealed, () => saySummary(t, meeting, sealed));
    };
    const onKeyUp = (event: KeyboardEvent) => {
      if (event.key === " ") {
        clearTimeout(timer);
        talk("up");
      }
    };
    const onBlur = () => {
      clearTimeout(timer);
      talk("cancel");
    };
    addEventListener("keydown", onKeyDown, true);
    addEventListener("keyup", onKeyUp, true);
    addEventListener("blur", onBlur);
    return () => {
      onBlur();
      removeEventListener("keydown", onKeyDown, true);
      removeEventListener("keyup", onKeyUp, true);
      removeEventListener("blur", onBlur);
    };
  }, [meeting, sealed, t]);
}
