import { useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useEndMeeting } from "../../../api/queries.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import { Button, Choices, Dialog, Icon } from "../../../design/index.ts";
import { isProven } from "../model/proof.ts";
import { useIsHost, useSealed, useSealedMeeting } from "../sealed/context.tsx";
import { useMeeting, useView } from "./context.tsx";
import { PHONE, useMatch } from "./hooks.ts";

/** Leads on: no identity is empty. */
const NOBODY = "";
const MOST_HEIRS = 12;

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
  const { actions } = useSealedMeeting();
  const members = useSealed((sealed) => sealed.members);
  const others = members.filter(({ isSelf, isLeaving, name }) => !isSelf && !isLeaving && name);
  const isAlone = !others.some(({ role }) => role !== "member");
  // Whose name is proven first; who is not among them can be named in the list of people.
  const heirs = [...others]
    .sort((a, b) => Number(isProven(b)) - Number(isProven(a)))
    .slice(0, MOST_HEIRS);
  const [chosen, setChosen] = useState(NOBODY);
  const isOpen = useView((state) => state.dialog === "leave");
  const end = useEndMeeting();
  const errorText = useErrorText();
  const [problem, setProblem] = useState<string | null>(null);
  const [isHanding, setHanding] = useState(false);
  const leave = async () => {
    const heir = others.find(({ identity }) => identity === chosen);
    if (heir !== undefined) {
      setHanding(true);
      const outcome = await actions.setCohost(heir.identity, true);
      setHanding(false);
      if (outcome !== "done") {
        setProblem(t("leave.notHanded", { name: heir.name }));
        return;
      }
    }
    await session.leave();
  };
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
              end.mutate(meetingId, {
                onError: (error) => setProblem(t("leave.failed", { problem: errorText(error) })),
              })
            }
          >
            {t("leave.end")}
          </Button>
          <Button variant="danger" isBusy={isHanding} onPress={() => void leave()}>
            {t("leave.leave")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t(isKept ? "leave.textKept" : "leave.text")}</p>
      {isAlone && others.length > 0 && (
        <div className="dialog__form">
          <Choices
            label={t("leave.handOver")}
            values={[NOBODY, ...heirs.map(({ identity }) => identity)]}
            value={chosen}
            onChange={setChosen}
            textOf={(one) =>
              others.find(({ identity }) => identity === one)?.name ?? t("leave.nobody")
            }
          />
        </div>
      )}
      <p className="dialog__text c-danger" role="alert">
        {problem ?? ""}
      </p>
    </Dialog>
  );
}
