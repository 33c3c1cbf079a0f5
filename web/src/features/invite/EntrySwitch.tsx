import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { MeetingEntry } from "../../api/types.ts";
import { Switch } from "../../design/index.ts";

export interface EntrySwitchProps {
  entry: MeetingEntry;
  /** The host is in the room, so whoever is in it follows at once. */
  isInside: boolean;
  onChange(entry: MeetingEntry): Promise<unknown>;
}

/** Whether the link for everybody opens the door, or only the knocker. */
export function EntrySwitch({ entry, isInside, onChange }: EntrySwitchProps) {
  const { t } = useTranslation("invite");
  /** Shown at once; what is true comes with the answer. */
  const [wanted, setWanted] = useState<MeetingEntry | null>(null);
  return (
    <div className="invite__entry">
      <Switch
        isSelected={(wanted ?? entry) === "invited"}
        onChange={(isOn) => {
          const next = isOn ? "invited" : "open";
          setWanted(next);
          void onChange(next).finally(() => setWanted(null));
        }}
      >
        {t("entry.switch")}
      </Switch>
      {!isInside && <p className="hint">{t("entry.note")}</p>}
    </div>
  );
}
