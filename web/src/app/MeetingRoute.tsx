import { type ComponentType, lazy, Suspense, useEffect, useState } from "react";
import { JoinPage } from "../features/join/JoinPage.tsx";
import { LeavePage } from "../features/join/LeavePage.tsx";
import type { LeaveReason, MeetingPageProps } from "../features/meeting/contract.ts";
import { GuestFrame } from "./frames.tsx";

/** The page itself once it is there: drawn through `lazy`, React would hold it back for 300 ms. */
let loadedPage: ComponentType<MeetingPageProps> | null = null;

const loadMeeting = async () => {
  const page = await import("../features/meeting/index.tsx");
  loadedPage = page.default;
  return page;
};
const LazyMeetingPage = lazy(loadMeeting);

type Entered = Omit<MeetingPageProps, "onLeave">;

type Stage =
  | { at: "door" }
  | { at: "inside"; entered: Entered; page: ComponentType<MeetingPageProps> }
  | { at: "left"; reason: LeaveReason };

/** `/m/<id>`: the door, the meeting, and what stands there afterwards, all at one address. */
export function MeetingRoute({ meetingId }: { meetingId: string }) {
  const [stage, setStage] = useState<Stage>({ at: "door" });

  // The meeting's code comes while the person looks into the mirror, so that Join is quick.
  useEffect(() => {
    const timer = setTimeout(() => void loadMeeting().catch(() => undefined), 300);
    return () => clearTimeout(timer);
  }, []);

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
        <JoinPage
          meetingId={meetingId}
          onEnter={(entered) =>
            setStage({ at: "inside", entered, page: loadedPage ?? LazyMeetingPage })
          }
        />
      )}
    </GuestFrame>
  );
}
