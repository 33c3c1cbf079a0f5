import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { meetingsKey } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { Button, Dialog, showToast } from "../../design/index.ts";
import type { Occurrence } from "./model/occurrences.ts";
import type { Plan } from "./model/plan.ts";
import { changePlan } from "./planning.ts";
import { useFaultText, usePlanWords } from "./usePlanWords.ts";

export interface LeaveOutDialogProps {
  userId: string;
  meeting: RunningMeeting;
  plan: Plan;
  next: Occurrence;
  onClose(): void;
}

/** One date of a series does not take place. */
export function LeaveOutDialog({ userId, meeting, plan, next, onClose }: LeaveOutDialogProps) {
  const { t } = useTranslation(["plan", "common"]);
  const words = usePlanWords();
  const faultText = useFaultText();
  const client = useQueryClient();
  const date = words.day(next.start, plan.zone);
  const leaveOut = useMutation({
    mutationFn: () => {
      const except = [...plan.except, next.date].sort();
      return changePlan(userId, meeting.id, { ...plan, except }, meeting.entry ?? "open");
    },
    onSettled: () => client.invalidateQueries({ queryKey: meetingsKey }),
    onSuccess: () => {
      onClose();
      showToast(t("leaveOut.done", { date }));
    },
    onError: (error) => {
      onClose();
      showToast(faultText(error));
    },
  });
  return (
    <Dialog
      isOpen
      title={t("leaveOut.title", { date })}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button variant="primary" isBusy={leaveOut.isPending} onPress={() => leaveOut.mutate()}>
            {t(leaveOut.isPending ? "form.saving" : "leaveOut.yes")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("leaveOut.text")}</p>
    </Dialog>
  );
}
