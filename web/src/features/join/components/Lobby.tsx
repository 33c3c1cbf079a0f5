import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon, PageTitle, TextField } from "../../../design/index.ts";
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
  /** When it takes place and what it is about. */
  planned?: ReactNode;
  capture: CaptureHandle;
  /** The last line that went to the host. */
  note: string | null;
  /** Null: there is nobody to write to, or no key to write with. False: it did not go out. */
  onNote: ((text: string) => Promise<boolean>) | null;
  onStop(): void;
}

/** In front of the door: waiting, calmly and completely. Nobody sees or hears you here. */
export function Lobby({
  members,
  words,
  hasWholeLink,
  isInvited,
  personal,
  planned = null,
  capture,
  note,
  onNote,
  onStop,
}: LobbyProps) {
  const { t } = useTranslation("sealed");
  const language = useLanguage();
  return (
    <main id="main" className="calm lobby">
      <div className="calm__in" aria-live="polite">
        <PageTitle title={t("lobby.title")}>{t("lobby.heading")}</PageTitle>
        <p className="calm__text">{textOf()}</p>
        {planned}
        <PreviewPane model={capture.model} />
        <p className="sm mut">{t("lobby.nobody")}</p>
        {!hasWholeLink && <p className="sm">{t("lobby.noLink")}</p>}
        <p className="sm mut lobby__words">
          {t("lobby.words")} <b lang={language}>{words[language].join(" ")}</b>
        </p>
        {onNote !== null && <NoteField note={note} onNote={onNote} />}
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

const MAX_NOTE = 200;

/** One short line to the hosts; what was typed stays until it has gone out. */
function NoteField({
  note,
  onNote,
}: {
  note: string | null;
  onNote(text: string): Promise<boolean>;
}) {
  const { t } = useTranslation("sealed");
  const [text, setText] = useState("");
  const [state, setState] = useState<"idle" | "sending" | "failed">("idle");
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (state === "sending" || text.trim() === "") return;
    setState("sending");
    const isSent = await onNote(text);
    setState(isSent ? "idle" : "failed");
    if (isSent) setText("");
  };
  return (
    <form className="lobby__note" onSubmit={(event) => void send(event)}>
      <div className="row row-2">
        <div className="grow">
          <TextField
            label={t("lobby.note")}
            value={text}
            onChange={(value) => setText(value.slice(0, MAX_NOTE))}
            error={state === "failed" ? t("lobby.noteFailed") : undefined}
          />
        </div>
        <Button type="submit" isBusy={state === "sending"}>
          {t("lobby.noteSend")}
        </Button>
      </div>
      <p className="sm mut" role="status">
        {note === null ? "" : t("lobby.noteSent", { note })}
      </p>
    </form>
  );
}
