import { Fragment, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon, IconButton, type IconName } from "../../../design/index.ts";
import { useLocale } from "../../../i18n/index.ts";
import { type Person, selfOf } from "../model/call.ts";
import {
  type Figures,
  isPicture,
  type SentFigures,
  type Source,
  type StreamFigures,
} from "../model/statistics.ts";
import { type OwnFinding, type Verdict, verdictOf } from "../model/verdict.ts";
import { useCall, useMeeting } from "./context.tsx";
import { DASH, type FiguresWords, figuresText, figuresWords } from "./figuresWords.ts";
import { QualityMark } from "./QualityMark.tsx";
import { useFigures } from "./useFigures.ts";

/** Whether it is me: in plain words first, then the figures behind them. */
export function FiguresPanel() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const words = figuresWords(t, useLocale());
  const figures = useFigures();
  const isConnected = useCall((call) => call.phase.type === "connected");
  const ownQuality = useCall((call) => selfOf(call)?.quality ?? "unknown");
  const people = useCall((call) => call.people);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const others = people.filter((person) => !person.isSelf);
  const verdict = verdictOf(figures, { isConnected, ownQuality, others });
  return (
    <aside
      className="panel panel--figures"
      aria-label={t("figures.heading")}
      data-region="panel"
      tabIndex={-1}
    >
      <header>
        <h2 className="h3 grow" ref={heading} tabIndex={-1}>
          {t("figures.heading")}
        </h2>
        {figures !== null && <Copy text={() => figuresText(verdict, figures, words, t)} />}
        <IconButton
          icon="x"
          size="dense"
          label={t("figures.close")}
          onPress={() => view.setPanel(null)}
        />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and nothing in it takes the focus */}
      <section className="body" aria-label={t("figures.heading")} tabIndex={0}>
        <Answer verdict={verdict} people={people} words={words} />
        <Overview figures={figures} words={words} />
        {figures !== null && figures.sent.length > 0 && <Sent figures={figures} words={words} />}
        {figures !== null && figures.people.length > 0 && (
          <Received figures={figures} words={words} />
        )}
      </section>
    </aside>
  );
}

const LOOKS: Partial<Record<OwnFinding, { icon: IconName; tone: string }>> = {
  away: { icon: "alert", tone: "c-caution" },
  measuring: { icon: "clock", tone: "mut" },
  idle: { icon: "info", tone: "mut" },
  fine: { icon: "check", tone: "c-seal" },
};

function Answer({
  verdict,
  people,
  words,
}: {
  verdict: Verdict;
  people: readonly Person[];
  words: FiguresWords;
}) {
  const weak = people.filter(({ identity }) => verdict.weakOthers.includes(identity));
  return (
    <div className="sec answer" role="status">
      {verdict.own.map((finding) => {
        const { icon, tone } = LOOKS[finding] ?? { icon: "weak", tone: "c-caution" };
        // The same help is not given twice.
        const isRepeated = finding === "loses-down" && verdict.own.includes("loses-up");
        const help = isRepeated ? null : words.help(finding);
        return (
          <div key={finding} className="answer__one">
            <Icon name={icon} size={24} className={tone} />
            <div>
              <p className="b">{words.finding(finding)}</p>
              {help !== null && <p className="sm mut">{help}</p>}
            </div>
          </div>
        );
      })}
      {weak.length > 0 && (
        <div className="answer__one">
          <Icon name="weak" size={24} className="c-caution" />
          <p>{words.weakOthers(weak.map(({ name }) => name))}</p>
        </div>
      )}
    </div>
  );
}

