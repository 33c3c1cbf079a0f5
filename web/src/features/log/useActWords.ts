import { useTranslation } from "react-i18next";
import type { AuditEntry } from "../../api/audit.ts";

/** What this browser knows of the ids in entries. */
export interface Known {
  /** Of an account; null: nobody's. */
  who(id: string | null): string | null;
  /** In whose name an invitation was made; null: not known here. */
  invited(id: string): string | null;
}

export interface ActWords {
  /** What happened. A kind that this page does not know is shown as it is. */
  act(type: string): string;
  /** What the entry says beyond whose act it was and when. */
  facts(entry: AuditEntry, known: Known): string[];
}

/** The log's fixed words in the person's language (docs/reference/audit-log.md, kinds). */
export function useActWords(): ActWords {
  const { t, i18n } = useTranslation("log");

  /** `.` separates the levels of a kind, as in the texts. */
  function word(key: string, otherwise: string): string {
    return i18n.exists(`log:${key}`) ? t(key as "act.account.signed_in") : otherwise;
  }

  return {
    act: (type) => word(`act.${type}`, type),
    facts: ({ details, user_id }, { who, invited }) =>
      Object.entries(details).flatMap(([fact, value]) => {
        if (value === null || value === false) return [];
        if (fact === "by" && value === user_id) return [];
        if (fact === "by") return [t("fact.by", { who: who(String(value)) })];
        if (fact === "left") return [t("fact.left", { count: Number(value) })];
        if (fact === "is_new_device") return [t("fact.isNewDevice")];
        const name = fact === "invitation_id" ? invited(String(value)) : null;
        // Isolated, so that a name in Hebrew or Arabic does not turn what stands beside it.
        if (name !== null) return [t("fact.linkOf", { name: `\u2068${name}\u2069` })];
        // Of ids that only the log has, nobody can make anything here: they are in its API.
        if (fact.endsWith("_id") || fact === "identity") return [];
        return [word(`fact.${fact}.${String(value)}`, `${fact}: ${String(value)}`)];
      }),
  };
}
