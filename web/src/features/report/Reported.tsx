import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../design/index.ts";
import { LANGUAGE_NAMES, LANGUAGES, useLanguage, useLocale } from "../../i18n/index.ts";
import { hasHidden, readableName, readableText } from "../../sealing/keys/readable.ts";
import type { Report, ReportEvent, ReportLine, ReportPerson } from "../../sealing/report/format.ts";
import { reportWords } from "../../sealing/report/seal.ts";
import { loadWords } from "../../sealing/words/wordList.ts";
import { Picture } from "./Picture.tsx";

export interface ReportedProps {
  /** Its signature is good. Everything in it is what its maker wrote. */
  report: Report;
  digest: Uint8Array;
}

/** What stands in a report. Names and words are shown without what cannot be seen. */
export function Reported({ report, digest }: ReportedProps) {
  const { t } = useTranslation("report");
  const moment = useMoment();
  const { reporter, about, people, chat, events, pictures, note } = report;
  const nameOf = useNames(report);
  return (
    <>
      <Words digest={digest} deviceKey={reporter.device_key} />
      <Part id="facts" title={t("report.facts")}>
        {hasHidden(JSON.stringify(report)) && <p className="sm c-caution">{t("report.hidden")}</p>}
        <dl className="report__facts">
          <dt>{t("report.by")}</dt>
          <dd>
            <bdi className="b">{nameOf(reporter.identity)}</bdi>
          </dd>
          <dt>{t("report.at")}</dt>
          <dd>
            {moment(report.made_at)} <span className="mut">{t("report.atHow")}</span>
          </dd>
          <dt>{t("report.meeting")}</dt>
          <dd>
            <code>{report.meeting}</code>
          </dd>
          <dt>{t("report.device")}</dt>
          <dd>
            <code>{reporter.device_key}</code>
          </dd>
          <dt>{t("report.account")}</dt>
          <dd>
            {reporter.account_key === null ? (
              t("report.accountNone")
            ) : (
              <code>{reporter.account_key}</code>
            )}
          </dd>
        </dl>
      </Part>
      <Part id="about" title={t("report.about")}>
        {about.length === 0 ? (
          <p>{t("report.aboutNobody")}</p>
        ) : (
          <People {...{ people: about, nameOf }} />
        )}
      </Part>
      {readableText(note) !== "" && (
        <Part id="note" title={t("report.note")}>
          <blockquote className="report__said" dir="auto">
            {readableText(note)}
          </blockquote>
        </Part>
      )}
      {pictures.length > 0 && (
        <Part id="pictures" title={t("report.pictures")}>
          <ul className="report__pictures">
            {pictures.map(({ who, source, at, jpeg }) => (
              <li key={`${who} ${source}`}>
                <Picture
                  jpeg={jpeg}
                  label={t(`report.picture_${source}`, { name: nameOf(who), time: moment(at) })}
                />
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part id="chat" title={t("report.chat")}>
        {chat.length === 0 ? <p>{t("report.chatNone")}</p> : <Chat lines={chat} />}
      </Part>
      <Part id="events" title={t("report.events")}>
        {events.length === 0 ? (
          <p>{t("report.eventsNone")}</p>
        ) : (
          <Events events={events} nameOf={nameOf} />
        )}
      </Part>
      <Part id="people" title={t("report.people")}>
        <People people={people} nameOf={nameOf} />
      </Part>
    </>
  );
}

function Part({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={`report-${id}`}>
      <h2 className="h2" id={`report-${id}`}>
        {title}
      </h2>
      {children}
    </section>
  );
}

function Words({ digest, deviceKey }: { digest: Uint8Array; deviceKey: string }) {
  const { t } = useTranslation("report");
  const own = useLanguage();
  const [language, setLanguage] = useState(own);
  const [words, setWords] = useState<readonly string[]>([]);
  const other = LANGUAGES.find((one) => one !== language) ?? language;
  useEffect(() => {
    let isHere = true;
    loadWords(language)
      .then((list) => reportWords(digest, deviceKey, list))
      .then(
        (found) => isHere && setWords(found),
        () => undefined,
      );
    return () => {
      isHere = false;
    };
  }, [digest, deviceKey, language]);
  return (
    <Part id="words" title={t("report.words")}>
      <p className="report__words b" lang={language}>
        {words.join(" ")}
      </p>
      <p className="report__text">{t("report.wordsHow")}</p>
      <Button variant="quiet" size="dense" icon="globe" onPress={() => setLanguage(other)}>
        {t("report.wordsIn", { language: LANGUAGE_NAMES[other] })}
      </Button>
    </Part>
  );
}

type NameOf = (identity: string | null, otherwise?: string | null) => string;

/** By identity, as the report says; else the name beside it, else somebody. */
function useNames({ reporter, about, people }: Report): NameOf {
  const { t } = useTranslation("report");
  const names = new Map(
    [...about, ...people, reporter].map(({ identity, name }) => [identity, readableName(name)]),
  );
  return (identity, otherwise = null) =>
    names.get(identity ?? "") ?? readableName(otherwise) ?? t("report.someone");
}

function useMoment(): (at: number) => string {
  const format = new Intl.DateTimeFormat(useLocale(), { dateStyle: "medium", timeStyle: "medium" });
  return momentBy(format);
}

function useTime(): (at: number) => string {
  return momentBy(new Intl.DateTimeFormat(useLocale(), { timeStyle: "medium" }));
}

/** A number that is no moment of any calendar is shown as it stands. */
function momentBy(format: Intl.DateTimeFormat): (at: number) => string {
  return (at) => (Math.abs(at) <= 8.64e15 ? format.format(at) : String(at));
}

function People({ people, nameOf }: { people: readonly ReportPerson[]; nameOf: NameOf }) {
  const { t } = useTranslation(["report", "sealed"]);
  const time = useTime();
  return (
    <ul className="report__list">
      {people.map((person) => (
        <li key={person.identity}>
          <bdi className="b">{readableName(person.name) ?? t("nameless")}</bdi>
          <p className="sm">{factsOf(person).join(" · ")}</p>
          <p className="sm mut">
            <code>{t("report.deviceOf", { key: person.device_key })}</code>
          </p>
        </li>
      ))}
    </ul>
  );

  function factsOf(person: ReportPerson): string[] {
    const invited = readableName(person.invited_as);
    const facts = [
      person.came === "invitation" && invited !== null
        ? t("sealed:how.invitationOf", { name: invited })
        : t(`sealed:how.${person.came}`),
    ];
    if (person.role === "cohost") facts.push(t("sealed:how.cohost"));
    if (person.invitation !== null) facts.push(t("report.invitation", { id: person.invitation }));
    if (person.other_device) facts.push(t("report.otherDevice"));
    if (person.added_by !== null) {
      facts.push(t("report.addedBy", { name: nameOf(person.added_by) }));
    }
    facts.push(t("report.joinedAt", { time: time(person.joined_at) }));
    if (person.left_at !== null) facts.push(t("report.leftAt", { time: time(person.left_at) }));
    return facts;
  }
}

function Chat({ lines }: { lines: readonly ReportLine[] }) {
  const { t } = useTranslation("report");
  const time = useTime();
  return (
    <ol className="report__list">
      {lines.map((line, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: none of them moves
        <li key={place}>
          <p className="sm">
            <bdi className="b">{readableName(line.name) ?? t("report.someone")}</bdi>{" "}
            <span className="mut">{[time(line.at), ...marksOf(line)].join(" · ")}</span>
          </p>
          {!line.deleted && (
            <p className="report__said" dir="auto">
              {readableText(line.text)}
            </p>
          )}
        </li>
      ))}
    </ol>
  );

  function marksOf(line: ReportLine): string[] {
    const marks: string[] = [];
    if (line.private_with !== null) {
      const name = readableName(line.private_with.name);
      marks.push(name === null ? t("report.private") : t("report.privateWith", { name }));
    }
    if (line.from_before) marks.push(t("report.before"));
    if (line.deleted) marks.push(t("report.deleted"));
    else if (line.edited) marks.push(t("report.edited"));
    return marks;
  }
}

const ORDERS = ["mute", "ask-unmute", "stop-video", "stop-share", "lower-hand"] as const;

function Events({ events, nameOf }: { events: readonly ReportEvent[]; nameOf: NameOf }) {
  const { t } = useTranslation("report");
  const time = useTime();
  return (
    <ol className="report__list">
      {events.map((event, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: none of them moves
        <li key={place}>
          <span className="mut num">{time(event.at)}</span>{" "}
          <bdi className="b">{nameOf(event.who, event.name)}</bdi>{" "}
          <span dir="auto">{t(`event.${event.type}`, { what: whatOf(event) })}</span>
        </li>
      ))}
    </ol>
  );

  function whatOf({ type, what }: ReportEvent): string {
    const order = type === "order" ? ORDERS.find((one) => one === what) : undefined;
    return order === undefined ? readableText(what ?? "") : t(`order.${order}`);
  }
}
