import { useState } from "react";
import { Checkbox, CheckboxGroup, Label } from "react-aria-components";
import { useTranslation } from "react-i18next";
import "./report.css";
import { Button, Dialog, Icon, Switch, TextField } from "../../../design/index.ts";
import { useLanguage, useLocale } from "../../../i18n/index.ts";
import { saveDated } from "../../../saveFile.ts";
import type { SealedMember, Witness } from "../../../sealing/contract.ts";
import { MOST_NOTE, type Report } from "../../../sealing/report/format.ts";
import { reportWords, sealReport } from "../../../sealing/report/seal.ts";
import { loadWords } from "../../../sealing/words/wordList.ts";
import { buildReport, others } from "./build.ts";
import { picturesOf } from "./frames.ts";
import type { Moment } from "./Report.tsx";

export interface ReportDialogProps {
  moment: Moment;
  /** Who is meant, as another part of the page has named them; null: nobody yet. */
  about: string | null;
  sign: Witness["signReport"];
  onClose(): void;
}

/** Whom it is about, and what the file will hold; saved on this device when one says so. */
export default function ReportDialog({ moment, about, sign, onClose }: ReportDialogProps) {
  const { t } = useTranslation("report");
  const language = useLanguage();
  const all = others(moment);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () => new Set(all.some(({ member }) => member.identity === about) ? [about ?? ""] : []),
  );
  const [note, setNote] = useState("");
  const [withPictures, setWithPictures] = useState(false);
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const [words, setWords] = useState<readonly string[] | null>(null);
  const hasPictures = moment.frames.some(({ who }) => chosen.has(who));

  async function save(): Promise<void> {
    setState("busy");
    try {
      const pictures = withPictures ? await picturesOf(moment.frames, chosen) : [];
      const report = buildReport(moment, { about: chosen, note, pictures });
      if (report === null) throw new Error("in no group");
      setWords(await saved(report));
    } catch {
      setState("failed");
    }
  }

  async function saved(report: Report): Promise<readonly string[]> {
    const { text, digest } = await sealReport(report, sign);
    saveDated("conclave-report", "json", text, "application/json");
    return reportWords(digest, report.reporter.device_key, await loadWords(language));
  }

  if (words !== null) return <Saved words={words} onClose={onClose} />;
  return (
    <Dialog
      isOpen
      isWide
      isAlert
      title={t("dialog.title")}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t("dialog.cancel")}</Button>
          <Button
            variant="primary"
            icon="download"
            isBusy={state === "busy"}
            disabledReason={chosen.size === 0 ? t("dialog.nobodyChosen") : undefined}
            onPress={() => void save()}
          >
            {t("dialog.save")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("dialog.text")}</p>
      {all.length === 0 ? (
        <p className="report__part mut">{t("dialog.nobody")}</p>
      ) : (
        <CheckboxGroup
          className="report__part"
          value={[...chosen]}
          onChange={(identities) => setChosen(new Set(identities))}
        >
          <Label className="label">{t("dialog.about")}</Label>
          <div className="report__people">
            {all.map(({ member, leftAt }) => (
              <Choice key={member.identity} member={member} leftAt={leftAt} />
            ))}
          </div>
        </CheckboxGroup>
      )}
      <div className="report__part">
        <TextField
          label={t("dialog.note")}
          hint={t("dialog.noteHint")}
          value={note}
          onChange={setNote}
          maxLength={MOST_NOTE}
        />
      </div>
      {hasPictures && (
        <div className="report__part">
          <Switch isSelected={withPictures} onChange={setWithPictures}>
            {t("dialog.pictures")}
          </Switch>
          <p className="sm mut">{t("dialog.picturesHint")}</p>
        </div>
      )}
      <section className="report__part sm">
        <h3 className="label">{t("dialog.holds")}</h3>
        <ul className="report__holds">
          <li>{t("dialog.holdsPeople")}</li>
          <li>{t("dialog.holdsEvents")}</li>
          <li>{t("dialog.holdsChat")}</li>
          <li>{t("dialog.holdsYou")}</li>
        </ul>
        <p className="mut">{t("dialog.proves")}</p>
      </section>
      {state === "failed" && (
        <p className="c-danger sm" role="alert">
          {t("dialog.failed")}
        </p>
      )}
    </Dialog>
  );
}

function Choice({ member, leftAt }: { member: SealedMember; leftAt: number | null }) {
  const { t } = useTranslation(["report", "sealed"]);
  const locale = useLocale();
  const name = member.name ?? t("nameless");
  const invited = member.invited?.name;
  const how =
    member.verification === "invitation" && invited
      ? t("sealed:how.invitationOf", { name: invited })
      : t(`sealed:how.${member.verification}`);
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
  return (
    <Checkbox className="report__person" value={member.identity}>
      {({ isSelected }) => (
        <>
          <span className="report__box">{isSelected && <Icon name="check" size={16} />}</span>
          <span className="who">
            <bdi className="b">{name}</bdi>
            <span className="how">
              {how}
              {leftAt !== null && ` · ${t("dialog.leftAt", { time: time.format(leftAt) })}`}
            </span>
          </span>
        </>
      )}
    </Checkbox>
  );
}

/** What to do with the file now, and the words by which it is known to be one's own. */
function Saved({ words, onClose }: { words: readonly string[]; onClose(): void }) {
  const { t } = useTranslation("report");
  return (
    <Dialog
      isOpen
      isWide
      isAlert
      title={t("saved.title")}
      onClose={onClose}
      actions={
        <Button variant="primary" onPress={onClose}>
          {t("saved.close")}
        </Button>
      }
    >
      <p className="dialog__text" role="status">
        {t("saved.text")}
      </p>
      <section className="sealpart">
        <h3>{t("saved.words")}</h3>
        <ol className="words">
          {words.map((word, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand twice; its place is its name
            <li key={place}>
              <b>{word}</b>
            </li>
          ))}
        </ol>
        <p className="sm mut">{t("saved.wordsHow")}</p>
      </section>
      <p className="sm mut sealpart">
        {t("saved.check")}{" "}
        <a href="/report" target="_blank" rel="noopener">
          {t("saved.checkLink", { address: `${location.host}/report` })}
        </a>
      </p>
    </Dialog>
  );
}
