import { lazy, Suspense } from "react";
import { useStore } from "zustand";
import { withLaterTexts } from "../i18n/index.ts";
import { freshQuestion } from "./fresh.ts";

// Asked seldom: no part of the first load.
const FreshDialog = lazy(() => withLaterTexts(import("./FreshDialog.tsx")));

/** Where the question "is it still you?" is shown, over whatever page asked for it. */
export function FreshHost() {
  const question = useStore(freshQuestion, ({ open }) => open);
  if (question === null) return null;
  return (
    <Suspense>
      <FreshDialog onAnswer={question.answer} />
    </Suspense>
  );
}
