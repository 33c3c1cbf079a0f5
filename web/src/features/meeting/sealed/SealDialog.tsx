import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Avatar, Button, Dialog, Icon, SEAL_ICON, Tag } from "../../../design/index.ts";
import { LANGUAGE_NAMES, LANGUAGES, type Language, useLanguage } from "../../../i18n/index.ts";
import type { Codes } from "../../../sealing/contract.ts";
import { useMeeting, useView } from "../components/context.tsx";
import { isProven } from "../model/proof.ts";
import { useSealed } from "./context.tsx";
import { LOOK } from "./SealBadgeButton.tsx";

/** What the seal means here and now, and how to be sure of it. */
export function SealDialog() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const isOpen = useView((state) => state.dialog === "seal");
  const seal = useSealed((sealed) => sealed.seal);
  const codes = useSealed((sealed) => sealed.codes);
  const [isDiffering, setDiffering] = useState(false);
  const [language, setLanguage] = useState<Language>(useLanguage());
  const close = () => view.show(null);
  if (seal.type === "broken") return null;
  return (
    <>
      <Dialog
        isWide
        title={titleOf()}
        isOpen={isOpen && !isDiffering}
        onClose={close}
        actions={
          codes === null ? (
            <Button variant="primary" onPress={close}>
              {t("dialog.close")}
            </Button>
          ) : (
            <>
              <Button variant="danger-line" onPress={() => setDiffering(true)}>
                {t("dialog.differ")}
              </Button>
              <span className="grow" />
              <CopyWords words={codes.words[language]} />
              <Button variant="primary" icon="check" onPress={close}>
                {t("dialog.match")}
              </Button>
            </>
          )
        }
      >
        <div className="sealhead">
          <Icon
            name={SEAL_ICON[LOOK[seal.type]]}
            size={44}
            className={`seal--${LOOK[seal.type]}`}
          />
          <p className="dialog__text">{textOf()}</p>
        </div>
        {codes !== null && (
          <>
            <RoomWords codes={codes} language={language} onLanguage={setLanguage} />
            <RoomNumber digits={codes.roster} />
            <Verified />
            <KeyNotes />
          </>
        )}
        <p className="sm mut sealpart">
          {t("dialog.verifyWhy")}{" "}
          <a href="/verify" target="_blank" rel="noopener">
            {t("dialog.verify")}
          </a>
        </p>
      </Dialog>
      <Differ isOpen={isDiffering} onClose={() => setDiffering(false)} />
    </>
  );

  function titleOf(): string {
    switch (seal.type) {
      case "sealed":
        return t("dialog.sealedTitle");
      case "not-sealed":
        return t(`problem.${seal.reasons[0] ?? "withheld"}Title`);
      case "ended":
        return t("dialog.endedTitle");
      default:
        return t("dialog.comingTitle");
    }
  }

  function textOf(): string {
    switch (seal.type) {
      case "sealed":
        return t("dialog.sealedText");
      case "not-sealed":
        return [...seal.reasons.map((reason) => t(`problem.${reason}`)), t("problem.what")].join(
          " ",
        );
      case "ended":
        return t("dialog.endedText");
      default:
        return t("dialog.comingText");
    }
  }
}

/** In the language that those who compare have in common. */
function RoomWords({
  codes,
  language,
  onLanguage,
}: {
  codes: Codes;
  language: Language;
  onLanguage(language: Language): void;
}) {
  const { t } = useTranslation("sealed");
  const other = LANGUAGES.find((one) => one !== language) ?? language;
  return (
    <section className="sealpart">
      <h3>
        <span>{t("dialog.words")}</span>
        <span className="xs mut3">{t("dialog.wordsNote")}</span>
      </h3>
      <ol className="words" lang={language}>
        {codes.words[language].map((word, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand twice; its place is its name
          <li key={index}>
            <small aria-hidden="true">{index + 1}</small>
            <b>{word}</b>
          </li>
        ))}
      </ol>
      <p className="sm mut">
        <Button
          variant="quiet"
          size="dense"
          icon="globe"
          className="words__other"
          onPress={() => onLanguage(other)}
        >
          {t("dialog.wordsIn", { language: LANGUAGE_NAMES[other] })}
        </Button>
        {t("dialog.wordsHow")} {t(codes.matchesLink === true ? "dialog.linkYes" : "dialog.linkNo")}
      </p>
    </section>
  );
}

function RoomNumber({ digits }: { digits: string }) {
  const { t } = useTranslation("sealed");
  const groups = digits.match(/.{1,5}/g) ?? [];
  return (
    <section className="sealpart">
      <h3>
        <span>{t("dialog.number")}</span>
        <span className="xs mut3">{t("dialog.numberNote")}</span>
      </h3>
      <p className="digits">
        {groups.map((group, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a group may stand twice; its place is its name
          <span key={index}>{group}</span>
        ))}
      </p>
    </section>
  );
}

/** What this browser keeps less well than others. */
function KeyNotes() {
  const { t } = useTranslation("sealed");
  const notes = useSealed((sealed) => sealed.keyNotes);
  return notes.map((note) => (
    <p key={note} className="row row-2 sm c-caution sealpart">
      <Icon name="info" size={18} />
      {t(`note.${note}`)}
    </p>
  ));
}

function Verified() {
  const { t } = useTranslation("sealed");
  const members = useSealed((sealed) => sealed.members);
  const verified = members.filter(isProven).length;
  return (
    <section className="sealpart">
      <h3>
        <span>
          {t("dialog.who")}{" "}
          <span className="mut num">{t("dialog.whoCount", { verified, all: members.length })}</span>
        </span>
      </h3>
      <ul>
        {members.map((member) => (
          <li key={member.identity} className="person">
            <Avatar name={member.name ?? "…"} size="sm" isGuest={!isProven(member)} />
            <span className="grow trunc">{member.name ?? "…"}</span>
            <span className="how">
              {isProven(member) ? (
                <span className="c-seal">
                  <Icon name="verified" size={16} />
                </span>
              ) : (
                <Tag>{t(`how.${member.verification}`)}</Tag>
              )}{" "}
              {t(`how.${member.verification}Proof`)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function CopyWords({ words: list }: { words: readonly string[] }) {
  const { t } = useTranslation("sealed");
  const [isCopied, setCopied] = useState(false);
  // Missing on pages that are not secure; the words can then be marked by hand.
  if (navigator.clipboard === undefined) return null;
  const copy = () => {
    const words = list.join(" ");
    navigator.clipboard.writeText(words).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <Button icon={isCopied ? "check" : "copy"} onPress={copy}>
      {t(isCopied ? "dialog.copied" : "dialog.copy")}
    </Button>
  );
}

/** They are not in the same room: the one thing to do is to leave. */
function Differ({ isOpen, onClose }: { isOpen: boolean; onClose(): void }) {
  const { t } = useTranslation("sealed");
  const { session, view } = useMeeting();
  return (
    <Dialog
      isAlert
      title={t("differ.title")}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t("differ.stay")}</Button>
          <Button
            variant="danger"
            onPress={() => {
              onClose();
              view.show(null);
              void session.leave();
            }}
          >
            {t("differ.leave")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("differ.text")}</p>
    </Dialog>
  );
}
