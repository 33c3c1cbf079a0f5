import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Account, useAccount } from "../../../api/account.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import { Button, PageTitle, useSlowly } from "../../../design/index.ts";
import { DeleteSection } from "./DeleteSection.tsx";
import { NoticesSection } from "./NoticesSection.tsx";
import { PasskeysSection } from "./PasskeysSection.tsx";
import { PasswordSection } from "./PasswordSection.tsx";
import { RecoverySection } from "./RecoverySection.tsx";
import { SessionsSection } from "./SessionsSection.tsx";
import "../account.css";

/** `/account`: how one signs in, where one is signed in, and what has happened. */
export default function AccountPage() {
  const { t } = useTranslation(["account", "common"]);
  const account = useAccount();
  const errorText = useErrorText();
  const isSlow = useSlowly();

  return (
    <main id="main" className="page acc">
      <PageTitle title={t("title")}>{t("heading")}</PageTitle>
      {account.data === undefined && account.isError && (
        <div className="acc__note" role="alert">
          <p>{errorText(account.error)}</p>
          <Button size="dense" onPress={() => void account.refetch()}>
            {t("common:retry")}
          </Button>
        </div>
      )}
      {account.data === undefined && !account.isError && isSlow && (
        <p className="acc__note" role="status">
          {t("loading")}
        </p>
      )}
      {account.data && <Sections account={account.data} />}
    </main>
  );
}

function Sections({ account }: { account: Account }) {
  // News stands first, for as long as the page is open; else it is history.
  const [isNews] = useState(() => account.notices.some(({ is_seen }) => !is_seen));
  return (
    <>
      {isNews && <NoticesSection account={account} />}
      <PasskeysSection account={account} />
      <PasswordSection account={account} />
      <RecoverySection account={account} />
      <SessionsSection account={account} />
      {!isNews && <NoticesSection account={account} />}
      <DeleteSection account={account} />
    </>
  );
}
