/**
 * The meeting page: takes over from the pre-join page with a connection and running devices, and
 * gives back the reason when the call is over. Must never join a meeting or ask for a name itself.
 */

import { useEffect, useMemo, useRef, useState } from "react";
import "./css/stage.css";
import "./css/bar.css";
import "./css/panel.css";
// Last: what narrow windows change of the others.
import "./css/narrow.css";
import { readSetting, writeSetting } from "../../storage.ts";
import { MeetingProvider } from "./components/context.tsx";
import { MeetingPage } from "./components/MeetingPage.tsx";
import type { EnteredMeeting, MeetingConnection, MeetingPageProps } from "./contract.ts";
import { openSession } from "./model/browser.ts";
import type { CallSession } from "./model/session.ts";
import { createViewStore } from "./model/view.ts";

export { warmUp } from "./warmUp.tsx";

/** One session for one connection, however often the page is drawn or mounted. */
const sessions = new WeakMap<MeetingConnection, CallSession>();

/** Sets out for the room. Called before the page is drawn, so that the network need not wait. */
export function begin(entered: EnteredMeeting): CallSession {
  const known = sessions.get(entered.connection);
  if (known !== undefined) return known;
  const session = openSession(entered);
  sessions.set(entered.connection, session);
  session.start();
  return session;
}

export default function Meeting(props: MeetingPageProps) {
  const [session] = useState(() => begin(props));
  const [view] = useState(() => createViewStore({ read: readSetting, write: writeSetting }));
  const { meetingId, guestLink } = props;
  const { role } = props.connection;
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
    () => ({ session, view, meetingId, guestLink, role }),
    [session, view, meetingId, guestLink, role],
  );
  return (
    <MeetingProvider value={meeting}>
      <MeetingPage />
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
