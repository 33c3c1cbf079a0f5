import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button, CalmPage } from "../design/index.ts";
import { GuestFrame } from "./frames.tsx";

interface State {
  hasCrashed: boolean;
}

/** Catches what a page throws, a chunk that no longer exists after an update included. */
export class CrashBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { hasCrashed: false };

  static getDerivedStateFromError(): State {
    return { hasCrashed: true };
  }

  override render() {
    return this.state.hasCrashed ? <CrashPage /> : this.props.children;
  }
}

function CrashPage() {
  const { t } = useTranslation("common");
  return (
    <GuestFrame>
      <CalmPage
        title={t("crash.title")}
        icon="alert"
        heading={t("crash.title")}
        text={t("crash.text")}
        actions={
          <Button variant="primary" onPress={() => location.reload()}>
            {t("reload")}
          </Button>
        }
      />
    </GuestFrame>
  );
}
