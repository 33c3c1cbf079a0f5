import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { useHasMoved } from "../../api/queries.ts";
import { Button, PageTitle, Vow } from "../../design/index.ts";
import { JoinForm } from "./JoinForm.tsx";

/** `/` for somebody who is not signed in: what this is, and the door. */
export function WelcomePage() {
  const { t } = useTranslation(["start", "common"]);
  const [, navigate] = useLocation();
  const hasMoved = useHasMoved();
  return (
    <main id="main" className="welcome">
      <div className="welcome__lead">
        <PageTitle title={t("welcome.title")}>{t("welcome.heading")}</PageTitle>
        <p className="welcome__text">{t("welcome.text")}</p>
        <JoinForm />
      </div>
      <div className="welcome__side">
        <Vow state="sealed" line={t("common:seal.line")} more={t("common:seal.more")} />
        <section className="welcome__own">
          <h2 className="label">{t("welcome.memberTitle")}</h2>
          {hasMoved && <p role="status">{t("welcome.moved")}</p>}
          <p>
            <Button icon="keyhole" onPress={() => navigate("/sign-in")}>
              {t("welcome.signIn")}
            </Button>
          </p>
        </section>
        <section className="welcome__own">
          <h2 className="label">{t("welcome.operatorTitle")}</h2>
          <p className="mut">{t("welcome.operatorText")}</p>
          <p>
            <code>conclave operator-link</code>
          </p>
        </section>
      </div>
    </main>
  );
}
