import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon, TextField } from "../../design/index.ts";
import { InvitedRow, type RowAct } from "./InvitedRow.tsx";
import { isLive, type InvitedRow as Row } from "./model/rows.ts";

export interface InvitedListProps {
  rows: readonly Row[];
  onAct(row: Row, act: RowAct): void;
  onCopy(rows: readonly Row[]): void;
  onPrint(rows: readonly Row[]): void;
}

const SEARCH_ABOVE = 10;
/** Rows at once: each has buttons, and a thousand of them would hold up every key press. */
const SHOWN = 30;

/** Everybody who has a personal link, newest first. */
export function InvitedList({ rows, onAct, onCopy, onPrint }: InvitedListProps) {
  const { t } = useTranslation("invite");
  const [wanted, setWanted] = useState("");
  const [most, setMost] = useState(SHOWN);
  const search = wanted.trim().toLocaleLowerCase();
  const found = rows.filter(({ name }) => (name ?? "").toLocaleLowerCase().includes(search));
  const shown = found.slice(0, most);
  const rest = found.length - shown.length;
  const live = rows.filter((row) => isLive(row) && row.fragment !== null);
  return (
    <section className="invite__list" aria-label={t("list.region")}>
      <div className="row row-2 wrap">
        <h3 className="h3 grow">
          {t("list.heading")} <span className="mut3 num">{rows.filter(isLive).length}</span>
        </h3>
        {live.length > 1 && (
          <div className="row row-2 wrap">
            <Button variant="quiet" size="dense" icon="copy" onPress={() => onCopy(live)}>
              {t("list.copyAll")}
            </Button>
            <Button variant="quiet" size="dense" icon="print" onPress={() => onPrint(live)}>
              {t("list.printAll")}
            </Button>
          </div>
        )}
      </div>
      {rows.length > SEARCH_ABOVE && (
        <TextField
          label={t("list.search")}
          isLabelHidden
          placeholder={t("list.search")}
          value={wanted}
          onChange={setWanted}
          before={<Icon name="search" size={18} />}
        />
      )}
      {found.length === 0 ? (
        <p className="sm mut invite__none">{t("list.nobody")}</p>
      ) : (
        <ul>
          {shown.map((row) => (
            <InvitedRow key={row.id} row={row} onAct={onAct} />
          ))}
        </ul>
      )}
      {rest > 0 && (
        <Button isWide onPress={() => setMost(most + SHOWN)}>
          {t("list.more", { count: Math.min(rest, SHOWN) })}
        </Button>
      )}
    </section>
  );
}
