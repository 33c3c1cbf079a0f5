import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon, showToast } from "../../../design/index.ts";
import { useNow } from "../../../useNow.ts";
import { useIsLeading, useSealed, useSealedMeeting } from "./context.tsx";

/** By then who was expected has come; most uninvited guests are called in later. */
const AFTER_MS = 10 * 60_000;
const LOOK_MS = 15_000;

/** Some minutes into a meeting: shall anybody else come in? Asked once, one press either way. */
export function LockHint() {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const isLeading = useIsLeading();
  const isLocked = useSealed((sealed) => sealed.policy.isLocked);
  const members = useSealed((sealed) => sealed.members);
  const isSomebodyWaiting = useSealed((sealed) => sealed.door.length > 0);
  const now = useNow(LOOK_MS);
  const [isDone, setDone] = useState(false);
  const since = members.find((member) => member.isSelf)?.joinedAt ?? Number.POSITIVE_INFINITY;
  const isTime = now.getTime() - since >= AFTER_MS && members.length > 1;
  if (!isLeading || isLocked || isDone || isSomebodyWaiting || !isTime) return null;
  const lock = async () => {
    const outcome = await actions.setPolicy({ isLocked: true });
    if (outcome === "done") setDone(true);
    else showToast(t("person.failed"));
  };
  return (
    <div className="banner banner--paper">
      <Icon name="lock" />
      <span className="grow">{t("room.lockHint", { count: members.length })}</span>
      <Button size="dense" onPress={() => setDone(true)}>
        {t("room.lockNotNow")}
      </Button>
      <Button size="dense" variant="primary" onPress={() => void lock()}>
        {t("room.lock")}
      </Button>
    </div>
  );
}
