import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { announce, announceNow, showToast } from "../../../design/index.ts";
import type { SealedMeeting } from "../../../sealing/contract.ts";
import {
  type Announcement,
  type AnnouncerState,
  type AnnouncerStep,
  type CallEvent,
  flush,
  GATHER_MS,
  hear,
  SILENT,
  summarize,
} from "../model/announce.ts";
import { type CallNotice, selfOf } from "../model/call.ts";
import { useSealedMeeting } from "../sealed/context.tsx";
import { type Meeting, useMeeting } from "./context.tsx";

type Words = ReturnType<typeof useTranslation<"meeting">>["t"];

function wordsOf(t: Words, { key, params }: Announcement): string {
  // The keys are those of `model/announce.ts`; a test holds them to the message catalogue.
  return (t as (key: string, params: object) => string)(`announce.${key}`, params);
}

/** Says several things in one breath, as urgently as the most urgent of them. */
function speak(t: Words, said: readonly Announcement[]): void {
  if (said.length === 0) return;
  const isUrgent = said.some(({ politeness }) => politeness === "assertive");
  (isUrgent ? announceNow : announce)(said.map((one) => wordsOf(t, one)).join(" "));
}

export function saySummary(t: Words, { session }: Meeting, { store }: SealedMeeting): void {
  const { people } = session.store.getState();
  const { type } = store.getState().seal;
  speak(
    t,
    summarize({
      speaking: people.filter((person) => person.isSpeaking).map((person) => person.name),
      muted: people.filter((person) => !person.isMicrophoneOn).length,
      people: people.length,
      isSealed:
        type === "sealed" ? true : type === "not-sealed" || type === "broken" ? false : null,
    }),
  );
}

const TOASTS = {
  "share-refused": "toast.shareRefused",
  "muted-by-host": "toast.mutedByHost",
} as const;
const REFUSED = {
  microphone: "toast.microphoneRefused",
  camera: "toast.cameraRefused",
  speaker: "toast.speakerRefused",
} as const;
const NOT_PERMITTED = {
  microphone: "reason.mic-not-permitted",
  camera: "reason.cam-not-permitted",
  screen: "controls.shareNotAllowed",
} as const;
const GONE = { microphone: "toast.microphoneGone", camera: "toast.cameraGone" } as const;

function toastFor(t: Words, notice: CallNotice): string | null {
  switch (notice.type) {
    case "share-refused":
    case "muted-by-host":
      return t(TOASTS[notice.type]);
    case "share-taken":
      return t("controls.shareTaken", { name: notice.name });
    case "device-refused":
      return t(REFUSED[notice.device]);
    case "device-gone":
      return t(GONE[notice.device]);
    case "not-permitted":
      return t(NOT_PERMITTED[notice.device]);
    default:
      return null;
  }
}

function eventOf(notice: CallNotice): CallEvent | null {
  switch (notice.type) {
    case "share-refused":
    case "share-taken":
    case "device-refused":
    case "device-gone":
    case "not-permitted":
      return null;
    case "share-started":
    case "share-stopped":
      // One knows oneself.
      return notice.isSelf ? null : notice;
    default:
      return notice;
  }
}

/** A connection goes to and fro: said once in a while is enough. */
const WEAK_AGAIN_MS = 60_000;

/** Turns what happens in the call into spoken words and short messages. */
export function useNotices(): void {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const sealed = useSealedMeeting();
  useEffect(() => {
    let state: AnnouncerState = SILENT;
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const take = (step: AnnouncerStep) => {
      state = step.state;
      speak(t, step.say);
    };
    const tell = (event: CallEvent) => {
      const isIdle = state.dueAt === null;
      take(hear(state, event, Date.now()));
      if (isIdle && state.dueAt !== null) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          take(flush(state, session.store.getState().people.length, Date.now() + 1));
        }, GATHER_MS);
        timers.add(timer);
      }
    };
    const forgetCall = session.onNotice((notice) => {
      const toast = toastFor(t, notice);
      if (toast !== null) showToast(toast);
      const event = eventOf(notice);
      if (event !== null) tell(event);
    });
    let toldWeakAt = Number.NEGATIVE_INFINITY;
    const forgetQuality = session.store.subscribe((call, before) => {
      const isNews = selfOf(call)?.quality === "weak" && selfOf(before)?.quality !== "weak";
      if (isNews && Date.now() - toldWeakAt > WEAK_AGAIN_MS) {
        toldWeakAt = Date.now();
        announce(t("announce.ownWeak"));
      }
    });
    // Who comes and goes is the group's to say.
    const forgetGroup = sealed.onNotice(({ type, ...who }) => {
      if (type === "member-joined" || type === "member-left") {
        const { identity, name } = who as { identity: string; name: string };
        tell({ type: type === "member-joined" ? "joined" : "left", identity, name });
      }
    });
    return () => {
      forgetCall();
      forgetQuality();
      forgetGroup();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [session, sealed, t]);
}
