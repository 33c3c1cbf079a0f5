import { useTranslation } from "react-i18next";
import { StartPage } from "../features/start/StartPage.tsx";
import { WelcomePage } from "../features/start/WelcomePage.tsx";
import { GuestFrame } from "./frames.tsx";
import { renderInviteFor } from "./Invite.tsx";
import { MemberRoute } from "./MemberRoute.tsx";
import { planning } from "./planning.tsx";

/** `/`: one's rooms, or what this is for everybody else. */
export function HomeRoute() {
  const { t } = useTranslation("start");
  return (
    <MemberRoute
      title={t("page.title")}
      stranger={
        <GuestFrame>
          <WelcomePage />
        </GuestFrame>
      }
    >
      {(user) => <StartPage user={user} invite={renderInviteFor(user.id)} planning={planning} />}
    </MemberRoute>
  );
}
