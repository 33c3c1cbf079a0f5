import { useTranslation } from "react-i18next";
import { Button, IconButton, Menu, THEMES, type Theme, useTheme } from "../design/index.ts";
import { LANGUAGE_NAMES, LANGUAGES, switchLanguage, useLanguage } from "../i18n/index.ts";

/** Language and appearance: on every page outside a meeting. */
export function Preferences() {
  const { t } = useTranslation("common");
  const language = useLanguage();
  const { theme, setTheme } = useTheme();
  return (
    <div className="row row-2">
      {LANGUAGES.filter((other) => other !== language).map((other) => (
        <Button
          key={other}
          variant="quiet"
          size="dense"
          icon="globe"
          lang={other}
          onPress={() => void switchLanguage(other)}
        >
          {LANGUAGE_NAMES[other]}
        </Button>
      ))}
      <Menu
        label={t("theme.label")}
        trigger={<IconButton icon="theme" label={t("theme.label")} size="dense" />}
        groups={[
          {
            id: "theme",
            title: t("theme.label"),
            selectedId: theme,
            entries: THEMES.map((id) => ({ id, label: t(`theme.${id}`) })),
          },
        ]}
        onAction={(id) => setTheme(id as Theme)}
      />
    </div>
  );
}
