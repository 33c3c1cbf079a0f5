import { useCallback, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import "./invite.css";
import { ApiError } from "../../api/errors.ts";
import { Button, Dialog, showToast, useSlowly } from "../../design/index.ts";
import { MOST_INVITED } from "../../sealing/vault/invited.ts";
import { copyText } from "../../useCopyLink.ts";
import type { NewInvited } from "../../vault/invitations.ts";
import { AddPeople } from "./AddPeople.tsx";
import type { InviteRequest } from "./contract.ts";
import { EntrySwitch } from "./EntrySwitch.tsx";
import { FreshLinks } from "./FreshLinks.tsx";
import { InvitedList } from "./InvitedList.tsx";
import type { RowAct } from "./InvitedRow.tsx";
import { type Letter, Letters } from "./Letters.tsx";
import { LinkDialog } from "./LinkDialog.tsx";
import { type InvitedRow, isLive } from "./model/rows.ts";
import { Note } from "./Note.tsx";
import { ReleaseDialog } from "./ReleaseDialog.tsx";
import { useInvitations } from "./useInvitations.ts";
import { useFaultText } from "./useInviteWords.ts";

export interface InviteDialogProps extends InviteRequest {
  userId: string;
}

/** Above so many, whoever has no personal link knocks, unless the host wants it otherwise. */
const OPEN_UP_TO = 5;

/** Who has a personal link to this meeting, what became of it, and links for more people. */
export default function InviteDialog(props: InviteDialogProps) {
  const { userId, meetingId, url, title, within, fresh, onClose } = props;
  const { t } = useTranslation(["invite", "common"]);
  const isSlow = useSlowly();
  const faultText = useFaultText();
  const invitations = useInvitations(userId, meetingId, within);
  const { rows } = invitations;
  const entry = within?.entry ?? invitations.entry;
  const [text, setText] = useState("");
  const [addFault, setAddFault] = useState<string>();
  const [done, setDone] = useState<number | null>(null);
  const [isAdding, setAdding] = useState<boolean>();
  const [made, setMade] = useState<readonly Letter[]>([]);
  const [isClosedNow, setClosedNow] = useState(false);
  const [isSending, setSending] = useState(false);
  const [shown, setShown] = useState<Letter>();
  const [releasing, setReleasing] = useState<InvitedRow>();
  const [printing, setPrinting] = useState<readonly Letter[]>();

  const nameOf = useCallback((row: InvitedRow) => row.name ?? t("nameless"), [t]);
  const letterOf = useCallback(
    (row: InvitedRow): Letter => ({
      id: row.id,
      name: nameOf(row),
      link: `${url}${row.fragment ?? ""}`,
    }),
    [nameOf, url],
  );
  const live = useMemo(() => rows?.filter(isLive) ?? [], [rows]);
  const known = useMemo(() => live.map(({ name }) => name ?? ""), [live]);
  const unsent = rows?.filter(({ standing }) => standing.type === "unsent") ?? [];

  async function add(people: readonly NewInvited[]): Promise<void> {
    setDone(0);
    setAddFault(undefined);
    try {
      const links = await invitations.add(people, setDone);
      setText("");
      setAdding(false);
      setMade(links.map(({ id, name, fragment }) => ({ id, name, link: `${url}${fragment}` })));
      const isMore = live.length <= OPEN_UP_TO && live.length + links.length > OPEN_UP_TO;
      if (isMore && entry === "open") {
        setClosedNow(true);
        await change(() => invitations.setEntry("invited"));
      }
    } catch (error) {
      if (error instanceof ApiError) {
        // The links are made; the list says which of them the server does not have.
        setText("");
        setAdding(false);
        showToast(`${t("fault.sending")} ${faultText(error)}`);
      } else {
        setAddFault(faultText(error));
      }
    } finally {
      setDone(null);
    }
  }

  /** Says what went wrong; what was to be changed is as the list shows it. */
  async function change(work: () => Promise<unknown>, said?: string): Promise<boolean> {
    try {
      await work();
      if (said !== undefined) showToast(said);
      return true;
    } catch (error) {
      showToast(faultText(error));
      return false;
    }
  }

  async function copyAll(letters: readonly Letter[]): Promise<void> {
    const lines = letters.map(({ name, link }) => `${name}: ${link}`).join("\n");
    const hasCopied = await copyText(lines);
    const count = letters.length;
    showToast(hasCopied ? t("list.copied", { count }) : t("common:linkNotCopied"));
  }

  /** By whatever program of this device its person chooses. */
  async function share({ link }: Letter): Promise<void> {
    try {
      await navigator.share(title === "" ? { url: link } : { title, url: link });
    } catch (error) {
      // Thought better of it.
      if (error instanceof DOMException && error.name === "AbortError") return;
      showToast(t((await copyText(link)) ? "common:linkCopied" : "common:linkNotCopied"));
    }
  }

  async function renew(row: InvitedRow): Promise<void> {
    await change(async () => {
      const { id, name, fragment } = await invitations.renew(row, nameOf(row));
      setShown({ id, name, link: `${url}${fragment}` });
    });
  }

  function act(row: InvitedRow, what: RowAct): void {
    const name = nameOf(row);
    const letter = letterOf(row);
    if (what === "copy") {
      void copyText(letter.link).then((hasCopied) =>
        showToast(t(hasCopied ? "common:linkCopied" : "common:linkNotCopied")),
      );
    } else if (what === "qr") setShown(letter);
    else if (what === "share") void share(letter);
    else if (what === "release") setReleasing(row);
    else if (what === "renew") void renew(row);
    else {
      const isRevoked = what === "revoke";
      const said = t(isRevoked ? "row.revoked" : "row.restored", { name });
      void change(() => invitations.revoke(row, isRevoked), said);
    }
  }
  // Rows are drawn again when they change, not with every letter that is typed.
  const latest = useRef(act);
  latest.current = act;
  const onAct = useCallback((row: InvitedRow, what: RowAct) => latest.current(row, what), []);

  const isFormOpen = isAdding ?? (rows !== null && rows.length === 0 && fresh === undefined);
  return (
    <Dialog
      isOpen
      isWide
      // A press outside must not take what was typed with it.
      isAlert={text.trim() !== ""}
      title={t("title")}
      onClose={onClose}
      actions={<Button onPress={onClose}>{t("close")}</Button>}
    >
      <p className="dialog__text">{t("text")}</p>
      {invitations.fault !== null && (
        <Note tone="danger" icon="alert" text={faultText(invitations.fault)}>
          <Button size="dense" onPress={() => void invitations.retry()}>
            {t("common:retry")}
          </Button>
        </Note>
      )}
      {rows === null && isSlow && invitations.fault === null && (
        <p className="invite__none mut" role="status">
          {t("list.loading")}
        </p>
      )}
      {fresh !== undefined && within !== null && rows !== null && (
        <FreshLinks
          people={fresh}
          rows={rows}
          url={url}
          within={within}
          onMake={invitations.replace}
          faultText={faultText}
          onCopy={(letters) => void copyAll(letters)}
          onPrint={setPrinting}
        />
      )}
      {made.length > 0 && (
        <Note icon="check" text={t("made.line", { count: made.length })}>
          <Button size="dense" icon="copy" onPress={() => void copyAll(made)}>
            {t("made.copy")}
          </Button>
          <Button size="dense" icon="print" onPress={() => setPrinting(made)}>
            {t("made.print")}
          </Button>
        </Note>
      )}
      {isClosedNow && entry === "invited" && (
        <Note icon="lock" text={t("entry.closed", { most: OPEN_UP_TO })}>
          <Button
            size="dense"
            onPress={() => {
              setClosedNow(false);
              void change(() => invitations.setEntry("open"));
            }}
          >
            {t("entry.undo")}
          </Button>
        </Note>
      )}
      {unsent.length > 0 && done === null && (
        <Note tone="caution" icon="alert" text={t("list.unsent", { count: unsent.length })}>
          <Button
            size="dense"
            isBusy={isSending}
            onPress={() => {
              setSending(true);
              void change(() => invitations.sendAgain(unsent)).finally(() => setSending(false));
            }}
          >
            {t(isSending ? "list.sending" : "list.send")}
          </Button>
        </Note>
      )}
      {rows !== null &&
        (isFormOpen ? (
          <AddPeople
            text={text}
            onText={(value) => {
              setText(value);
              setAdding(true);
              setAddFault(undefined);
            }}
            known={known}
            room={Math.max(0, MOST_INVITED - rows.length)}
            fault={addFault}
            done={done}
            onAdd={(people) => void add(people)}
          />
        ) : (
          <Button icon="user-plus" className="invite__open" onPress={() => setAdding(true)}>
            {t("add.open")}
          </Button>
        ))}
      {entry !== null && (
        <EntrySwitch
          entry={entry}
          isInside={within !== null}
          onChange={(wanted) => change(() => invitations.setEntry(wanted))}
        />
      )}
      {within !== null && within.openLinkDevices > 0 && (
        <p className="sm mut invite__line">{t("openLink", { count: within.openLinkDevices })}</p>
      )}
      {rows !== null &&
        (rows.length === 0 ? (
          <p className="sm mut invite__none">{t("list.empty")}</p>
        ) : (
          <InvitedList
            rows={rows}
            onAct={onAct}
            onCopy={(some) => void copyAll(some.map(letterOf))}
            onPrint={(some) => setPrinting(some.map(letterOf))}
          />
        ))}
      {shown && (
        <LinkDialog name={shown.name} link={shown.link} onClose={() => setShown(undefined)} />
      )}
      {releasing && (
        <ReleaseDialog
          name={nameOf(releasing)}
          onClose={() => setReleasing(undefined)}
          onYes={() =>
            change(
              () => invitations.release(releasing),
              t("row.released", { name: nameOf(releasing) }),
            )
          }
        />
      )}
      {printing && (
        <Letters title={title} letters={printing} onDone={() => setPrinting(undefined)} />
      )}
    </Dialog>
  );
}
