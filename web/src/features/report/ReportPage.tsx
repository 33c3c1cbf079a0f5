import { useEffect, useRef, useState } from "react";
import { FileTrigger } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Button, Icon, PageTitle } from "../../design/index.ts";
import { MOST_BYTES } from "../../sealing/report/format.ts";
import { type OpenedReport, openReport } from "../../sealing/report/seal.ts";
import { Reported } from "./Reported.tsx";
import "./report.css";

type Verdict = OpenedReport | { readonly type: "unreadable" };
type State = Verdict | { readonly type: "none" | "reading" };

/** `/report`: what a report that somebody has saved is worth. Reads it here and sends it nowhere. */
export default function ReportPage() {
  const { t } = useTranslation("report");
  const [state, setState] = useState<State>({ type: "none" });
  const [chosen, setChosen] = useState("");
  const latest = useRef(0);

  async function open(file: File): Promise<void> {
    latest.current += 1;
    const mine = latest.current;
    setChosen(file.name);
    setState({ type: "reading" });
    const verdict = await judge(file);
    // Another one was chosen meanwhile.
    if (latest.current === mine) setState(verdict);
  }
  useDropped((file) => void open(file));

  return (
    <main id="main" className="page report">
      <PageTitle title={t("page.title")}>{t("page.heading")}</PageTitle>
      <p className="report__text">{t("page.intro")}</p>
      <div className="report__drop">
        <FileTrigger
          acceptedFileTypes={["application/json", ".json"]}
          onSelect={(files) => {
            const file = files?.[0];
            if (file !== undefined) void open(file);
          }}
        >
          <Button variant={state.type === "none" ? "primary" : "line"}>
            {t(state.type === "none" ? "page.choose" : "page.another")}
          </Button>
        </FileTrigger>
        <span className="sm mut">{t("page.drop")}</span>
      </div>
      <div className="report__verdict" aria-live="polite">
        {state.type === "reading" && <p>{t("page.reading")}</p>}
        {state.type !== "none" && state.type !== "reading" && (
          <VerdictLine type={state.type} file={chosen} />
        )}
      </div>
      {state.type === "good" && <Reported report={state.report} digest={state.digest} />}
      <section aria-labelledby="report-limits">
        <h2 className="h2" id="report-limits">
          {t("page.limits")}
        </h2>
        <p>{t("page.limitsYes")}</p>
        <p>{t("page.limitsNo")}</p>
      </section>
    </main>
  );
}

/** A file that is put anywhere onto the page; the browser itself would go away to show it. */
function useDropped(onFile: (file: File) => void): void {
  const latest = useRef(onFile);
  latest.current = onFile;
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) latest.current(file);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, []);
}

async function judge(file: File): Promise<Verdict> {
  if (file.size > MOST_BYTES) return { type: "too-large" };
  try {
    return await openReport(new Uint8Array(await file.arrayBuffer()));
  } catch {
    return { type: "unreadable" };
  }
}

function VerdictLine({ type, file }: { type: Verdict["type"]; file: string }) {
  const { t } = useTranslation("report");
  const isGood = type === "good";
  return (
    <div className="report__sum">
      <Icon name={isGood ? "check" : "alert"} className={isGood ? "c-seal" : "c-caution"} />
      <div>
        <p>
          <strong>{t(`verdict.${type}`)}</strong>
        </p>
        <p className="report__text">{t(`verdict.${type}Text`)}</p>
        <p className="sm mut">
          <bdi className="report__file">{file}</bdi>
        </p>
      </div>
    </div>
  );
}
