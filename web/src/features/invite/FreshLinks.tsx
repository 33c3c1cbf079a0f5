import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../design/index.ts";
import type { FreshFor, RoomWithin } from "./contract.ts";
import type { Letter } from "./Letters.tsx";
import { needing } from "./model/fresh.ts";
import type { InvitedRow } from "./model/rows.ts";
import { Note } from "./Note.tsx";
import type { Replaced } from "./useInvitations.ts";

export interface FreshLinksProps {
  people: readonly FreshFor[];
  rows: readonly InvitedRow[];
  url: string;
  within: RoomWithin;
  /** Makes them and takes the old ones back; rejects when none was made. */
  onMake(people: readonly FreshFor[], onSent: (count: number) => void): Promise<Replaced>;
  /** What went wrong, in words. */
  faultText(fault: unknown): string;
  onCopy(letters: readonly Letter[]): void;
  onPrint(letters: readonly Letter[]): void;
}

type State =
  | { readonly at: "asking"; readonly fault: string | null }
  | { readonly at: "making"; readonly done: number }
  | { readonly at: "made"; readonly links: readonly ForOne[]; readonly fault: string | null };

interface ForOne extends Letter {
  readonly identity: string;
}

/** New links for people who are in the room, handed over on paper, by copying, or in the chat. */
export function FreshLinks(props: FreshLinksProps) {
  const { people, rows, url, onMake, faultText } = props;
  const { t } = useTranslation("invite");
  const [state, setState] = useState<State>({ at: "asking", fault: null });
  // Once made, the list says that the old ones are taken back: nobody is asked for again.
  const [asked] = useState(() => needing(people, rows));

  async function make(): Promise<void> {
    setState({ at: "making", done: 0 });
    try {
      const { made, fault } = await onMake(asked, (done) => setState({ at: "making", done }));
      const links = made.map(({ id, name, fragment }, place) => ({
        id,
        name,
        link: `${url}${fragment}`,
        identity: asked[place]?.identity ?? "",
      }));
      setState({ at: "made", links, fault: fault === null ? null : faultText(fault) });
    } catch (error) {
      setState({ at: "asking", fault: faultText(error) });
    }
  }

  if (asked.length === 0) {
    return (
      <Note icon="check" text={t("fresh.nobody")}>
        {null}
      </Note>
    );
  }
  if (state.at === "made") {
    const had = asked.filter(({ invitation }) => invitation !== null).length;
    return <Made {...props} links={state.links} had={had} fault={state.fault} />;
  }
  const count = asked.length;
  return (
    <>
      {/* Isolated, so that a name in Hebrew or Arabic does not turn those beside it. */}
      <Note
        icon="link"
        text={t("fresh.ask", {
          count,
          names: asked.map(({ name }) => `\u2068${name}\u2069`).join(", "),
        })}
      >
        <Button
          size="dense"
          variant="primary"
          isBusy={state.at === "making"}
          onPress={() => void make()}
        >
          {state.at === "making" && state.done > 0
            ? t("add.making", { done: state.done, count })
            : t("fresh.make", { count })}
        </Button>
      </Note>
      {state.at === "asking" && state.fault !== null && (
        <p className="c-danger sm invite__line" role="alert">
          {state.fault}
        </p>
      )}
    </>
  );
}

interface MadeProps extends FreshLinksProps {
  links: readonly ForOne[];
  /** How many of them stand in place of another. */
  had: number;
  /** What could not be done with them; null: nothing. */
  fault: string | null;
}

function Made({ links, had, fault, within, onCopy, onPrint }: MadeProps) {
  const { t } = useTranslation("invite");
  const [sent, setSent] = useState<ReadonlySet<string>>(new Set());
  const [isSending, setSending] = useState(false);
  const [hasTried, setTried] = useState(false);
  const waiting = links.filter(({ id }) => !sent.has(id));

  async function send(): Promise<void> {
    setSending(true);
    const reached = new Set(sent);
    for (const { id, identity, link } of waiting) {
      const outcome = await within.tellPrivately(identity, t("fresh.message", { link }));
      if (outcome === "done") reached.add(id);
    }
    setSent(reached);
    setTried(true);
    setSending(false);
  }

  return (
    <>
      <Note
        icon="check"
        text={
          fault === null && had > 0
            ? `${t("made.line", { count: links.length })} ${t("fresh.takenBack", { count: had })}`
            : t("made.line", { count: links.length })
        }
      >
        {waiting.length > 0 && (
          <Button
            size="dense"
            variant="primary"
            icon="lock"
            isBusy={isSending}
            onPress={() => void send()}
          >
            {t(hasTried ? "fresh.sendRest" : "fresh.send", { count: waiting.length })}
          </Button>
        )}
        <Button size="dense" icon="copy" onPress={() => onCopy(links)}>
          {t("made.copy")}
        </Button>
        <Button size="dense" icon="print" onPress={() => onPrint(links)}>
          {t("made.print")}
        </Button>
      </Note>
      {fault !== null && (
        <p className="c-danger sm invite__line" role="alert">
          {fault}
        </p>
      )}
      {hasTried && (
        <p className="sm invite__line" role="status">
          {waiting.length === 0
            ? t("fresh.sent", { count: links.length })
            : t("fresh.notSent", {
                count: waiting.length,
                names: waiting.map(({ name }) => `\u2068${name}\u2069`).join(", "),
              })}
        </p>
      )}
    </>
  );
}
