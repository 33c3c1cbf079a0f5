import { useEffect, useState } from "react";
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { ControlBox, Icon, type IconName } from "../../../design/index.ts";
import { REACTIONS, type ReactionId, reactionOf } from "../model/chatText.ts";
import { useSealedMeeting } from "./context.tsx";
import { useMay } from "./useOwnRights.ts";

export const REACTION_ICONS: Record<ReactionId, IconName> = {
  thumb: "thumb",
  clap: "clap",
  heart: "heart",
  smile: "react",
};

/** Ours is drawn; another client's is shown as the sign that it sent. */
export function ReactionIcon({ emoji, size = 20 }: { emoji: string; size?: number }) {
  const known = reactionOf(emoji);
  return known === null ? (
    <span aria-hidden="true">{emoji}</span>
  ) : (
    <Icon name={REACTION_ICONS[known]} size={size} />
  );
}

/** A sign for everybody to see once, without a word. */
export function ReactControl() {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const mayReact = useMay("reactions");
  if (!mayReact) {
    return (
      <ControlBox icon="react" label={t("react.label")} disabledReason={t("react.notAllowed")} />
    );
  }
  return (
    <DialogTrigger>
      <ControlBox icon="react" label={t("react.label")} />
      <Popover className="popover" placement="top" offset={8}>
        <Dialog className="reacts" aria-label={t("react.title")}>
          {({ close }) => (
            <div className="row row-2">
              {REACTIONS.map(({ id, emoji }) => (
                <Button
                  key={id}
                  className="icb"
                  aria-label={t(`react.${id}`)}
                  onPress={() => {
                    void actions.react(emoji);
                    close();
                  }}
                >
                  <Icon name={REACTION_ICONS[id]} size={24} />
                </Button>
              ))}
            </div>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

const SHOWN_MS = 4_000;
const SHOWN_AT_ONCE = 8;

interface Floating {
  readonly id: number;
  readonly emoji: string;
  readonly name: string;
}

/** Reactions on their way up. Decoration over the stage; what they say is also announced. */
export function FloatingReactions() {
  const { t } = useTranslation("sealed");
  const meeting = useSealedMeeting();
  const [shown, setShown] = useState<readonly Floating[]>([]);
  useEffect(() => {
    let next = 0;
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const forget = meeting.onNotice((notice) => {
      if (notice.type !== "reaction") return;
      const one = { id: next++, emoji: notice.emoji, name: notice.name };
      setShown((before) => [...before, one].slice(-SHOWN_AT_ONCE));
      const timer = setTimeout(() => {
        timers.delete(timer);
        setShown((before) => before.filter((other) => other.id !== one.id));
      }, SHOWN_MS);
      timers.add(timer);
    });
    return () => {
      forget();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [meeting]);
  if (shown.length === 0) return null;
  return (
    <ul className="floats" aria-label={t("react.title")}>
      {shown.map(({ id, emoji, name }) => {
        const known = reactionOf(emoji);
        return (
          <li key={id} className="float">
            <ReactionIcon emoji={emoji} size={24} />
            <span className="sm">{name}</span>
            <span className="vh">{known === null ? emoji : t(`react.${known}`)}</span>
          </li>
        );
      })}
    </ul>
  );
}
