import type { useTranslation } from "react-i18next";
import {
  type Figures,
  isPicture,
  type Limit,
  type ReceivedFigures,
  type Source,
  type StreamFigures,
} from "../model/statistics.ts";
import type { OwnFinding, Verdict } from "../model/verdict.ts";

type Translate = ReturnType<typeof useTranslation<"meeting">>["t"];

/** What stands where a browser does not tell. */
export const DASH = "–";

const LIMITS = {
  none: "figures.limit.none",
  bandwidth: "figures.limit.bandwidth",
  cpu: "figures.limit.cpu",
  other: "figures.limit.other",
} as const satisfies Record<Limit, string>;

const SOURCES = {
  camera: "figures.source.camera",
  screen: "figures.source.screen",
  microphone: "figures.source.microphone",
  "screen-sound": "figures.source.screenSound",
} as const satisfies Record<Source, string>;

const FINDINGS = {
  away: ["figures.away", null],
  measuring: ["figures.measuring", null],
  idle: ["figures.idle", null],
  fine: ["figures.fine", null],
  "loses-up": ["figures.losesUp", "figures.losesUpHelp"],
  busy: ["figures.busy", "figures.busyHelp"],
  "slow-up": ["figures.slowUp", "figures.slowUpHelp"],
  "loses-down": ["figures.losesDown", "figures.losesDownHelp"],
  far: ["figures.far", "figures.farHelp"],
  weak: ["figures.weak", "figures.weakHelp"],
} as const satisfies Record<OwnFinding, readonly [string, string | null]>;

export type FiguresWords = ReturnType<typeof figuresWords>;

/** Figures as people read them, in their language. */
export function figuresWords(t: Translate, locale: string) {
  const number = (digits: number) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const [whole, tenth] = [number(0), number(1)];
  const list = new Intl.ListFormat(locale, { type: "conjunction" });
  const orDash = (value: number | null, say: (known: number) => string) =>
    value === null ? DASH : say(value);
  return {
    finding: (finding: OwnFinding) => t(FINDINGS[finding][0]),
    help: (finding: OwnFinding) => {
      const help = FINDINGS[finding][1];
      return help === null ? null : t(help);
    },
    weakOthers: (names: readonly string[]) =>
      t("figures.weakOthers", { count: names.length, names: list.format(names) }),
    source: (source: Source) => t(SOURCES[source]),
    limit: (limit: Limit | null) => (limit === null ? DASH : t(LIMITS[limit])),
    size: ({ width, height }: StreamFigures) =>
      width === null || height === null ? DASH : `${width}×${height}`,
    count: (value: number | null) => orDash(value, (known) => whole.format(known)),
    kilobits: (value: number | null) => orDash(value, (known) => whole.format(known / 1_000)),
    rate: (value: number | null) =>
      orDash(value, (known) =>
        known < 1_000_000
          ? `${whole.format(known / 1_000)} kbit/s`
          : `${tenth.format(known / 1_000_000)} Mbit/s`,
      ),
    percent: (value: number | null) =>
      orDash(value, (known) => `${(known < 0.1 ? tenth : whole).format(known * 100)} %`),
    roundTrip: (value: number | null) =>
      orDash(value, (known) => `${whole.format(known * 1_000)} ms`),
  };
}

/**
 * The figures as plain text, for somebody who helps: people are numbered, nobody is named, and
 * nothing tells which meeting it was.
 */
export function figuresText(
  { own, weakOthers }: Verdict,
  figures: Figures,
  words: FiguresWords,
  t: Translate,
): string {
  const numbered = (at: number) => t("figures.personNumber", { number: at + 1 });
  // Who sends nothing has a number too, behind the others.
  const everybody = [...new Set([...figures.people.map((one) => one.identity), ...weakOthers])];
  const weak = weakOthers.map((identity) => numbered(everybody.indexOf(identity)));
  const pair = (label: string, value: string) => `${label}: ${value}`;
  const streamOf = (stream: StreamFigures, source: Source) => [
    stream.codec ?? DASH,
    ...(isPicture(source)
      ? [words.size(stream), `${words.count(stream.framesPerSecond)} ${t("figures.frames")}`]
      : []),
    words.rate(stream.bitsPerSecond),
    pair(t("figures.loss"), words.percent(stream.loss)),
  ];
  const line = (source: Source, parts: readonly string[]) =>
    `  ${words.source(source)}: ${parts.join(", ")}`;
  const freezesOf = (track: ReceivedFigures) =>
    isPicture(track.source) ? [pair(t("figures.freezes"), words.count(track.freezes))] : [];
  return [
    ...own.map(words.finding),
    ...(weak.length > 0 ? [words.weakOthers(weak)] : []),
    "",
    pair(t("figures.up"), words.rate(figures.up.bitsPerSecond)),
    pair(t("figures.lossUp"), words.percent(figures.up.loss)),
    pair(t("figures.down"), words.rate(figures.down.bitsPerSecond)),
    pair(t("figures.lossDown"), words.percent(figures.down.loss)),
    pair(t("figures.roundTrip"), words.roundTrip(figures.roundTrip)),
    pair(t("figures.limitedBy"), words.limit(figures.limit)),
    "",
    t("figures.sent"),
    ...figures.sent.flatMap(({ source, layers }) =>
      layers.map((layer) => line(source, streamOf(layer, source))),
    ),
    ...figures.people.flatMap(({ tracks }, at) => [
      numbered(at),
      ...tracks.map((track) =>
        line(track.source, [...streamOf(track, track.source), ...freezesOf(track)]),
      ),
    ]),
  ].join("\n");
}
