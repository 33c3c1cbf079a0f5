import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Icon, IconButton, showToast } from "../../../design/index.ts";
import { saveDated } from "../../../saveFile.ts";
import type { ChatMessage } from "../../../sealing/contract.ts";
import { useMeeting } from "../components/context.tsx";
import { ChatLine } from "./ChatLine.tsx";
import { Composer } from "./Composer.tsx";
import { useSealed, useSealedMeeting } from "./context.tsx";
import { type Draft, PLAIN_DRAFT } from "./draft.ts";

/** Closer to the end than this, new messages keep the end in view. */
const NEAR_END_PX = 80;

/** What people write to each other: sealed like the room, gone when it ends. */
export function ChatPanel() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const { actions } = useSealedMeeting();
  const messages = useSealed((sealed) => sealed.chat);
  const initial = useChatTarget();
  const [draft, setDraft] = useState<Draft>({ ...PLAIN_DRAFT, privateTo: initial });
  const log = useEndInView(messages);
  useEffect(() => {
    // Whatever comes while the panel is open has been seen; its length is what changes.
    if (messages.length >= 0) actions.markRead();
  }, [actions, messages]);

  const firstNow = messages.findIndex((message) => !message.isFromBefore);
  return (
    <aside className="panel" aria-label={t("chat.title")} data-region="panel" tabIndex={-1}>
      <header>
        <h2 className="h3 grow">{t("chat.title")}</h2>
        <span className="sm mut row row-2">
          <Icon name="clock" size={16} />
          {t("chat.gone")}
        </span>
        <IconButton
          icon="download"
          size="dense"
          label={t("chat.save")}
          onPress={() => {
            saveDated("chat", "txt", actions.exportChat());
            showToast(t("chat.saved"));
          }}
        />
        <IconButton
          icon="x"
          size="dense"
          label={t("chat.close")}
          onPress={() => view.setPanel(null)}
        />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div className="body chat" ref={log} role="log" aria-label={t("chat.messages")} tabIndex={0}>
        {firstNow !== 0 && messages.length > 0 && (
          <p className="chat__note sm mut">{t("chat.before")}</p>
        )}
        {(firstNow === 0 || messages.length === 0) && (
          <p className="chat__note sm mut">{t("chat.intro")}</p>
        )}
        <ol className="chat__lines">
          {messages.map((message, index) => (
            <ChatLine
              key={message.id}
              message={message}
              isFirstNow={index > 0 && index === firstNow}
              answered={messages.find((other) => other.id === message.replyTo) ?? null}
              onDraft={(change) => setDraft({ ...PLAIN_DRAFT, ...change })}
            />
          ))}
        </ol>
      </div>
      <footer>
        <Composer draft={draft} onDraft={setDraft} />
      </footer>
    </aside>
  );
}

/** Whom "write to … only" in another panel has named, once. */
function useChatTarget(): string | null {
  const { view } = useMeeting();
  const [target] = useState(() => view.getState().chatTo);
  useEffect(() => view.setState({ chatTo: null }), [view]);
  return target;
}

/** Keeps the newest message in view while the reader is at the end; never pulls them away. */
function useEndInView(messages: readonly ChatMessage[]) {
  const log = useRef<HTMLDivElement>(null);
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const element = log.current;
    if (element === null) return;
    const look = () => {
      const { scrollHeight, scrollTop, clientHeight } = element;
      wasAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    const isOwn = messages.at(-1)?.isOwn ?? false;
    if (log.current !== null && (wasAtEnd.current || isOwn)) {
      log.current.scrollTop = log.current.scrollHeight;
    }
  }, [messages]);
  return log;
}
