/**
 * The meeting page: made while the person stands at the door, shown when they go in, and gives
 * back the reason when the call is over. Must never join a meeting or ask for a name itself.
 */

import { useEffect, useMemo, useRef, useState } from "react";
import "./css/stage.css";
import "./css/bar.css";
import "./css/panel.css";
import "./css/sealed.css";
import "./css/figures.css";
// Last: what narrow windows change of the others.
import "./css/narrow.css";
import type { SealedMeeting } from "../../sealing/contract.ts";
import { readSetting, writeSetting } from "../../storage.ts";
import type { RenderInvite } from "../invite/contract.ts";
import { MeetingProvider } from "./components/context.tsx";
import { MeetingPage } from "./components/MeetingPage.tsx";
import type { LeaveReason } from "./contract.ts";
import type { CallSession } from "./model/sessionPorts.ts";
import { createViewStore } from "./model/view.ts";
import { SealedProvider } from "./sealed/context.tsx";

export { openSession } from "./model/browser.ts";
export { warmUp } from "./warmUp.tsx";

export interface MeetingProps {
  /** One session for one visit; drawn before it has started, the page is hidden. */
  session: CallSession;
  sealed: SealedMeeting;
  meetingId: string;
  /** The link that guests open. */
  guestLink: string;
  /** The dialog of personal links; null for who is not signed in. */
  invite: RenderInvite | null;
  /** Planned, or with a link that stays. */
  isKept: boolean;
  /** Called once, after the meeting has let go of its devices and its connection. */
  onLeave(reason: LeaveReason): void;
}

export default function Meeting(props: MeetingProps) {
  const [view] = useState(() => createViewStore({ read: readSetting, write: writeSetting }));
  const { session, sealed, meetingId, guestLink, invite, isKept } = props;
  const onLeave = useRef(props.onLeave);
  onLeave.current = props.onLeave;

  useEffect(() => {
    let isMounted = true;
    void session.ended.then((reason) => isMounted && onLeave.current(reason));
    return () => {
      isMounted = false;
    };
  }, [session]);
  useLeaveOnUnmount(session);

  const meeting = useMemo(
    () => ({ session, view, meetingId, guestLink, invite, isKept }),
    [session, view, meetingId, guestLink, invite, isKept],
  );
  return (
    <MeetingProvider value={meeting}>
      <SealedProvider value={sealed}>
        <MeetingPage />
      </SealedProvider>
    </MeetingProvider>
  );
}

/** Going back in the browser leaves the call. A second mount right after (strict mode) does not. */
function useLeaveOnUnmount(session: CallSession): void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    clearTimeout(timer.current);
    return () => {
      timer.current = setTimeout(() => void session.leave(), 0);
    };
  }, [session]);
}
