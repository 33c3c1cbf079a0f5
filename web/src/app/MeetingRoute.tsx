import { Activity, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { asApiError } from "../api/errors.ts";
import { useOpenMeeting, useSession } from "../api/queries.ts";
import { useErrorText } from "../api/useErrorText.ts";
import { JoinPage } from "../features/join/JoinPage.tsx";
import { LeavePage } from "../features/join/LeavePage.tsx";
import type { Going, LeaveReason } from "../features/meeting/contract.ts";
import type { SealedSession } from "../sealing/session/shell.ts";
import { GuestFrame } from "./frames.tsx";
import { renderInviteFor } from "./Invite.tsx";
import { PlanAtDoor } from "./PlanAtDoor.tsx";
import { guestLinkOf, linkHere, type NoVisit, prepareVisit, type Visit } from "./visit.ts";

type Timer = ReturnType<typeof setTimeout>;
type Stage = { at: "door" } | { at: "inside" } | { at: "left"; reason: LeaveReason };

const PREPARE_AFTER_MS = 300;
/** By then the request for the room is on its way, and the page is shown while it is answered. */
const SHOW_AFTER_MS = 40;
const LOOK_AGAIN_MS = 1_500;

/** `/m/<id>`: the door, the meeting, and what stands there afterwards, all at one address. */
export function MeetingRoute({ meetingId }: { meetingId: string }) {
  const { t } = useTranslation("join");
  const [stage, setStage] = useState<Stage>({ at: "door" });
  const [fragment] = useState(() => linkHere(meetingId));
  const [visit, setVisit] = useState<Visit | null>(null);
  const [going, setGoing] = useState<Going | null>(null);
  const [problem, setProblem] = useState<"unsealable" | "unloaded" | null>(null);
  const [deadLink, setDeadLink] = useState<NoVisit | null>(null);
  const errorText = useErrorText();
  const meeting = useOpenMeeting(meetingId);
  const session = useSession();
  const isEntered = useRef(false);
  const { at } = stage;
  const facts = meeting.data;
  const user = session.data;

  // The meeting's code comes, its keys are made and its page is drawn, unseen, while the person
  // looks into the mirror: at Join only the network is left to wait for.
  useEffect(() => {
    if (at !== "door" || facts === undefined || user === undefined) return;
    let isHere = true;
    let prepared: Visit | null = null;
    const timer = setTimeout(() => {
      prepareVisit(facts, fragment, user).then(
        (made) => {
          if (typeof made === "string") {
            if (isHere) setDeadLink(made);
            return;
          }
          if (!isHere) {
            made.sealed.close();
            return;
          }
          prepared = made;
          setProblem(null);
          setVisit(made);
          void made.warmUp();
        },
        () => isHere && setProblem(isSealable() ? "unloaded" : "unsealable"),
      );
    }, PREPARE_AFTER_MS);
    return () => {
      isHere = false;
      clearTimeout(timer);
      if (!isEntered.current) prepared?.sealed.close();
    };
  }, [at, facts, user, fragment]);

  // Who presses Join before all is ready has knocked as soon as it is.
  useEffect(() => {
    if (visit === null || going === null || isEntered.current) return;
    isEntered.current = true;
    visit.sealed.start(going.name);
  }, [visit, going]);

  const phase = useSealedPhase(visit?.sealed ?? null);
  useEffect(() => {
    if (visit === null || going === null || at !== "door") return;
    let timer: Timer | undefined;
    let isHere = true;
    void visit.sealed.seated.then((seat) => {
      if (!isHere) return;
      going.preview.keep();
      visit.session.start({ ...going, sealed: visit.sealed, seat });
      timer = setTimeout(() => setStage({ at: "inside" }), SHOW_AFTER_MS);
    });
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [visit, going, at]);

  function leave(reason: LeaveReason): void {
    visit?.sealed.close();
    isEntered.current = false;
    setVisit(null);
    setGoing(null);
    setStage({ at: "left", reason });
  }

  // A door that stays shut: is there still a room behind it, and a server?
  const isKnocking = going !== null && at === "door" && (phase?.type ?? "entering") === "entering";
  const { refetch } = meeting;
  useEffect(() => {
    if (!isKnocking) return;
    const timer = setInterval(() => void refetch(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isKnocking, refetch]);

  // Refused, or over before one was in: the session never began.
  const isOver = phase?.type === "over" && at === "door";
  useEffect(() => {
    if (isOver && going !== null) {
      going.preview.stop();
      leave(isUnproven(visit?.sealed) ? "unproven" : phase.reason);
    }
  });

  // The page itself leaves when it goes away. Until it is shown, that is up to us.
  const unfinished = useRef<Visit | null>(null);
  unfinished.current = at === "door" && going !== null ? visit : null;
  useEffect(
    () => () => {
      const left = unfinished.current;
      if (left === null) return;
      void left.sealed.actions.leave().then(() => left.sealed.close());
      void left.session.leave();
    },
    [],
  );

  // Planned, or with a link that stays; until it is cancelled.
  const isGone = meeting.isError && asApiError(meeting.error).status === 404;
  const isKept = !isGone && (facts?.keep === "until" || facts?.keep === "always");
  // Was it ended for now, or for good?
  const hasEnded = stage.at === "left" && stage.reason === "ended";
  useEffect(() => {
    if (hasEnded) void refetch();
  }, [hasEnded, refetch]);

  const link = visit?.link ?? (fragment.type === "link" ? fragment.link : null);
  const guestLink = guestLinkOf(meetingId, link);
  const title = useSealedTitle(visit?.sealed ?? null);
  const userId = user?.id;
  const invite = useMemo(() => (userId === undefined ? null : renderInviteFor(userId)), [userId]);
  return (
    <>
      {stage.at !== "inside" && (
        <GuestFrame>
          {stage.at === "left" ? (
            <LeavePage
              reason={stage.reason}
              isKept={isKept}
              onAgain={() => setStage({ at: "door" })}
            />
          ) : (
            <JoinPage
              meetingId={meetingId}
              title={title}
              personal={visit?.personal ?? null}
              deadLink={deadLink}
              guestLink={guestLink}
              planned={
                visit?.plan && (
                  <PlanAtDoor
                    meetingId={meetingId}
                    plan={visit.plan}
                    link={visit.ownLink ?? guestLink}
                    isPersonal={visit.personal !== null}
                  />
                )
              }
              fragment={
                link !== null ? "whole" : fragment.type === "damaged" ? "damaged" : "missing"
              }
              isEntering={going !== null && problem === null}
              isCrowded={phase?.type === "entering" && phase.isCrowded}
              problem={
                problem !== null
                  ? t(problem)
                  : isKnocking && meeting.isError
                    ? errorText(meeting.error)
                    : null
              }
              waiting={phase?.type === "waiting" ? phase : null}
              onEnter={setGoing}
              onNote={async (text) => (await visit?.sealed.actions.sendNote(text)) === "done"}
              onStopWaiting={() => {
                going?.preview.stop();
                void visit?.sealed.actions.leave();
                leave("left");
              }}
            />
          )}
        </GuestFrame>
      )}
      {visit !== null && (
        <Activity mode={stage.at === "inside" ? "visible" : "hidden"}>
          <visit.Page
            session={visit.session}
            sealed={visit.sealed}
            meetingId={meetingId}
            guestLink={guestLink}
            invite={invite}
            isKept={isKept}
            onLeave={leave}
          />
        </Activity>
      )}
    </>
  );
}

/** The group that answered the knock was none of this link's. */
function isUnproven(sealed: SealedSession | undefined): boolean {
  const seal = sealed?.store.getState().seal;
  return seal?.type === "broken" && seal.reason === "not-our-group";
}

const isSealable = () => globalThis.crypto?.subtle !== undefined;

const NOTHING = {
  getState: () => null,
  getInitialState: () => null,
  subscribe: () => () => undefined,
};

function useSealedPhase(sealed: SealedSession | null) {
  return useStore(sealed?.store ?? NOTHING, (state) => state?.phase ?? null);
}

function useSealedTitle(sealed: SealedSession | null) {
  return useStore(sealed?.store ?? NOTHING, (state) => state?.title ?? null);
}