function Overview({ figures, words }: { figures: Figures | null; words: FiguresWords }) {
  const { t } = useTranslation("meeting");
  const cells = [
    ["up", words.rate(figures?.up.bitsPerSecond ?? null)],
    ["lossUp", words.percent(figures?.up.loss ?? null)],
    ["roundTrip", words.roundTrip(figures?.roundTrip ?? null)],
    ["down", words.rate(figures?.down.bitsPerSecond ?? null)],
    ["lossDown", words.percent(figures?.down.loss ?? null)],
    ["limitedBy", words.limit(figures?.limit ?? null)],
  ] as const;
  return (
    <dl className="overview">
      {cells.map(([key, value]) => (
        <div key={key}>
          <dt>{t(`figures.${key}`)}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Sent({ figures, words }: { figures: Figures; words: FiguresWords }) {
  const { t } = useTranslation("meeting");
  return (
    <section className="sec">
      <Table caption={t("figures.sent")}>
        {figures.sent.map((track) => (
          <SentRows key={track.sid} track={track} words={words} />
        ))}
      </Table>
    </section>
  );
}

function SentRows({ track, words }: { track: SentFigures; words: FiguresWords }) {
  const [first, ...smaller] = track.layers;
  return (
    <tbody>
      <tr>
        <What source={track.source} codec={first?.codec ?? null} words={words} />
        {first === undefined ? (
          <td colSpan={5}>{DASH}</td>
        ) : (
          <Values stream={first} source={track.source} words={words} />
        )}
      </tr>
      {smaller.map((layer) => (
        <tr key={`${layer.width}×${layer.height}`}>
          <What source={track.source} codec={layer.codec} words={words} isRepeated />
          <Values stream={layer} source={track.source} words={words} />
        </tr>
      ))}
    </tbody>
  );
}

function Received({ figures, words }: { figures: Figures; words: FiguresWords }) {
  const { t } = useTranslation("meeting");
  const people = useCall((call) => call.people);
  return (
    <section className="sec">
      <Table caption={t("figures.received")} hasFreezes>
        {figures.people.map(({ identity, name, tracks }) => {
          const person = people.find((one) => one.identity === identity);
          return (
            <tbody key={identity} data-identity={identity}>
              <tr className="ftable__who">
                <th scope="rowgroup" colSpan={6}>
                  <span className="row row-2">
                    <span className="trunc">{person?.name ?? name}</span>
                    <QualityMark quality={person?.quality ?? "unknown"} hasWord />
                  </span>
                </th>
              </tr>
              {tracks.map((track) => (
                <tr key={track.sid}>
                  <What source={track.source} codec={track.codec} words={words} />
                  <Values stream={track} source={track.source} words={words} />
                  <td>{isPicture(track.source) ? words.count(track.freezes) : ""}</td>
                </tr>
              ))}
            </tbody>
          );
        })}
      </Table>
    </section>
  );
}

function Table({
  caption,
  hasFreezes = false,
  children,
}: {
  caption: string;
  hasFreezes?: boolean;
  children: React.ReactNode;
}) {
  const { t } = useTranslation("meeting");
  return (
    <table className="ftable num">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">{t("figures.size")}</th>
          <th scope="col">{t("figures.frames")}</th>
          <th scope="col">kbit/s</th>
          <th scope="col">{t("figures.loss")}</th>
          {hasFreezes && <th scope="col">{t("figures.freezes")}</th>}
        </tr>
      </thead>
      {children}
    </table>
  );
}

function What({
  source,
  codec,
  words,
  isRepeated = false,
}: {
  source: Source;
  codec: string | null;
  words: FiguresWords;
  isRepeated?: boolean;
}) {
  return (
    <th scope="row">
      <span className={isRepeated ? "vh" : undefined}>
        {words.source(source)} <small>{codec ?? DASH}</small>
      </span>
    </th>
  );
}

/** Of sound there is neither size nor frame: the cells stay empty, as nothing is missing. */
function Values({
  stream,
  source,
  words,
}: {
  stream: StreamFigures;
  source: Source;
  words: FiguresWords;
}) {
  const has = isPicture(source);
  return (
    <>
      <td>{has ? words.size(stream) : ""}</td>
      <td>{has ? words.count(stream.framesPerSecond) : ""}</td>
      <td>{words.kilobits(stream.bitsPerSecond)}</td>
      <td>{words.percent(stream.loss)}</td>
    </>
  );
}

function Copy({ text }: { text(): string }) {
  const { t } = useTranslation("meeting");
  const [isCopied, setCopied] = useState(false);
  // Missing on pages that are not secure; the figures can then be marked by hand.
  if (navigator.clipboard === undefined) return <Fragment />;
  const copy = () =>
    void navigator.clipboard.writeText(text()).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <Button variant="quiet" size="dense" icon={isCopied ? "check" : "copy"} onPress={copy}>
      {t(isCopied ? "figures.copied" : "figures.copy")}
    </Button>
  );
}
