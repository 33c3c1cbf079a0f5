import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Label, TextArea, TextField } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Button, Icon, IconButton, Menu, showToast } from "../../../design/index.ts";
import { excess } from "../model/chatText.ts";
import { useSealed, useSealedMeeting } from "./context.tsx";
import { type Draft, PLAIN_DRAFT } from "./draft.ts";
import { useWritable, type Writable } from "./useOwnRights.ts";

export interface ComposerProps {
  draft: Draft;
  onDraft(draft: Draft): void;
}

const EVERYONE = "everyone";
const ROWS = 6;

/** Where one writes. Enter sends, Shift+Enter makes a new line, Escape lets go of reply and edit. */
export function Composer({ draft, onDraft }: ComposerProps) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const [text, setText] = useState("");
  const [isTooFast, setTooFast] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const { editing, replyTo, privateTo } = draft;
  useEffect(() => {
    if (editing !== null) setText(editing.text);
  }, [editing]);
  // A draft is begun elsewhere (a menu); writing goes on here.
  useEffect(() => {
    if (draft !== PLAIN_DRAFT) field.current?.focus();
  }, [draft]);

  const writable = useWritable();
  const members = useSealed((sealed) => sealed.members);
  const others = members.filter(({ isSelf, identity }) => !isSelf && writable.isTo(identity));
  const over = excess(text);
  const isEmpty = text.trim() === "";
  const submit = async () => {
    if (isEmpty || over > 0) return;
    const words = text.trim();
    setText("");
    setTooFast(false);
    onDraft({ ...PLAIN_DRAFT, privateTo: editing === null ? privateTo : null });
    const outcome =
      editing === null
        ? await actions.sendChat(words, {
            ...(replyTo === null ? {} : { replyTo: replyTo.id }),
            ...(privateTo === null ? {} : { privateTo }),
          })
        : await actions.editChat(editing.id, words);
    if (outcome === "too-fast") {
      // The words stay; what was typed meanwhile comes after them.
      setText((typed) => (typed === "" ? words : `${words}\n${typed}`));
      onDraft(draft);
      setTooFast(true);
    }
    // A message that was not sent stands in the list, with its own button. The rest is said here.
    if (outcome === "not-allowed" || outcome === "gone") showToast(t("chat.notAllowed"));
    if (editing !== null && outcome === "failed") showToast(t("chat.failedToast"));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a word is being composed (Japanese, accents), Enter belongs to that.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void submit();
    }
    if (event.key === "Escape" && (editing !== null || replyTo !== null)) {
      event.stopPropagation();
      if (editing !== null) setText("");
      onDraft({ ...PLAIN_DRAFT, privateTo });
    }
  };
  if (!writable.isToAll && others.length === 0) {
    return <p className="sm mut">{t("chat.off")}</p>;
  }
  return (
    <div className="composer">
      {(replyTo !== null || editing !== null) && (
        <div className="composer__top sm">
          <Icon name={editing === null ? "reply" : "pen"} size={16} />
          <span className="grow trunc">
            {editing === null ? t("chat.replyTo", { name: replyTo?.name }) : t("chat.editing")}
          </span>
          <IconButton
            icon="x"
            size="dense"
            label={t("chat.cancel")}
            onPress={() => {
              if (editing !== null) setText("");
              onDraft({ ...PLAIN_DRAFT, privateTo });
            }}
          />
        </div>
      )}
      {editing === null && (
        <Recipient
          writable={writable}
          privateTo={privateTo}
          onChange={(identity) => onDraft({ ...draft, privateTo: identity })}
        />
      )}
      <TextField
        className="composer__row"
        value={text}
        onChange={(value) => {
          setText(value);
          setTooFast(false);
        }}
        onKeyDown={onKeyDown}
        isInvalid={over > 0}
      >
        <Label className="vh">{t("chat.placeholder")}</Label>
        <div className="input grow">
          <TextArea
            ref={field}
            rows={Math.min(ROWS, Math.max(1, text.split("\n").length))}
            placeholder={t("chat.placeholder")}
          />
        </div>
        <IconButton
          icon={editing === null ? "send" : "check"}
          className="composer__send"
          label={t(editing === null ? "chat.send" : "chat.save_edit")}
          onPress={() => void submit()}
        />
      </TextField>
      <p className="hint hint--error" role="status">
        {over > 0 ? t("chat.tooLong", { count: over }) : isTooFast ? t("chat.tooFast") : ""}
      </p>
    </div>
  );
}

/** To everyone, or to one person only: always in view, so that nothing goes to the wrong ears. */
function Recipient({
  writable,
  privateTo,
  onChange,
}: {
  writable: Writable;
  privateTo: string | null;
  onChange(identity: string | null): void;
}) {
  const { t } = useTranslation("sealed");
  const members = useSealed((sealed) => sealed.members);
  const others = members.filter(
    (member) => !member.isSelf && member.name !== null && writable.isTo(member.identity),
  );
  const chosen = others.find((member) => member.identity === privateTo);
  const first = writable.isToAll ? null : (others[0]?.identity ?? null);
  // Whoever left while one was choosing cannot be written to; and not everybody always can.
  useEffect(() => {
    if (chosen === undefined && privateTo !== first) onChange(first);
  });
  const label = chosen === undefined ? t("chat.everyone") : t("chat.toOne", { name: chosen.name });
  return (
    <Menu
      label={t("chat.to")}
      placement="top start"
      groups={[
        {
          id: "to",
          label: t("chat.to"),
          selectedId: chosen?.identity ?? EVERYONE,
          entries: [
            ...(writable.isToAll
              ? [{ id: EVERYONE, label: t("chat.everyone"), icon: "people" as const }]
              : []),
            ...others.map((member) => ({
              id: member.identity,
              label: member.name ?? "…",
              icon: "lock" as const,
            })),
          ],
        },
      ]}
      onAction={(id) => onChange(id === EVERYONE ? null : id)}
      trigger={
        <Button
          variant="quiet"
          size="dense"
          icon={chosen === undefined ? "people" : "lock"}
          className="composer__to"
        >
          {label}
        </Button>
      }
    />
  );
}
