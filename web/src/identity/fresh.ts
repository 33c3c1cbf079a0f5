/**
 * Before dangerous acts the server wants to know again who is there. `withFresh` runs the act, and
 * when the server asks for it shows the question (`FreshDialog`) and carries the act on.
 */
import { createStore } from "zustand/vanilla";
import { asApiError } from "../api/errors.ts";

/** Somebody closed the question: nothing was done, and nothing needs to be said. */
export class NotProven extends Error {
  override readonly name = "NotProven";
}

interface Question {
  readonly answer: (isProven: boolean) => void;
}

/** The question on the screen; null: none. One at a time. */
export const freshQuestion = createStore<{ readonly open: Question | null }>(() => ({
  open: null,
}));

let asking: Promise<boolean> | null = null;

function ask(): Promise<boolean> {
  asking ??= new Promise<boolean>((resolve) => {
    freshQuestion.setState({
      open: {
        answer: (isProven) => {
          freshQuestion.setState({ open: null });
          asking = null;
          resolve(isProven);
        },
      },
    });
  });
  return asking;
}

/** Rejects with `NotProven` when the question was closed, else as `act` does. */
export async function withFresh<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (asApiError(error).code !== "reauthenticate") throw error;
  }
  if (!(await ask())) throw new NotProven();
  return act();
}
