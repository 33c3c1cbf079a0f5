import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { useServerFacts } from "../../api/queries.ts";
import { Button, CalmPage, type IconName } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import type { LeaveReason } from "../meeting/contract.ts";

/** The way back, where there is one. */
const AGAIN = {
  left: "left.again",
  ended: null,
  removed: null,
  elsewhere: "elsewhere.again",
  blocked: "blocked.again",
  lost: "lost.again",
  denied: "denied.again",
  revoked: null,
  expired: null,
  locked: "locked.again",
  full: "full.again",
  broken: null,
  unproven: null,
} as const;

const ICON: Record<LeaveReason, IconName> = {
  left: "leave",
  ended: "seal-outline",
  removed: "leave",
  elsewhere: "device",
  blocked: "alert",
  lost: "alert",
  denied: "keyhole",
  revoked: "keyhole",
  expired: "clock",
  locked: "lock",
  full: "people",
  broken: "seal-broken",
  unproven: "seal-broken",
};

export interface LeavePageProps {
  reason: LeaveReason;
  /** The meeting is kept: over for now, its link opens it again the next time. */
  isKept?: boolean;
  /** Back to the door. */
  onAgain(): void;
}

/** What stands in the meeting's place afterwards: why, and the one way on. */
export function LeavePage({ reason, isKept = false, onAgain }: LeavePageProps) {
  const { t } = useTranslation(["leave", "common"]);
  const [, navigate] = useLocation();
  const again = AGAIN[reason];
  return (
    <CalmPage
      title={t(`${reason}.title`)}
      icon={ICON[reason]}
      heading={t(`${reason}.heading`)}
      text={
        reason === "blocked" ? (
          <BlockedText />
        ) : reason === "ended" && isKept ? (
          t("ended.textKept")
        ) : (
          t(`${reason}.text`)
        )
      }
      actions={
        <>
          {again && (
            <Button variant="primary" onPress={onAgain}>
              {t(again)}
            </Button>
          )}
          <Button variant={again ? "quiet" : "primary"} onPress={() => navigate("/")}>
            {t("common:toStart")}
          </Button>
        </>
      }
    />
  );
}

/** Names the very ports, and the command that finds the fault. */
function BlockedText() {
  const { t } = useTranslation("leave");
  const locale = useLocale();
  const facts = useServerFacts(true);
  const ports = facts.data?.media.udp_ports ?? [];
  const list = new Intl.ListFormat(locale).format(ports.map(String));
  return (
    <div role="alert">
      <p>{ports.length > 0 ? t("blocked.text", { ports: list }) : t("blocked.textUnknown")}</p>
      <p className="calm__code">
        {t("blocked.operator")} <code>conclave doctor</code>
      </p>
    </div>
  );
}
