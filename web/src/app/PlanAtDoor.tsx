import { lazy, Suspense } from "react";
import type { PlanFactsProps } from "../features/plan/PlanFacts.tsx";
import { withLaterTexts } from "../i18n/index.ts";

const PlanFacts = lazy(() => withLaterTexts(import("../features/plan/PlanFacts.tsx")));

/** When a planned meeting takes place; its code is loaded at the doors of those alone. */
export function PlanAtDoor(props: PlanFactsProps) {
  return (
    <Suspense>
      <PlanFacts {...props} />
    </Suspense>
  );
}
