import type { ReactNode } from "react";
import { Meter as AriaMeter } from "react-aria-components";
import { Icon, type IconName } from "../icons.tsx";

export function Tag({
  children,
  tone,
}: {
  children: ReactNode;
  tone?: "seal" | "caution" | "danger" | "plain";
}) {
  return <span className={tone ? `tag tag--${tone}` : "tag"}>{children}</span>;
}

export function Kbd({ children }: { children: string }) {
  return <kbd>{children}</kbd>;
}

/** First letters of the first and the last word: "Peter Lindqvist" is PL, "Sofia" is S. */
export function monogramOf(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("");
}

export function Avatar({
  name,
  size = "normal",
  isGuest = false,
}: {
  name: string;
  size?: "sm" | "normal" | "lg";
  isGuest?: boolean;
}) {
  const classes = ["av"];
  if (size !== "normal") classes.push(`av--${size}`);
  if (isGuest) classes.push("av--guest");
  return (
    <span className={classes.join(" ")} aria-hidden="true">
      {monogramOf(name)}
    </span>
  );
}

export type SealLook = "sealed" | "open" | "coming" | "broken" | "ended";

export const SEAL_ICON: Record<SealLook, IconName> = {
  sealed: "seal",
  open: "seal-broken",
  broken: "seal-broken",
  coming: "seal-wait",
  ended: "seal-outline",
};

/** The seal is a shape and a word, never only a colour: it always stands beside its word. */
export function SealBadge({ state, children }: { state: SealLook; children: ReactNode }) {
  return (
    <span className={`sealbadge sealbadge--${state}`}>
      <Icon name={SEAL_ICON[state]} size={22} />
      {children}
    </span>
  );
}

const STEPS = 12;

/** A level from 0 to 1 as steps. The number is for screen readers, the steps are decoration. */
export function Meter({ label, level }: { label: string; level: number }) {
  const lit = Math.round(Math.min(1, Math.max(0, level)) * STEPS);
  return (
    <AriaMeter aria-label={label} value={lit} minValue={0} maxValue={STEPS} className="meter">
      {Array.from({ length: STEPS }, (_, step) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the steps never change their places
        <i key={step} className={step < lit ? "on" : ""} />
      ))}
    </AriaMeter>
  );
}

/** The small level inside a microphone's box; decoration. */
export function LevelBars({ level }: { level: number }) {
  const lit = Math.round(Math.min(1, Math.max(0, level)) * 5);
  return (
    <span className="lvl" aria-hidden="true">
      {Array.from({ length: 5 }, (_, step) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the steps never change their places
        <i key={step} className={step < lit ? "on" : ""} />
      ))}
    </span>
  );
}
