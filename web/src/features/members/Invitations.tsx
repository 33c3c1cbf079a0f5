import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type OpenInvitation, withdrawInvitation } from "../../api/members.ts";
import { Button, Dialog, showToast, Tag } from "../../design/index.ts";
import { Fault } from "../../identity/Fault.tsx";
import { useDay } from "./MemberList.tsx";
import { useMembersAct } from "./useMembersAct.ts";

/** Links that were given out and not used yet. */
export function Invitations({ invitations }: { invitations: readonly OpenInvitation[] }) {
  const { t } = useTranslation("members");
  const day = useDay();
  const [withdrawing, setWithdrawing] = useState<OpenInvitation | null>(null);
  return (
    <>
      <ul className="mem__list">
        {invitations.map((invitation) => {
          const name = invitation.login ?? t("invitations.unnamed");
          return (
            <li key={invitation.id}>
              <div className="grow">
                <p className="b mem__name">
                  {name}
                  {invitation.role === "operator" && <Tag>{t("role.operator")}</Tag>}
                </p>
                <p className="sm mut">
                  {t("invitations.when", {
                    made: day(invitation.created_at),
                    until: day(invitation.expires_at),
                  })}
                </p>
              </div>
              <Button
                variant="quiet"
                size="dense"
                aria-label={t("invitations.withdrawLabel", { name })}
                onPress={() => setWithdrawing(invitation)}
              >
                {t("invitations.withdraw")}
              </Button>
            </li>
          );
        })}
      </ul>
      {withdrawing && (
        <WithdrawDialog invitation={withdrawing} onClose={() => setWithdrawing(null)} />
      )}
    </>
  );
}

function WithdrawDialog({ invitation, onClose }: { invitation: OpenInvitation; onClose(): void }) {
  const { t } = useTranslation(["members", "common"]);
  const act = useMembersAct();
  return (
    <Dialog
      isOpen
      isAlert
      title={t("invitations.askTitle")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button
            variant="danger"
            isBusy={act.isBusy}
            onPress={() =>
              act.run(
                () => withdrawInvitation(invitation.id),
                () => {
                  onClose();
                  showToast(t("invitations.withdrawn"));
                },
              )
            }
          >
            {t("invitations.withdraw")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("invitations.askText")}</p>
      <Fault fault={act.fault} where="act" />
    </Dialog>
  );
}
