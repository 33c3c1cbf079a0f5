import { useEffect, useState } from "react";
import { type Figures, figuresOf, type Snapshot } from "../model/statistics.ts";
import { useMeeting } from "./context.tsx";

const EVERY_MS = 1_000;
/** Rates and losses are those of the last four seconds: steady enough to be read. */
const KEPT = 5;

/** The figures of the moment, once a second for as long as they are shown. */
export function useFigures(): Figures | null {
  const { session } = useMeeting();
  const [figures, setFigures] = useState<Figures | null>(null);
  useEffect(() => {
    let kept: readonly Snapshot[] = [];
    let isReading = false;
    let isShown = true;
    const read = async () => {
      if (isReading) return;
      isReading = true;
      const snapshot = await session.readStatistics().catch(() => null);
      isReading = false;
      if (!isShown) return;
      kept = snapshot === null ? [] : [...kept, snapshot].slice(-KEPT);
      const first = kept.length > 1 ? kept[0] : undefined;
      setFigures(snapshot === null ? null : figuresOf(first ?? null, snapshot));
    };
    void read();
    const timer = setInterval(() => void read(), EVERY_MS);
    return () => {
      isShown = false;
      clearInterval(timer);
    };
  }, [session]);
  return figures;
}
