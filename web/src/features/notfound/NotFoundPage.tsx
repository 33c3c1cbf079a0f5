import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { Button, CalmPage } from "../../design/index.ts";
import { exampleLink } from "../../links.ts";

export function NotFoundPage() {
  const { t } = useTranslation(["notfound", "common"]);
  const [, navigate] = useLocation();
  return (
    <CalmPage
      title={t("title")}
      icon="keyhole"
      heading={t("heading")}
      text={t("text", { example: exampleLink(location.origin) })}
      actions={
        <Button variant="primary" onPress={() => navigate("/")}>
          {t("common:toStart")}
        </Button>
      }
    />
  );
}
