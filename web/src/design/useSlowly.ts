import { useEffect, useState } from "react";

const PATIENCE_MS = 400;

/** False for the first 400 ms: what comes sooner needs no "loading", and a flash only unsettles. */
export function useSlowly(): boolean {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSlow;
}
