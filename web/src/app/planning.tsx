import { lazy, Suspense } from "react";
import type { Planning } from "../features/plan/contract.ts";
import { withLaterTexts } from "../i18n/index.ts";

// Whoever only joins a room needs none of it.
const Planned = lazy(() => withLaterTexts(import("../features/plan/Planned.tsx")));
const OwnRoom = lazy(() => withLaterTexts(import("../features/plan/OwnRoom.tsx")));

/** What is planned, and one's own room, for the page of who is signed in. */
export const planning: Planning = {
  planned: (request) => (
    <Suspense>
      <Planned {...request} />
    </Suspense>
  ),
  ownRoom: (request) => (
    <Suspense>
      <OwnRoom {...request} />
    </Suspense>
  ),
};
