import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { fetchInviting } from "../../api/invitations.ts";
import { MOST_ADDRESSES, postLetters } from "../../api/plans.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import {
  announceNow,
  Button,
  Choices,
  Dialog,
  showToast,
  TextField,
  useSlowly,
} from "../../design/index.ts";
import { keyRingOf } from "../../vault/session.ts";
import { TextBox } from "./fields/TextBox.tsx";
import { isAddress, readAddresses } from "./model/addresses.ts";
import type { Plan } from "./model/plan.ts";
import { type Addressee, type LetterText, useLetter } from "./useLetter.ts";

export interface MailDialogProps {
  userId: string;
  meeting: RunningMeeting;
  plan: Plan;
  /** For everybody. */
  link: string;
  onClose(): void;
}

const LINKS = ["open", "personal"] as const;

interface Post extends LetterText {
  readonly to: readonly string[];
}

/** Letters about a plan. All that the server will read is shown before anything is sent. */
export function MailDialog({ userId, meeting, plan, link, onClose }: MailDialogProps) {
  const { t } = useTranslation(["plan", "common"]);
  const errorText = useErrorText();
  const form = useId();
  const letter = useLetter(meeting, plan, link);
  const invited = useInvited(userId, meeting);
  const isSlow = useSlowly();
  const [which, setWhich] = useState<(typeof LINKS)[number]>("open");
  const [text, setText] = useState("");
  const [own, setOwn] = useState<ReadonlyMap<string, string>>(new Map());
  const [fault, setFault] = useState<string>();
  const [isSending, setSending] = useState(false);

  const people = invited.data?.slice(0, MOST_ADDRESSES) ?? [];
  const filled = people.filter(({ id }) => (own.get(id) ?? "").trim() !== "");
  const shown = which === "open" ? null : (filled[0] ?? people[0] ?? null);
  const preview = letter(shown);
  const read = readAddresses(text);
  const all =
    which === "personal"
      ? filled.map(({ id }) => (own.get(id) ?? "").trim())
      : read.type === "read"
        ? read.addresses
        : [];
  const addresses = all.join(", ");

  /** Null: something is wrong, and it has been said. */
  function postsNow(): readonly Post[] | null {
    if (which === "open") {
      if (read.type === "read") return [{ ...letter(null), to: read.addresses }];
      return say(
        read.type === "bad"
          ? t("mail.bad", { address: read.address })
          : t(read.type === "none" ? "mail.none" : "mail.tooMany"),
      );
    }
    const bad = filled.find(({ id }) => !isAddress((own.get(id) ?? "").trim()));
    if (bad !== undefined) return say(t("mail.bad", { address: (own.get(bad.id) ?? "").trim() }));
    if (filled.length === 0) return say(t("mail.none"));
    return filled.map((one) => ({ ...letter(one), to: [(own.get(one.id) ?? "").trim()] }));
  }

  function say(what: string): null {
    setFault(what);
    announceNow(what);
    return null;
  }

  async function send(posts: readonly Post[]): Promise<void> {
    const failed: string[] = [];
    let sent = 0;
    for (const post of posts) {
      const faults = await postLetters(meeting.id, post);
      failed.push(...post.to.filter((_, at) => faults[at] !== null));
      sent += faults.filter((one) => one === null).length;
      // What is on its way is not sent once more after a failure further on.
      if (which === "personal") forget(post.to);
    }
    if (failed.length > 0) {
      say(t("mail.failed", { addresses: failed.join(", ") }));
      setText(failed.join("\n"));
    }
    if (sent > 0) showToast(t("mail.sent", { count: sent }));
    if (failed.length === 0) onClose();
  }

  function forget(addresses: readonly string[]): void {
    setOwn((before) => new Map([...before].filter(([, one]) => !addresses.includes(one.trim()))));
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isSending) return;
    const posts = postsNow();
    if (posts === null) return;
    setSending(true);
    send(posts)
      .catch((error: unknown) => say(errorText(error)))
      .finally(() => setSending(false));
  }

  return (
    <Dialog
      isOpen
      isWide
      isAlert={text !== "" || own.size > 0}
      title={t("mail.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" icon="send" isBusy={isSending}>
            {isSending ? t("mail.sending") : t("mail.send", { count: all.length })}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("mail.text")}</p>
      <form id={form} className="dialog__form" onSubmit={submit} noValidate>
        <Choices
          label={t("mail.which")}
          values={LINKS}
          value={which}
          onChange={(chosen) => {
            setWhich(chosen);
            setFault(undefined);
          }}
          textOf={(one) => t(`mail.links.${one}`)}
        />
        {which === "open" ? (
          <TextBox
            label={t("mail.to")}
            hint={t("mail.toHint")}
            value={text}
            onChange={(value) => {
              setText(value);
              setFault(undefined);
            }}
            error={fault}
          />
        ) : invited.data === undefined ? (
          <p className="sm mut" role="status">
            {invited.isError ? errorText(invited.error) : isSlow && t("mail.loading")}
          </p>
        ) : people.length === 0 ? (
          <p className="sm mut">{t("mail.nobody")}</p>
        ) : (
          <div className="plan__people">
            {people.map(({ id, name }) => (
              <TextField
                key={id}
                label={t("mail.address", { name })}
                type="email"
                value={own.get(id) ?? ""}
                onChange={(value) => {
                  setOwn((before) => new Map(before).set(id, value));
                  setFault(undefined);
                }}
                autoComplete="off"
              />
            ))}
            <p className="hint hint--error" role="alert">
              {fault ?? ""}
            </p>
          </div>
        )}
        <section className="plan__letter" aria-labelledby={`${form}-reads`}>
          <h3 className="label" id={`${form}-reads`}>
            {t("mail.reads")}
          </h3>
          {shown !== null && <p className="sm mut">{t("mail.example", { name: shown.name })}</p>}
          {addresses !== "" && (
            <>
              <p className="sm mut">{t("mail.to")}</p>
              <p>{addresses}</p>
            </>
          )}
          <p className="sm mut">{t("mail.subject")}</p>
          <p className="b">{preview.subject}</p>
          <p className="sm mut">{t("mail.body")}</p>
          <p className="plan__lettertext">{preview.text}</p>
          <p className="sm mut">{t("mail.attached")}</p>
        </section>
      </form>
    </Dialog>
  );
}

interface Invited extends Addressee {
  readonly id: string;
}

/** People whose personal link opens the room: with a name, not taken back, not expired. */
function useInvited(userId: string, meeting: RunningMeeting) {
  return useQuery({
    queryKey: ["letters to", meeting.id],
    queryFn: async ({ signal }): Promise<Invited[]> => {
      const [links, { invitations }] = await Promise.all([
        keyRingOf(userId).then((ring) => ring.invited(meeting.id)),
        fetchInviting(meeting.id, signal),
      ]);
      const good = new Set(
        invitations
          .filter(({ state }) => state === "unused" || state === "used")
          .map(({ id }) => id),
      );
      return links
        .filter(({ id }) => good.has(id))
        .map(({ id, name, fragment }) => ({ id, name, link: meeting.url + fragment }));
    },
    staleTime: 0,
    gcTime: 0,
  });
}
