import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, TextField } from "../../design/index.ts";
import type { KeyRingStatus } from "../../vault/view.ts";
import { useStartRoom } from "./useStartRoom.ts";

/** What the sealed title takes at most. */
export const MAX_TITLE = 120;

export interface StartNowProps {
  userId: string;
  status: KeyRingStatus;
  onPlan(): void;
}

/** One press opens a room; a title for it is a gift. Or it is for later. */
export function StartNow({ userId, status, onPlan }: StartNowProps) {
  const { t } = useTranslation(["start", "vault"]);
  const [title, setTitle] = useState("");
  const { isStarting, start } = useStartRoom(userId);

  function submit(event: FormEvent): void {
    event.preventDefault();
    start(title);
  }

  return (
    <section className="start__now" aria-labelledby="start-now">
      <div className="grow">
        <h2 className="h2" id="start-now">
          {t("page.now.title")}
        </h2>
        <p className="mut">{t("page.now.text")}</p>
      </div>
      <form className="start__form" onSubmit={submit}>
        <TextField
          label={t("vault:start.title")}
          value={title}
          onChange={setTitle}
          maxLength={MAX_TITLE}
          autoComplete="off"
        />
        <Button
          type="submit"
          variant="primary"
          size="large"
          icon="keyhole"
          isBusy={isStarting}
          disabledReason={status === "unable" ? t("vault:unable.title") : undefined}
        >
          {isStarting ? t("page.starting") : t("page.start")}
        </Button>
        <Button
          size="large"
          icon="calendar"
          disabledReason={status === "unable" ? t("vault:unable.title") : undefined}
          onPress={onPlan}
        >
          {t("page.schedule")}
        </Button>
      </form>
    </section>
  );
}
