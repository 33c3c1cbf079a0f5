import { type ComponentType, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { showToast } from "../../../design/index.ts";
import { withLaterTexts } from "../../../i18n/index.ts";
import { useMeeting, useView } from "../components/context.tsx";
import { useSealedMeeting } from "../sealed/context.tsx";
import type { Material } from "./build.ts";
import { type Frame, framesNow } from "./frames.ts";
import type { ReportDialogProps } from "./ReportDialog.tsx";
import {
  callEvents,
  goneSince,
  groupEvents,
  NOTHING_YET,
  noticeEvent,
  type Recent,
  remember,
} from "./recent.ts";

/** What was on the page when Report was pressed. */
export interface Moment extends Material {
  readonly frames: readonly Frame[];
}

/** Remembers the last minute while the page is there; makes a report of it when asked. */
export function Report() {
  const { view } = useMeeting();
  const recent = useRecent();
  const isOpen = useView((state) => state.dialog === "report");
  if (!isOpen) return null;
  return <Reporting recent={recent} onClose={() => view.show(null)} />;
}

/** In a variable of the page: nothing is stored, and nothing draws again because of it. */
function useRecent(): { readonly current: Recent } {
  const { session } = useMeeting();
  const sealed = useSealedMeeting();
  const recent = useRef(NOTHING_YET);
  useEffect(() => {
    const keep = (
      ...fresh: Parameters<typeof remember> extends [Recent, ...infer R] ? R : never
    ) => {
      recent.current = remember(recent.current, ...fresh);
    };
    const forgetCall = session.store.subscribe((call, before) => {
      const now = Date.now();
      const events = callEvents(before, call, now);
      if (events.length > 0) keep(now, events);
    });
    const forgetGroup = sealed.store.subscribe((group, before) => {
      const now = Date.now();
      const events = groupEvents(before, group, now);
      const gone = goneSince(before, group, now);
      if (events.length + gone.length > 0) keep(now, events, gone);
    });
    const forgetNotices = sealed.onNotice((notice) => {
      const now = Date.now();
      const event = noticeEvent(notice, now);
      if (event !== null) keep(now, [event]);
    });
    return () => {
      forgetCall();
      forgetGroup();
      forgetNotices();
    };
  }, [session, sealed]);
  return recent;
}

/** The moment is held before the dialog's code is there: by then it may be over. */
function Reporting({ recent, onClose }: { recent: { readonly current: Recent }; onClose(): void }) {
  const { t } = useTranslation("sealed");
  const { meetingId, view } = useMeeting();
  const { store, witness } = useSealedMeeting();
  const [moment] = useState((): Moment => {
    const at = Date.now();
    return {
      meetingId,
      sealed: store.getState(),
      witnessed: witness.store.getState(),
      recent: remember(recent.current, at),
      at,
      frames: framesNow(document, at),
    };
  });
  const [about] = useState(() => view.getState().reportAbout);
  const [Dialog, setDialog] = useState<ComponentType<ReportDialogProps> | null>(null);
  const failed = useRef(() => {});
  failed.current = () => {
    onClose();
    showToast(t("report.notLoaded"));
  };
  useEffect(() => {
    let isHere = true;
    withLaterTexts(import("./ReportDialog.tsx")).then(
      (loaded) => isHere && setDialog(() => loaded.default),
      () => isHere && failed.current(),
    );
    return () => {
      isHere = false;
    };
  }, []);
  return (
    Dialog && <Dialog moment={moment} about={about} sign={witness.signReport} onClose={onClose} />
  );
}
