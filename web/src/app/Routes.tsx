import { type ComponentType, lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Route, Switch } from "wouter";
import type { User } from "../api/types.ts";
import { NotFoundPage } from "../features/notfound/NotFoundPage.tsx";
import { OperatorPage } from "../features/operator/OperatorPage.tsx";
import { withLaterTexts } from "../i18n/index.ts";
import { GuestFrame } from "./frames.tsx";
import { HomeRoute } from "./HomeRoute.tsx";
import { MeetingRoute } from "./MeetingRoute.tsx";
import { MemberRoute, ToSignIn } from "./MemberRoute.tsx";

// Opened now and then: no part of the first load.
const VerifyPage = lazy(() => import("../features/verify/VerifyPage.tsx"));
const SignInPage = lazy(() => withLaterTexts(import("../features/account/signin/SignInPage.tsx")));
const OneTimePage = lazy(() =>
  withLaterTexts(import("../features/account/signin/OneTimePage.tsx")),
);
const RegisterPage = lazy(() =>
  withLaterTexts(import("../features/account/signin/RegisterPage.tsx")),
);
const SetUpPage = lazy(() => withLaterTexts(import("../features/account/setup/SetUpPage.tsx")));
const AccountPage = lazy(() => withLaterTexts(import("../features/account/page/AccountPage.tsx")));
const LogPage = lazy(() => withLaterTexts(import("../features/log/LogPage.tsx")));
const MeetingLogPage = lazy(() => withLaterTexts(import("../features/log/MeetingLogPage.tsx")));
const OwnMeetingsPage = lazy(() => withLaterTexts(import("../features/log/OwnMeetingsPage.tsx")));
const MembersPage = lazy(() => withLaterTexts(import("../features/members/MembersPage.tsx")));
const ReportPage = lazy(() => withLaterTexts(import("../features/report/ReportPage.tsx")));
const LinkPage = lazy(() => withLaterTexts(import("../features/start/devices/LinkPage.tsx")));

const FOR_ANYBODY: Record<string, ComponentType> = {
  "/operator": OperatorPage,
  "/verify": VerifyPage,
  "/report": ReportPage,
  "/sign-in": SignInPage,
  "/welcome": OneTimePage,
  "/register": RegisterPage,
  "/set-up": SetUpPage,
};

export function Routes() {
  return (
    <Switch>
      <Route path="/">
        <HomeRoute />
      </Route>
      {Object.entries(FOR_ANYBODY).map(([path, Page]) => (
        <Route key={path} path={path}>
          <GuestFrame>
            <Suspense>
              <Page />
            </Suspense>
          </GuestFrame>
        </Route>
      ))}
      <Route path="/account">
        <ForMembers page="/account">{() => <AccountPage />}</ForMembers>
      </Route>
      <Route path="/log">
        <ForMembers page="/log">{() => <LogPage />}</ForMembers>
      </Route>
      <Route path="/log/meetings">
        <ForMembers page="/log/meetings">
          {(user) => <OwnMeetingsPage userId={user.id} />}
        </ForMembers>
      </Route>
      <Route path="/log/:id">
        {({ id }) => (
          <ForMembers page={`/log/${id}`}>
            {(user) => <MeetingLogPage key={id} userId={user.id} meetingId={id} />}
          </ForMembers>
        )}
      </Route>
      <Route path="/members">
        <ForMembers page="/members">{() => <MembersPage />}</ForMembers>
      </Route>
      <Route path="/link">
        <ForMembers page="/link">{(user) => <LinkPage userId={user.id} />}</ForMembers>
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

function ForMembers({ page, children }: { page: string; children(user: User): ReactNode }) {
  const { t } = useTranslation("common");
  return (
    <MemberRoute title={t("nav.account")} stranger={<ToSignIn page={page} />}>
      {(user) => <Suspense>{children(user)}</Suspense>}
    </MemberRoute>
  );
}
