import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { asApiError } from "../../api/errors.ts";
import { useOpenMeeting } from "../../api/queries.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, CalmPage, useSlowly } from "../../design/index.ts";
import type { SealedPhase } from "../../sealing/contract.ts";
import { Door, type DoorProps } from "./components/Door.tsx";
import { Lobby } from "./components/Lobby.tsx";
import { createBrowserPort } from "./media/browser.ts";
import type { MediaPort } from "./model/capture.ts";
import { useCapture } from "./useCapture.ts";

export interface JoinPageProps
  extends Pick<
    DoorProps,
    | "title"
    | "guestLink"
    | "fragment"
    | "personal"
    | "planned"
    | "isEntering"
    | "isCrowded"
    | "problem"
    | "onEnter"
  > {
  meetingId: string;
  /** A personal link that opens nothing any more, and why. */
  deadLink?: DeadLink | null;
  /** Standing at the door of a room whose host lets people in. */
  waiting: Extract<SealedPhase, { type: "waiting" }> | null;
  onStopWaiting(): void;
  /** A line to the host while one waits; false: it did not go out. */
  onNote?(text: string): Promise<boolean>;
  /** Where microphones and cameras come from; the browser, but in tests. */
  createPort?: () => MediaPort;
}

/** `/m/<id>` before the meeting: is there a room, and if so, its door. */
export function JoinPage({
  meetingId,
  deadLink = null,
  createPort = createBrowserPort,
  ...door
}: JoinPageProps) {
  const { t } = useTranslation("join");
  const meeting = useOpenMeeting(meetingId);
  const isSlow = useSlowly();

  if (meeting.data && !(meeting.isError && asApiError(meeting.error).status === 404)) {
    if (deadLink !== null) return <NoEntry why={deadLink} />;
    return <OpenDoor {...door} meeting={meeting.data} createPort={createPort} />;
  }
  if (meeting.isError) {
    return asApiError(meeting.error).status === 404 ? (
      <NoRoom />
    ) : (
      <Unreachable error={meeting.error} onRetry={() => void meeting.refetch()} />
    );
  }
  return (
    <main id="main" className="calm">
      {isSlow && <p role="status">{t("looking")}</p>}
    </main>
  );
}

type OpenDoorProps = Omit<DoorProps, "capture"> &
  Pick<JoinPageProps, "waiting" | "onStopWaiting" | "onNote"> & { createPort: () => MediaPort };

/** Asks for microphone and camera only where there is a room to go into. */
function OpenDoor({ createPort, waiting, onStopWaiting, onNote, ...door }: OpenDoorProps) {
  const capture = useCapture(createPort);
  if (capture === null) return null;
  if (waiting === null) return <Door {...door} capture={capture} />;
  const { members, words, note, canWrite } = waiting;
  return (
    <Lobby
      members={members}
      words={words}
      isInvited={door.meeting.entry === "invited"}
      personal={door.personal}
      planned={door.planned}
      hasWholeLink={door.fragment === "whole"}
      capture={capture}
      note={note}
      onNote={canWrite && onNote !== undefined ? onNote : null}
      onStop={onStopWaiting}
    />
  );
}

export type DeadLink = "revoked" | "expired" | "unknown";

/** A personal link that leads nowhere: why, and whom to ask. */
function NoEntry({ why }: { why: DeadLink }) {
  const { t } = useTranslation(["join", "common"]);
  const [, navigate] = useLocation();
  return (
    <CalmPage
      title={t(`personal.${why}Title`)}
      icon={why === "expired" ? "clock" : "keyhole"}
      heading={t(`personal.${why}Heading`)}
      text={t(`personal.${why}Text`)}
      actions={
        <Button variant="primary" onPress={() => navigate("/")}>
          {t("common:toStart")}
        </Button>
      }
    />
  );
}

function NoRoom() {
  const { t } = useTranslation(["join", "common"]);
  const [, navigate] = useLocation();
  return (
    <CalmPage
      title={t("closed.title")}
      icon="seal-outline"
      heading={t("closed.heading")}
      text={t("closed.text")}
      actions={
        <Button variant="primary" onPress={() => navigate("/")}>
          {t("common:toStart")}
        </Button>
      }
    />
  );
}

function Unreachable({ error, onRetry }: { error: unknown; onRetry(): void }) {
  const { t } = useTranslation(["join", "common"]);
  const errorText = useErrorText();
  return (
    <CalmPage
      title={t("unreachable.title")}
      icon="alert"
      heading={t("unreachable.heading")}
      text={<p role="alert">{errorText(error)}</p>}
      actions={
        <Button variant="primary" onPress={onRetry}>
          {t("common:retry")}
        </Button>
      }
    />
  );
}
