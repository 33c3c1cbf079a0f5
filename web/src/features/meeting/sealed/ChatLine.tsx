import { memo } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import {
  Avatar,
  Button,
  Icon,
  IconButton,
  Menu,
  type MenuEntry,
  showToast,
} from "../../../design/index.ts";
import { useLocale } from "../../../i18n/index.ts";
import type { ChatMessage, Outcome } from "../../../sealing/contract.ts";
import { REACTIONS, reactionOf, textParts } from "../model/chatText.ts";
import { selfOf, useSealed, useSealedMeeting } from "./context.tsx";
import type { Draft } from "./draft.ts";
import { LookalikeMark } from "./LookalikeMark.tsx";
import { ReactionIcon } from "./Reactions.tsx";
import { useMay, useWritable } from "./useOwnRights.ts";

export interface ChatLineProps {
  message: ChatMessage;
  answered: ChatMessage | null;
  /** The first that was written since one came in, below what was handed on. */
  isFirstNow: boolean;
  onDraft(draft: Partial<Draft>): void;
}

/** One message: who, when, what, and what can be done with it. */
export const ChatLine = memo(function ChatLine({
  message,
  answered,
  isFirstNow,
  onDraft,
}: ChatLineProps) {
  const { t } = useTranslation("sealed");
  const locale = useLocale();
  const time = new Date(message.sentAt).toLocaleTimeString(locale, { timeStyle: "short" });
  const name = message.isOwn ? t("chat.you") : message.name;
  return (
    <>
      {isFirstNow && <li className="chat__note sm mut">{t("chat.intro")}</li>}
      <li className="line" data-message={message.id}>
        <Avatar name={message.name} size="sm" />
        <div className="line__in">
          <div className="line__head sm">
            <b className="trunc">{name}</b>
            <LookalikeMark identity={message.identity} />
            <span className="mut3 num xs">{time}</span>
            {message.isEdited && !message.isDeleted && (
              <span className="mut3 xs">{t("chat.edited")}</span>
            )}
            <PrivateMark message={message} />
          </div>
          {answered !== null && !message.isDeleted && (
            <span className="quote trunc">
              {answered.isDeleted ? t("chat.deleted") : `${answered.name}: ${answered.text}`}
            </span>
          )}
          {message.isDeleted ? (
            <p className="mut3">{t("chat.deleted")}</p>
          ) : (
            <p className="line__text">
              <Words message={message} />
            </p>
          )}
          {message.reactions.length > 0 && !message.isDeleted && <Given message={message} />}
          <Sending message={message} />
        </div>
        {!message.isDeleted && message.state === "sent" && (
          <Actions message={message} onDraft={onDraft} />
        )}
      </li>
    </>
  );
});

function PrivateMark({ message }: { message: ChatMessage }) {
  const { t } = useTranslation("sealed");
  if (message.privateWith === null) return null;
  return (
    <span className="line__private xs">
      <Icon name="lock" size={14} />
      {message.isOwn
        ? t("chat.privateTo", { name: message.privateWith.name })
        : t("chat.privateFrom")}
    </span>
  );
}

/** Addresses are links only from people who lead the room, and one's own. */
function Words({ message }: { message: ChatMessage }) {
  if (!message.isTrusted) return message.text;
  let at = 0;
  return textParts(message.text).map(({ text, href }) => {
    const key = at;
    at += text.length;
    return href === null ? (
      <span key={key}>{text}</span>
    ) : (
      <a key={key} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    );
  });
}

function Sending({ message }: { message: ChatMessage }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  if (message.state === "sending") return <p className="mut3 xs">{t("chat.sending")}</p>;
  if (message.state !== "failed") return null;
  return (
    <p className="row row-2 sm c-danger" role="alert">
      <Icon name="alert" size={16} />
      {t("chat.failed")}
      <Button variant="quiet" size="dense" onPress={() => void actions.resendChat(message.id)}>
        {t("chat.again")}
      </Button>
    </p>
  );
}

function Given({ message }: { message: ChatMessage }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const self = useSealed((sealed) => sealed.selfIdentity);
  const members = useSealed((sealed) => sealed.members);
  const nameOf = (identity: string) =>
    members.find((member) => member.identity === identity)?.name ?? "…";
  return (
    <div className="row row-2 wrap line__rx">
      {message.reactions.map(({ emoji, identities }) => {
        const known = reactionOf(emoji);
        const isOwn = self !== null && identities.includes(self);
        const label = t("chat.reaction", {
          emoji: known === null ? emoji : t(`react.${known}`),
          names: identities.map(nameOf).join(", "),
        });
        return (
          <AriaButton
            key={emoji}
            className={isOwn ? "rx is-own" : "rx"}
            aria-label={label}
            onPress={() => void actions.reactToChat(message.id, emoji, !isOwn)}
          >
            <ReactionIcon emoji={emoji} size={16} />
            <span aria-hidden="true">{identities.length}</span>
          </AriaButton>
        );
      })}
    </div>
  );
}

function Actions({ message, onDraft }: Pick<ChatLineProps, "message" | "onDraft">) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const self = useSealed(selfOf);
  const mayReact = useMay("reactions");
  const writable = useWritable();
  const tell = (outcome: Outcome) => {
    if (outcome === "done") return;
    if (outcome === "too-fast") showToast(t("tooFast"));
    else showToast(t(outcome === "failed" ? "chat.failedToast" : "chat.notAllowed"));
  };
  const peer = message.privateWith?.identity ?? null;
  const mayAnswer = peer === null ? writable.isToAll : writable.isTo(peer);
  const entries: MenuEntry[] = [{ id: "copy", label: t("chat.copy"), icon: "copy" }];
  if (mayAnswer) entries.unshift({ id: "reply", label: t("chat.reply"), icon: "reply" });
  if (message.isOwn) {
    if (mayAnswer) entries.push({ id: "edit", label: t("chat.edit"), icon: "pen" });
    entries.push({ id: "delete", label: t("chat.delete"), icon: "x", isDanger: true });
  } else if (writable.isTo(message.identity)) {
    entries.push({
      id: "private",
      label: t("chat.privately", { name: message.name }),
      icon: "lock",
    });
  }
  const reactions: MenuEntry[] = REACTIONS.map(({ id }) => ({
    id,
    label: t(`react.${id}`),
    icon: id === "smile" ? "react" : id,
  }));
  const onAction = (id: string, group: string) => {
    if (group === "reactions") {
      const emoji = REACTIONS.find((reaction) => reaction.id === id)?.emoji;
      const given = message.reactions.find((reaction) => reaction.emoji === emoji);
      const isOn = self !== null && (given?.identities.includes(self.identity) ?? false);
      if (emoji !== undefined) void actions.reactToChat(message.id, emoji, !isOn).then(tell);
    }
    if (id === "reply") {
      onDraft({ replyTo: message, privateTo: message.privateWith?.identity ?? null });
    }
    if (id === "private") onDraft({ privateTo: message.identity });
    if (id === "edit") onDraft({ editing: message });
    if (id === "delete") void actions.deleteChat(message.id).then(tell);
    if (id === "copy") void navigator.clipboard.writeText(message.text).catch(() => undefined);
  };
  return (
    <Menu
      label={t("chat.actions")}
      groups={[
        { id: "message", label: t("chat.actions"), entries },
        ...(mayReact ? [{ id: "reactions", title: t("react.title"), entries: reactions }] : []),
      ]}
      onAction={onAction}
      trigger={<IconButton icon="more" size="dense" label={t("chat.actions")} />}
    />
  );
}
