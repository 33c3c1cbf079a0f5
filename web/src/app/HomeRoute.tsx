import { useTranslation } from "react-i18next";
import { useSession, useSignOut } from "../api/queries.ts";
import { useErrorText } from "../api/useErrorText.ts";
import { Button, CalmPage, showToast } from "../design/index.ts";
import { StartPage } from "../features/start/StartPage.tsx";
import { WelcomePage } from "../features/start/WelcomePage.tsx";
import { GuestFrame, MemberFrame } from "./frames.tsx";
import { renderInviteFor } from "./Invite.tsx";

/** `/`: the operator's rooms, or what this is for everybody else. */
export function HomeRoute() {
  const { t } = useTranslation(["start", "common"]);
  const session = useSession();
  const signOut = useSignOut();
  const errorText = useErrorText();

  if (session.isPending) return <GuestFrame>{null}</GuestFrame>;
  if (session.isError) {
    return (
      <GuestFrame>
        <CalmPage
          title={t("page.title")}
          icon="alert"
          heading={errorText(session.error)}
          actions={
            <Button variant="primary" onPress={() => void session.refetch()}>
              {t("common:retry")}
            </Button>
          }
        />
      </GuestFrame>
    );
  }
  if (session.data === null) {
    return (
      <GuestFrame>
        <WelcomePage />
      </GuestFrame>
    );
  }
  return (
    <MemberFrame
      name={t("page.operator")}
      signOutLabel={t("page.signOut")}
      onSignOut={() =>
        signOut.mutate(undefined, {
          onSuccess: () => showToast(t("page.signedOut")),
          onError: (error) => showToast(errorText(error)),
        })
      }
    >
      <StartPage userId={session.data.id} invite={renderInviteFor(session.data.id)} />
    </MemberFrame>
  );
}
