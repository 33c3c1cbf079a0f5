import { useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useEndMeeting } from "../../../api/queries.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import { Button, Dialog, Icon } from "../../../design/index.ts";
import { useIsHost } from "../sealed/context.tsx";
import { useMeeting, useView } from "./context.tsx";
import { PHONE, useMatch } from "./hooks.ts";

/** The way out. A guest is out at one press; a host is asked one question. */
export function LeaveControl() {
  const { t } = useTranslation("meeting");
  const { session, view } = useMeeting();
  const isHost = useIsHost();
  const isPhone = useMatch(PHONE);
  return (
    <>
      <AriaButton
        className="leave"
        onPress={() => (isHost ? view.show("leave") : void session.leave())}
      >
        <Icon name="leave" />
        <span className="leave__label">
          {t(isPhone ? "controls.leaveShort" : "controls.leave")}
        </span>
      </AriaButton>
      {isHost && <LeaveDialog />}
    </>
  );
}

function LeaveDialog() {
  const { t } = useTranslation("meeting");
  const { session, view, meetingId, isKept } = useMeeting();
  const isOpen = useView((state) => state.dialog === "leave");
  const end = useEndMeeting();
  const errorText = useErrorText();
  const [problem, setProblem] = useState<string | null>(null);
  const close = () => {
    setProblem(null);
    view.show(null);
  };
  return (
    <Dialog
      title={t("leave.title")}
      isOpen={isOpen}
      onClose={close}
      actions={
        <>
          <Button onPress={close}>{t("leave.stay")}</Button>
          <Button
            variant="danger-line"
            isBusy={end.isPending}
            onPress={() =>
              end.mutate(meetingId, { onError: (error) => setProblem(errorText(error)) })
            }
          >
            {t("leave.end")}
          </Button>
          <Button variant="danger" onPress={() => void session.leave()}>
            {t("leave.leave")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t(isKept ? "leave.textKept" : "leave.text")}</p>
      <p className="dialog__text c-danger" role="alert">
        {problem === null ? "" : t("leave.failed", { problem })}
      </p>
    </Dialog>
  );
}
