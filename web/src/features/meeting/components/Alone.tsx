import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, TextField } from "../../../design/index.ts";
import { useCall, useMeeting } from "./context.tsx";

export interface Copying {
  copy(): void;
  state: "idle" | "copied" | "failed";
}

/** Copies the guest link; tells how it went. */
export function useCopyLink(): Copying {
  const { guestLink } = useMeeting();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return {
    state,
    copy() {
      const done = (next: "copied" | "failed") => {
        setState(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => setState("idle"), 4_000);
      };
      // Missing on pages that are not secure.
      Promise.resolve(
        navigator.clipboard?.writeText(guestLink) ?? Promise.reject(new Error()),
      ).then(
        () => done("copied"),
        () => done("failed"),
      );
    },
  };
}

/** Nobody else is here: the next step is to send the link. */
export function Alone() {
  const { t } = useTranslation("meeting");
  const { guestLink } = useMeeting();
  const { copy, state } = useCopyLink();
  const hasMet = useCall((call) => call.hasMet);
  return (
    <div className="alone">
      <h2 className="h3">{t(hasMet ? "alone.after" : "alone.heading")}</h2>
      <TextField label={t("alone.link")} isLabelHidden value={guestLink} isReadOnly />
      <Button variant="primary" icon={state === "copied" ? "check" : "copy"} onPress={copy}>
        {t(state === "copied" ? "alone.copied" : "alone.copy")}
      </Button>
      <p className="sm mut" role="status">
        {state === "failed" ? t("alone.failed") : ""}
      </p>
    </div>
  );
}
