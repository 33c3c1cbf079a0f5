import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { NotFoundPage } from "../features/notfound/NotFoundPage.tsx";
import { OperatorPage } from "../features/operator/OperatorPage.tsx";
import { GuestFrame } from "./frames.tsx";
import { HomeRoute } from "./HomeRoute.tsx";
import { MeetingRoute } from "./MeetingRoute.tsx";

// Few people open it: no part of the first load.
const VerifyPage = lazy(() => import("../features/verify/VerifyPage.tsx"));

export function Routes() {
  return (
    <Switch>
      <Route path="/">
        <HomeRoute />
      </Route>
      <Route path="/operator">
        <GuestFrame>
          <OperatorPage />
        </GuestFrame>
      </Route>
      <Route path="/verify">
        <GuestFrame>
          <Suspense>
            <VerifyPage />
          </Suspense>
        </GuestFrame>
      </Route>
      <Route path="/m/:id">{({ id }) => <MeetingRoute key={id} meetingId={id} />}</Route>
      <Route>
        <GuestFrame>
          <NotFoundPage />
        </GuestFrame>
      </Route>
    </Switch>
  );
}
