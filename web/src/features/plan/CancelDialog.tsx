import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { asApiError } from "../../api/errors.ts";
import { cancelMeeting } from "../../api/plans.ts";
import { meetingsKey } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, Dialog, showToast } from "../../design/index.ts";

/** The one act after which links that were given out open nothing any more. */
export function CancelDialog({ meeting, onClose }: { meeting: RunningMeeting; onClose(): void }) {
  const { t } = useTranslation("plan");
  const errorText = useErrorText();
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelMeeting(meeting.id),
    onSettled: () => client.invalidateQueries({ queryKey: meetingsKey }),
    onSuccess: () => {
      onClose();
      showToast(t("cancel.done"));
    },
    onError: (error) => {
      onClose();
      // Another browser was faster: what was wanted is so.
      showToast(asApiError(error).status === 404 ? t("cancel.done") : errorText(error));
    },
  });
  return (
    <Dialog
      isOpen
      isAlert
      title={t("cancel.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("cancel.keep")}
          </Button>
          <Button variant="danger" isBusy={cancel.isPending} onPress={() => cancel.mutate()}>
            {t(cancel.isPending ? "cancel.busy" : "cancel.yes")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("cancel.text")}</p>
      {meeting.participants > 0 && (
        <p className="dialog__text">{t("cancel.people", { count: meeting.participants })}</p>
      )}
    </Dialog>
  );
}
