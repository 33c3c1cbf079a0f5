import { useTranslation } from "react-i18next";
import { Button, Icon, PageTitle } from "../../../design/index.ts";
import { useLanguage } from "../../../i18n/index.ts";
import type { CodeWords } from "../../../sealing/contract.ts";
import type { CaptureHandle } from "../useCapture.ts";
import type { PersonalLinkFacts } from "./LinkFacts.tsx";
import { PreviewPane } from "./PreviewPane.tsx";

export interface LobbyProps {
  /** How many are inside; the server's word. */
  members: number;
  /** Three words that the host's screen shows beside this knock. */
  words: CodeWords;
  hasWholeLink: boolean;
  /** A host has to be there before anybody comes in. */
  isInvited: boolean;
  personal: PersonalLinkFacts | null;
  capture: CaptureHandle;
  onStop(): void;
}

/** In front of the door: waiting, calmly and completely. Nobody sees or hears you here. */
export function Lobby({
  members,
  words,
  hasWholeLink,
  isInvited,
  personal,
  capture,
  onStop,
}: LobbyProps) {
  const { t } = useTranslation("sealed");
  const language = useLanguage();
  return (
    <main id="main" className="calm lobby">
      <div className="calm__in" aria-live="polite">
        <PageTitle title={t("lobby.title")}>{t("lobby.heading")}</PageTitle>
        <p className="calm__text">{textOf()}</p>
        <PreviewPane model={capture.model} />
        <p className="sm mut">{t("lobby.nobody")}</p>
        {!hasWholeLink && <p className="sm">{t("lobby.noLink")}</p>}
        <p className="sm mut lobby__words">
          {t("lobby.words")} <b lang={language}>{words[language].join(" ")}</b>
        </p>
        <div className="calm__acts">
          <Button onPress={onStop}>{t("lobby.stop")}</Button>
        </div>
      </div>
      <p className="lobby__vow sm mut">
        <Icon name="seal" size={20} className="c-seal" />
        {t("lobby.vow")}
      </p>
    </main>
  );

  function textOf(): string {
    if (personal?.device === "other") {
      const { name } = personal;
      return name === null ? t("lobby.otherDeviceNameless") : t("lobby.otherDevice", { name });
    }
    if (members === 0 && isInvited && personal !== null) return t("lobby.invitedEmpty");
    return t("lobby.text", { count: members });
  }
}
