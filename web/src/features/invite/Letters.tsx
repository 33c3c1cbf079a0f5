import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import { QrCode } from "../../design/index.ts";

export interface Letter {
  readonly id: string;
  readonly name: string;
  readonly link: string;
}

export interface LettersProps {
  /** Of the meeting; empty: none. */
  title: string;
  letters: readonly Letter[];
  onDone(): void;
}

/** One page for each person, for the printer alone; printed as soon as every code is drawn. */
export function Letters({ title, letters, onDone }: LettersProps) {
  const { t } = useTranslation("invite");
  const [drawn, setDrawn] = useState(0);
  const isReady = drawn >= letters.length;
  useEffect(() => {
    if (isReady) window.print();
  }, [isReady]);
  useEffect(() => {
    window.addEventListener("afterprint", onDone);
    return () => window.removeEventListener("afterprint", onDone);
  }, [onDone]);
  return createPortal(
    <div className="letters" aria-hidden="true">
      {letters.map(({ id, name, link }) => (
        <article key={id} className="letter">
          <p className="letter__title">{title === "" ? t("letters.untitled") : title}</p>
          <h1>{t("letters.heading", { name })}</h1>
          <p className="letter__words">{t("letters.words")}</p>
          <QrCode
            text={link}
            label={t("letters.qr")}
            onDrawn={() => setDrawn((before) => before + 1)}
          />
          <p className="letter__link">{link}</p>
        </article>
      ))}
    </div>,
    document.body,
  );
}
