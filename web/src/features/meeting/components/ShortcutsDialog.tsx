import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog, Kbd, Switch } from "../../../design/index.ts";
import { SHORTCUT_LIST } from "../model/shortcuts.ts";
import { useMeeting, useView } from "./context.tsx";
import { IS_MAC } from "./platform.ts";

/** All keys, and the switch for those that are one letter only. */
export function ShortcutsDialog() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isOpen = useView((state) => state.dialog === "shortcuts");
  const areOn = useView((state) => state.areSingleKeysOn);
  const named = (key: string): string => {
    const names: Record<string, string> = {
      Space: t("shortcuts.keys.Space"),
      Escape: t("shortcuts.keys.Escape"),
      PageUp: t("shortcuts.keys.PageUp"),
      PageDown: t("shortcuts.keys.PageDown"),
      Shift: t("shortcuts.keys.Shift"),
      Backspace: t("shortcuts.keys.Backspace"),
      Mod: t(IS_MAC ? "shortcuts.keys.ModMac" : "shortcuts.keys.Mod"),
    };
    return names[key] ?? key;
  };
  return (
    <Dialog
      title={t("shortcuts.title")}
      isOpen={isOpen}
      onClose={() => view.show(null)}
      actions={
        <Button variant="primary" onPress={() => view.show(null)}>
          {t("shortcuts.close")}
        </Button>
      }
    >
      <p className="dialog__text">{t("shortcuts.hint")}</p>
      <Switch isSelected={areOn} onChange={(areSingleKeysOn) => view.setState({ areSingleKeysOn })}>
        {t("shortcuts.switch")}
      </Switch>
      <dl className="keys">
        {SHORTCUT_LIST.map(({ id, keys }) => (
          <Fragment key={id}>
            <dt>{t(`shortcuts.list.${id}`)}</dt>
            <dd>
              {keys.map((combination, index) => (
                <Fragment key={combination}>
                  {index > 0 && <span className="mut3 xs"> {t("shortcuts.or")} </span>}
                  {combination.split("+").map((key) => (
                    <Kbd key={key}>
                      {id === "pushToTalk" ? t("shortcuts.hold", { key: named(key) }) : named(key)}
                    </Kbd>
                  ))}
                </Fragment>
              ))}
            </dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
