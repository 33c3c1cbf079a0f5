import { useState } from "react";
import { useTranslation } from "react-i18next";
import {
  Avatar,
  Button,
  Dialog,
  Icon,
  IconButton,
  Menu,
  showToast,
  Tag,
} from "../../../design/index.ts";
import type { DoorGuest, Outcome } from "../../../sealing/contract.ts";
import { useMeeting, useView } from "../components/context.tsx";
import { useIsLeading, useSealed, useSealedMeeting } from "./context.tsx";
import { LookalikeLine } from "./LookalikeMark.tsx";
import { useLookalike, useLookalikes } from "./useLookalikes.ts";

/** The person outside may read them in another language than ours. */
const inBoth = ({ en, de }: DoorGuest["words"]) => `${en.join(" ")} · ${de.join(" ")}`;

function useTell() {
  const { t } = useTranslation("sealed");
  return (outcome: Outcome) => {
    if (outcome === "failed") showToast(t("person.failed"));
    if (outcome === "not-allowed") showToast(t("person.notAllowed"));
  };
}

/** Who stands at the door, and how each one came. For who may let them in. */
export function DoorList() {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const door = useSealed((sealed) => sealed.door);
  const [isAsking, setAsking] = useState(false);
  const tell = useTell();
  const alike = useLookalikes();
  if (door.length === 0) return null;
  const admitAll = () => {
    setAsking(false);
    void actions.admit(door.map((guest) => guest.seat)).then(tell);
  };
  const areAllKnown = door.every((guest) => !isDoubtful(guest) && !alike.has(guest.seat));
  return (
    <section className="sec sec--door" aria-label={t("door.region")}>
      <h3>
        <span>{t("door.waiting", { count: door.length })}</span>
        {door.length > 1 && (
          <Button
            variant="quiet"
            size="dense"
            onPress={() => (areAllKnown ? admitAll() : setAsking(true))}
          >
            {t("door.admitAll")}
          </Button>
        )}
      </h3>
      <ul>
        {door.map((guest) => (
          <Guest key={guest.seat} guest={guest} />
        ))}
      </ul>
      <Dialog
        isAlert
        title={t("door.allTitle", { count: door.length })}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        actions={
          <>
            <Button onPress={() => setAsking(false)}>{t("door.cancel")}</Button>
            <Button variant="primary" onPress={admitAll}>
              {t("door.allYes")}
            </Button>
          </>
        }
      >
        <p className="dialog__text">{t("door.allText")}</p>
      </Dialog>
    </section>
  );
}

function Guest({ guest }: { guest: DoorGuest }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const tell = useTell();
  const name = guest.name ?? t("door.nameless");
  const isLeading = useIsLeading();
  const isUnknown = useLookalike(guest.seat) !== null || isDoubtful(guest);
  const admit = t(isLeading ? (isUnknown ? "door.admitGuest" : "door.admit") : "door.itsMe");
  return (
    <li className="knock" data-seat={guest.seat}>
      <div className="person">
        <Avatar name={guest.name ?? "?"} isGuest />
        <div className="who">
          <div>
            <span className="trunc">{name}</span>
            {guest.name !== null && guest.proof !== "account" && <Tag>{t("door.nameNote")}</Tag>}
          </div>
          <div className="how">
            <span className={isDoubtful(guest) ? "c-caution m" : ""}>{howOf()}</span>
            {isLeading && <LookalikeLine id={guest.seat} />}
            {isLeading && isUnknown && <> {t("door.words", { words: inBoth(guest.words) })}</>}
          </div>
          {guest.note !== null && (
            <p className="knock__note">{t("door.note", { note: guest.note })}</p>
          )}
        </div>
      </div>
      <div className="row row-2 knock__acts">
        <Button
          variant={isUnknown ? "line" : "primary"}
          size="dense"
          className="grow"
          aria-label={`${admit}: ${name}`}
          onPress={() => void actions.admit([guest.seat]).then(tell)}
        >
          {admit}
        </Button>
        {isLeading && (
          <Button
            size="dense"
            className="grow"
            aria-label={`${t("door.deny")}: ${name}`}
            onPress={() => void actions.deny(guest.seat).then(tell)}
          >
            {t("door.deny")}
          </Button>
        )}
        {isLeading && (
          <Menu
            label={t("door.more", { name })}
            groups={[
              {
                id: "more",
                label: t("door.more", { name }),
                entries: [{ id: "block", label: t("door.block"), icon: "x", isDanger: true }],
              },
            ]}
            onAction={() => void actions.deny(guest.seat, true).then(tell)}
            trigger={<IconButton icon="more" size="dense" label={t("door.more", { name })} />}
          />
        )}
      </div>
    </li>
  );

  function howOf(): string {
    if (!isLeading) return t("door.ownDevice", { words: inBoth(guest.words) });
    const { invited } = guest;
    if (invited === null || invited.standing === "good") return t(`door.${guest.proof}`);
    if (invited.standing === "foreign") return t("door.foreign");
    const said = SAID[invited.standing];
    return invited.name === null
      ? t(`door.${said}Nameless`)
      : t(`door.${said}`, { name: invited.name });
  }
}

const SAID = { "other-device": "passedOn", revoked: "revoked", expired: "expired" } as const;

/** Came in a way that a host should look at twice. */
function isDoubtful({ proof, invited }: DoorGuest): boolean {
  return proof === "unknown" || (invited !== null && invited.standing !== "good");
}

/** The last who led lost their connection: why nobody comes in meanwhile. */
export function LeaderLostBar() {
  const { t } = useTranslation("sealed");
  const isLost = useSealed((sealed) => sealed.isLeaderLost && sealed.phase.type === "inside");
  if (!isLost) return null;
  return (
    <div className="banner banner--paper" role="status">
      <Icon name="lock" />
      <span className="grow">{t("room.leaderLost")}</span>
    </div>
  );
}

/** Above the stage while somebody waits and the list is not open. */
export function DoorBar() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const door = useSealed((sealed) => sealed.door);
  const isListOpen = useView((state) => state.panel === "people");
  if (isListOpen || door.length === 0) return null;
  const name = door[0]?.name ?? t("door.nameless");
  return (
    <div className="banner banner--paper">
      <Icon name="user-plus" />
      <b className="grow">{t("door.bar", { count: door.length, name })}</b>
      <Button size="dense" variant="primary" onPress={() => view.setPanel("people")}>
        {t("door.look")}
      </Button>
    </div>
  );
}
