import { useEffect, useState } from "react";

/** The time, renewed every `everyMs`: for dates and durations that stand on the screen for long. */
export function useNow(everyMs: number): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
