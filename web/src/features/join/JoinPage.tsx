import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { asApiError } from "../../api/errors.ts";
import { useOpenMeeting } from "../../api/queries.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, CalmPage, useSlowly } from "../../design/index.ts";
import type { EnteredMeeting } from "../meeting/contract.ts";
import { Door, type DoorProps } from "./components/Door.tsx";
import { createBrowserPort } from "./media/browser.ts";
import type { MediaPort } from "./model/capture.ts";
import { useCapture } from "./useCapture.ts";

export interface JoinPageProps {
  meetingId: string;
  onEnter(entered: EnteredMeeting): void;
  /** Where microphones and cameras come from; the browser, but in tests. */
  createPort?: () => MediaPort;
}

/** `/m/<id>` before the meeting: is there a room, and if so, its door. */
export function JoinPage({ meetingId, onEnter, createPort = createBrowserPort }: JoinPageProps) {
  const { t } = useTranslation("join");
  const meeting = useOpenMeeting(meetingId);
  const isSlow = useSlowly();

  if (meeting.data && !(meeting.isError && asApiError(meeting.error).status === 404)) {
    return (
      <OpenDoor
        meeting={meeting.data}
        onEnter={onEnter}
        onGone={() => void meeting.refetch()}
        createPort={createPort}
      />
    );
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

type OpenDoorProps = Omit<DoorProps, "capture"> & { createPort: () => MediaPort };

/** Asks for microphone and camera only where there is a room to go into. */
function OpenDoor({ createPort, ...props }: OpenDoorProps) {
  const capture = useCapture(createPort);
  return capture ? <Door {...props} capture={capture} /> : null;
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
