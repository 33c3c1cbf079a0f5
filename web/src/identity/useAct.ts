import { useState } from "react";
import { NotProven } from "./fresh.ts";

export interface Act {
  readonly isBusy: boolean;
  /** What the last try ended in; null: nothing to say. */
  readonly fault: unknown;
  /** One at a time: while one runs, another press does nothing. */
  run(work: () => Promise<unknown>): void;
  forget(): void;
}

/** One thing that a person does, with what came of it. A question that was closed is no fault. */
export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  return {
    isBusy,
    fault,
    forget: () => setFault(null),
    run(work) {
      if (isBusy) return;
      setBusy(true);
      setFault(null);
      work()
        .catch((error: unknown) => {
          if (!(error instanceof NotProven)) setFault(error);
        })
        .finally(() => setBusy(false));
    },
  };
}
