import { type ComponentType, lazy, Suspense, startTransition, useEffect, useState } from "react";
import { JoinPage } from "../features/join/JoinPage.tsx";
import { LeavePage } from "../features/join/LeavePage.tsx";
import type {
  EnteredMeeting,
  LeaveReason,
  MeetingPageProps,
} from "../features/meeting/contract.ts";
import { GuestFrame } from "./frames.tsx";

type Meeting = typeof import("../features/meeting/index.tsx");

/** The page itself once it is there: drawn through `lazy`, React would hold it back for 300 ms. */
let loaded: Meeting | null = null;

const loadMeeting = async () => {
  loaded ??= await import("../features/meeting/index.tsx");
  return loaded;
};
const LazyMeetingPage = lazy(loadMeeting);

type Stage =
  | { at: "door" }
  | { at: "inside"; entered: EnteredMeeting; page: ComponentType<MeetingPageProps> }
  | { at: "left"; reason: LeaveReason };

/** `/m/<id>`: the door, the meeting, and what stands there afterwards, all at one address. */
export function MeetingRoute({ meetingId }: { meetingId: string }) {
  const [stage, setStage] = useState<Stage>({ at: "door" });

  // The meeting's code comes, and runs, while the person looks into the mirror: Join is quick.
  useEffect(() => {
    const timer = setTimeout(
      () => void loadMeeting().then((meeting) => meeting.warmUp(), ignore),
      300,
    );
    return () => clearTimeout(timer);
  }, []);

  function enter(entered: EnteredMeeting): void {
    if (loaded === null) {
      setStage({ at: "inside", entered, page: LazyMeetingPage });
      return;
    }
    const { default: page, begin } = loaded;
    begin(entered);
    // In small steps, between which the network's answers are dealt with.
    startTransition(() => setStage({ at: "inside", entered, page }));
  }

  if (stage.at === "inside") {
    const MeetingPage = stage.page;
    return (
      <Suspense fallback={<div className="on-stage waiting" />}>
        <MeetingPage {...stage.entered} onLeave={(reason) => setStage({ at: "left", reason })} />
      </Suspense>
    );
  }
  return (
    <GuestFrame>
      {stage.at === "left" ? (
        <LeavePage reason={stage.reason} onAgain={() => setStage({ at: "door" })} />
      ) : (
        <JoinPage meetingId={meetingId} onEnter={enter} />
      )}
    </GuestFrame>
  );
}

/** The code that did not come now is asked for again at Join. */
const ignore = () => undefined;
