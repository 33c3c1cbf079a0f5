import { Activity, type ComponentType, useEffect, useRef, useState } from "react";
import { JoinPage } from "../features/join/JoinPage.tsx";
import { LeavePage } from "../features/join/LeavePage.tsx";
import type { EnteredMeeting, LeaveReason } from "../features/meeting/contract.ts";
import type { MeetingProps } from "../features/meeting/index.tsx";
import { meetingPath } from "../links.ts";
import { GuestFrame } from "./frames.tsx";

type Timer = ReturnType<typeof setTimeout>;
type Stage = { at: "door" } | { at: "inside" } | { at: "left"; reason: LeaveReason };

/** The meeting's page and the session that it shows: for one visit, not yet on its way. */
interface Visit {
  Page: ComponentType<MeetingProps>;
  session: MeetingProps["session"];
  warmUp(): Promise<void>;
}

async function prepareVisit(): Promise<Visit> {
  const { default: Page, openSession, warmUp } = await import("../features/meeting/index.tsx");
  return { Page, session: openSession(), warmUp };
}

const PREPARE_AFTER_MS = 300;
/** By then the request for the room is on its way, and the page is shown while it is answered. */
const SHOW_AFTER_MS = 40;

/** `/m/<id>`: the door, the meeting, and what stands there afterwards, all at one address. */
export function MeetingRoute({ meetingId }: { meetingId: string }) {
  const [stage, setStage] = useState<Stage>({ at: "door" });
  const [visit, setVisit] = useState<Visit | null>(null);
  const entering = useRef<{ session: Visit["session"]; timer: Timer } | null>(null);
  const { at } = stage;

  // The meeting's code comes and its page is drawn, unseen, while the person looks into the
  // mirror: at Join only the network is left to wait for.
  useEffect(() => {
    if (at !== "door") return;
    let isHere = true;
    const timer = setTimeout(() => {
      prepareVisit().then((prepared) => {
        if (!isHere) return;
        setVisit(prepared);
        void prepared.warmUp();
        // The code that did not come now is asked for again at Join.
      }, ignore);
    }, PREPARE_AFTER_MS);
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [at]);

  // The page itself leaves when it goes away. Until it is shown, that is up to us.
  useEffect(
    () => () => {
      if (entering.current === null) return;
      clearTimeout(entering.current.timer);
      void entering.current.session.leave();
    },
    [],
  );

  function enter(entered: EnteredMeeting): void {
    if (visit !== null) {
      const { session } = visit;
      session.start(entered);
      const timer = setTimeout(() => {
        entering.current = null;
        setStage({ at: "inside" });
      }, SHOW_AFTER_MS);
      entering.current = { session, timer };
      return;
    }
    setStage({ at: "inside" });
    prepareVisit().then(
      (prepared) => {
        prepared.session.start(entered);
        setVisit(prepared);
      },
      (error: unknown) =>
        setStage(() => {
          // For the boundary around the pages, which offers to load anew.
          throw error;
        }),
    );
  }

  function leave(reason: LeaveReason): void {
    setVisit(null);
    setStage({ at: "left", reason });
  }

  return (
    <>
      {stage.at !== "inside" && (
        <GuestFrame>
          {stage.at === "left" ? (
            <LeavePage reason={stage.reason} onAgain={() => setStage({ at: "door" })} />
          ) : (
            <JoinPage meetingId={meetingId} onEnter={enter} />
          )}
        </GuestFrame>
      )}
      {stage.at === "inside" && visit === null && <div className="on-stage waiting" />}
      {visit !== null && (
        <Activity mode={stage.at === "inside" ? "visible" : "hidden"}>
          <visit.Page
            session={visit.session}
            meetingId={meetingId}
            guestLink={location.origin + meetingPath(meetingId)}
            onLeave={leave}
          />
        </Activity>
      )}
    </>
  );
}

const ignore = () => undefined;
