import { useTranslation } from "react-i18next";
import { Icon } from "../../../design/index.ts";
import { useIsInSealedMeeting } from "./context.tsx";
import { useLookalike } from "./useLookalikes.ts";

/** Beside a name that looks like somebody else's, wherever only the name is shown. */
export function LookalikeMark({ identity }: { identity: string }) {
  return useIsInSealedMeeting() ? <Mark identity={identity} /> : null;
}

/** The same in words, below how somebody came. `id`: an identity, or a seat at the door. */
export function LookalikeLine({ id }: { id: string }) {
  const { t } = useTranslation("sealed");
  const name = useLookalike(id);
  return name === null ? null : (
    <span className="c-caution m"> {t("how.lookalike", { name })}</span>
  );
}

function Mark({ identity }: { identity: string }) {
  const { t } = useTranslation("sealed");
  const name = useLookalike(identity);
  if (name === null) return null;
  return (
    <span className="c-caution mark">
      <Icon name="alert" size={16} />
      <span className="vh">{t("how.lookalike", { name })}</span>
    </span>
  );
}
