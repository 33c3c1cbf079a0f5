import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon, type IconName } from "../../../design/index.ts";
import type { Phase } from "../model/call.ts";
import { secondsUntil } from "../model/clock.ts";
import { useCall, useMeeting } from "./context.tsx";
import { useSeconds } from "./hooks.ts";

const RESUMED_SHOWN_MS = 4_000;

/** What the person must know about the connection, the sound and the shared screen. */
export function Banners() {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const phase = useCall((call) => call.phase);
  const isSoundBlocked = useCall((call) => call.isSoundBlocked);
  return (
    <>
      {phase.type === "reconnecting" && <Reconnecting phase={phase} />}
      <Resumed />
      {isSoundBlocked && (
        <Banner icon="speaker" text={t("banner.sound")}>
          <Button variant="primary" size="dense" onPress={() => session.startSound()}>
            {t("banner.soundOn")}
          </Button>
        </Banner>
      )}
      <Sharing />
    </>
  );
}

function Banner({
  icon,
  text,
  children,
}: {
  icon: IconName;
  text: string;
  children?: React.ReactNode;
}) {
  return (
    <div className="banner">
      <Icon name={icon} />
      <span className="grow">{text}</span>
      {children}
    </div>
  );
}

function Reconnecting({ phase }: { phase: Extract<Phase, { type: "reconnecting" }> }) {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const now = useSeconds();
  const { cause, retryAt } = phase;
  const seconds = retryAt === null ? 0 : secondsUntil(retryAt, now);
  const text =
    cause === "offline" || seconds === 0
      ? t(`banner.${cause}`)
      : t(`banner.${cause}Retry`, { seconds });
  return (
    <Banner icon="alert" text={text}>
      {retryAt !== null && (
        <Button variant="line" size="dense" onPress={() => session.retry()}>
          {t("banner.retry")}
        </Button>
      )}
    </Banner>
  );
}

function Resumed() {
  const { t } = useTranslation("meeting");
  const resumedAt = useCall((call) => call.resumedAt);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (resumedAt === null) return;
    setShown(true);
    const timer = setTimeout(() => setShown(false), RESUMED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [resumedAt]);
  const isConnected = useCall((call) => call.phase.type === "connected");
  return isShown && isConnected ? <Banner icon="check" text={t("banner.resumed")} /> : null;
}

function Sharing() {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const share = useCall((call) => call.share);
  if (share === null) return null;
  if (!share.isSelf) {
    return <Banner icon="share" text={t("share.other", { name: share.name })} />;
  }
  return (
    <div className="banner banner--paper">
      <Icon name="share" />
      <b className="grow">{t(share.hasSound ? "share.youWithSound" : "share.you")}</b>
      <Button
        className="banner__stop"
        size="dense"
        variant="primary"
        icon="x"
        onPress={() => void session.media.setShare(false)}
      >
        {t("share.stop")}
      </Button>
    </div>
  );
}
