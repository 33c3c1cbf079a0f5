import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSetTitle } from "../../api/queries.ts";
import { Button, Dialog, showToast, TextField } from "../../design/index.ts";
import { keyRingOf } from "../../vault/session.ts";
import { MAX_TITLE } from "./StartNow.tsx";

export interface RenameDialogProps {
  userId: string;
  meetingId: string;
  title: string;
  onClose(): void;
}

/** Another title, or none. Sealed here, with the room's own key. */
export function RenameDialog({ userId, meetingId, title, onClose }: RenameDialogProps) {
  const { t } = useTranslation(["vault", "common"]);
  const [text, setText] = useState(title);
  const [error, setError] = useState<string>();
  const [isSaving, setSaving] = useState(false);
  const setTitle = useSetTitle();
  const form = useId();

  async function save(): Promise<void> {
    const ring = await keyRingOf(userId);
    const sealed = text.trim() === "" ? null : await ring.sealTitle(meetingId, text);
    if (sealed === null && text.trim() !== "") {
      setError(t("room.unreadable"));
      return;
    }
    await setTitle.mutateAsync({ id: meetingId, sealed });
    await ring.rename(meetingId, text);
    onClose();
    showToast(t("room.renamed"));
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isSaving) return;
    setSaving(true);
    save()
      .catch(() => setError(t("room.failed")))
      .finally(() => setSaving(false));
  }

  return (
    <Dialog
      isOpen
      title={t("room.renameTitle")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={isSaving}>
            {isSaving ? t("room.saving") : t("room.save")}
          </Button>
        </>
      }
    >
      <form id={form} className="dialog__form" onSubmit={submit} noValidate>
        <TextField
          label={t("room.renameField")}
          hint={t("room.renameText")}
          value={text}
          onChange={(value) => {
            setText(value);
            setError(undefined);
          }}
          error={error}
          maxLength={MAX_TITLE}
          autoComplete="off"
          autoFocus
        />
      </form>
    </Dialog>
  );
}
