import { type FormEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog, showToast, TextField } from "../../design/index.ts";
import { useLanguage } from "../../i18n/index.ts";
import { copyText } from "../../useCopyLink.ts";
import { keyRingOf } from "../../vault/session.ts";

export interface WordsDialogProps {
  userId: string;
  /** Later, or done. */
  onClose(): void;
}

/** The 24 words to write down; then two of them back from the paper. Can be left at any time. */
export function WordsDialog({ userId, onClose }: WordsDialogProps) {
  const { t } = useTranslation("vault");
  const language = useLanguage();
  const [words, setWords] = useState<readonly string[] | null>(null);
  const [isChecking, setChecking] = useState(false);

  useEffect(() => {
    let isHere = true;
    keyRingOf(userId)
      .then((ring) => ring.words(language))
      .then(
        (found) => {
          if (!isHere) return;
          // Written down in another tab in the meantime.
          if (found === null) onClose();
          else setWords(found);
        },
        () => isHere && onClose(),
      );
    return () => {
      isHere = false;
    };
  }, [userId, language, onClose]);

  if (isChecking) {
    return <CheckDialog userId={userId} onBack={() => setChecking(false)} onClose={onClose} />;
  }
  const copy = async (): Promise<void> => {
    const hasCopied = await copyText(words?.join(" ") ?? "");
    showToast(t(hasCopied ? "words.copied" : "words.notCopied"));
  };
  return (
    <Dialog
      isOpen
      isAlert
      isWide
      title={t("words.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="quiet" onPress={onClose}>
            {t("words.later")}
          </Button>
          <Button variant="line" icon="copy" onPress={() => void copy()}>
            {t("words.copy")}
          </Button>
          <Button variant="line" onPress={() => print()}>
            {t("words.print")}
          </Button>
          <Button variant="primary" onPress={() => setChecking(true)}>
            {t("words.written")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("words.text")}</p>
      {words === null ? (
        <p className="dialog__text" role="status">
          {t("words.loading")}
        </p>
      ) : (
        <ol className="wordsheet printed" aria-label={t("words.list")} translate="no">
          {words.map((word, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand in two places
            <li key={at}>
              <span className="num mut3">{at + 1}</span> <span className="b">{word}</span>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}

const COUNT = 24;

/** Two places, in order; one in each half. */
function pickPlaces(): readonly [number, number] {
  const half = COUNT / 2;
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint8Array(2));
  return [a % half, half + (b % half)];
}

interface CheckDialogProps extends WordsDialogProps {
  onBack(): void;
}

function CheckDialog({ userId, onBack, onClose }: CheckDialogProps) {
  const { t } = useTranslation("vault");
  const language = useLanguage();
  const form = useId();
  const [places] = useState(pickPlaces);
  const [typed, setTyped] = useState<readonly string[]>(["", ""]);
  const [wrong, setWrong] = useState<readonly number[]>([]);

  async function finish(): Promise<void> {
    const ring = await keyRingOf(userId);
    const isRight = await Promise.all(
      places.map((place, field) => ring.isWord(place, typed[field] ?? "", language)),
    );
    const missed = places.filter((_, field) => !isRight[field]);
    setWrong(missed);
    if (missed.length > 0) return;
    await ring.wordsAreWritten();
    onClose();
    showToast(t("words.done"));
  }

  return (
    <Dialog
      isOpen
      isAlert
      title={t("words.checkTitle")}
      onClose={onClose}
      actions={
        <>
          <Button variant="quiet" onPress={onClose}>
            {t("words.later")}
          </Button>
          <Button variant="line" onPress={onBack}>
            {t("words.again")}
          </Button>
          <Button type="submit" form={form} variant="primary">
            {t("words.finish")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("words.checkText")}</p>
      <form
        id={form}
        className="dialog__form"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void finish();
        }}
      >
        {places.map((place, field) => (
          <TextField
            key={place}
            label={t("words.word", { number: place + 1 })}
            value={typed[field] ?? ""}
            onChange={(value) => {
              setTyped(typed.with(field, value));
              setWrong(wrong.filter((missed) => missed !== place));
            }}
            error={wrong.includes(place) ? t("words.wrong", { number: place + 1 }) : undefined}
            autoComplete="off"
            spellCheck="false"
            autoFocus={field === 0}
          />
        ))}
      </form>
    </Dialog>
  );
}
