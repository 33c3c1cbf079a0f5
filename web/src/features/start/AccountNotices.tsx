import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { User } from "../../api/types.ts";
import { Button } from "../../design/index.ts";
import { Notice } from "./Notice.tsx";

/** What has to be said about the account: no way to come back yet, or something has happened. */
export function AccountNotices({ user }: { user: User }) {
  const { t } = useTranslation("start");
  const [, navigate] = useLocation();
  return (
    <>
      {user.has_sign_in === false && (
        <Notice
          icon="keyhole"
          title={t("account.setUpTitle")}
          action={
            <Button size="dense" onPress={() => navigate("/set-up")}>
              {t("account.setUp")}
            </Button>
          }
        >
          {t(`account.setUpText.${user.role}`)}
        </Notice>
      )}
      {user.has_sign_in && user.unseen_notices > 0 && (
        <Notice
          icon="info"
          title={t("account.newsTitle", { count: user.unseen_notices })}
          action={
            <Button size="dense" onPress={() => navigate("/account")}>
              {t("account.news")}
            </Button>
          }
        >
          {t("account.newsText")}
        </Notice>
      )}
    </>
  );
}
