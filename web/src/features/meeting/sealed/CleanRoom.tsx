import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { changeInvitation } from "../../../api/invitations.ts";
import { Button, Dialog, Icon, Switch, showToast } from "../../../design/index.ts";
import { useLocale } from "../../../i18n/index.ts";
import { saveDated } from "../../../saveFile.ts";
import { useMeeting, useView } from "../components/context.tsx";
import { type Candidate, candidates, cleaningOf, report } from "../model/cleaning.ts";
import { useIsHost, useIsLeading, useSealed, useSealedMeeting } from "./context.tsx";
import { FreshLinksControl } from "./FreshLinksControl.tsx";
import { LookalikeLine } from "./LookalikeMark.tsx";

interface Done {
  readonly gone: readonly Candidate[];
  readonly stayed: readonly Candidate[];
  readonly at: number;
}

/** Stops everything at once; only then it asks. For hosts and co-hosts. */
export function useFreezeRoom(): () => void {
  const { view } = useMeeting();
  const { actions } = useSealedMeeting();
  return () => {
    void actions.freeze(true);
    view.show("clean");
  };
}

/** Who stays and who goes, while everything is stopped; then what was done. */
export function CleanRoom() {
  const { view } = useMeeting();
  const isOpen = useView((state) => state.dialog === "clean");
  const isLeading = useIsLeading();
  const { actions } = useSealedMeeting();
  const [done, setDone] = useState<Done | null>(null);
  if (!isOpen || !isLeading) return null;
  const goOn = () => {
    void actions.freeze(false);
    setDone(null);
    view.show(null);
  };
  return done === null ? (
    <Choose onDone={setDone} onGoOn={goOn} />
  ) : (
    <Clean done={done} onGoOn={goOn} />
  );
}

function Choose({ onDone, onGoOn }: { onDone(done: Done): void; onGoOn(): void }) {
  const { t } = useTranslation("sealed");
  const { meetingId } = useMeeting();
  const { store, actions } = useSealedMeeting();
  const isHost = useIsHost();
  // As it was when everything stopped: the list must not move under the hand.
  const [all] = useState(() => {
    const { members, door } = store.getState();
    return candidates(members, door);
  });
  const [stays, setStays] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const cleaning = cleaningOf(all, stays);
  const clean = async () => {
    setState("busy");
    const { identities, seats, invitations, gone, stayed } = cleaning;
    const outcome = await actions.clean(identities, seats, invitations);
    if (outcome !== "done") {
      setState("failed");
      return;
    }
    onDone({ gone, stayed, at: Date.now() });
    // The group knows already; the server refuses them too, for sittings to come.
    const told = isHost ? invitations.map((id) => changeInvitation(meetingId, id, "revoke")) : [];
    await Promise.all(told).catch(() => showToast(t("clean.notRevoked")));
  };
  return (
    <Dialog
      isAlert
      isWide
      isOpen
      title={t("clean.title")}
      onClose={onGoOn}
      actions={
        <>
          <Button onPress={onGoOn}>{t("clean.goOn")}</Button>
          <Button variant="danger" isBusy={state === "busy"} onPress={() => void clean()}>
            {t("clean.yes")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("clean.text")}</p>
      <ul className="clean__list">
        {all.map((one) => {
          const isStaying = one.isFixed || (stays.get(one.id) ?? one.staysByDefault);
          return (
            <li key={one.id} className="clean__row">
              <div className="who grow">
                <div className="trunc b">{one.name ?? t("door.nameless")}</div>
                <div className="how">
                  <Came one={one} />
                  <LookalikeLine id={one.id} />
                </div>
              </div>
              {one.isFixed ? (
                <span className="sm mut">{t("clean.stays")}</span>
              ) : (
                <Switch
                  isSelected={isStaying}
                  onChange={(isOn) => setStays(new Map(stays).set(one.id, isOn))}
                >
                  <span className="vh">{one.name ?? t("door.nameless")}: </span>
                  {t(isStaying ? "clean.stays" : "clean.goes")}
                </Switch>
              )}
            </li>
          );
        })}
      </ul>
      <ul className="clean__what sm">
        <li>{t("clean.whatOut", { count: cleaning.gone.length })}</li>
        <li>{t("clean.whatKey")}</li>
        <li>{t("clean.whatLock")}</li>
        <li>{t("clean.whatReport")}</li>
      </ul>
      {state === "failed" && (
        <p className="c-danger sm" role="alert">
          {t("clean.failed")}
        </p>
      )}
    </Dialog>
  );
}

/** How somebody came, in the words of the list of people and of the door. */
function useCame(): (one: Candidate) => string {
  const { t } = useTranslation("sealed");
  return ({ came, invitedAs, isAtDoor }) => {
    const how =
      came === "unknown"
        ? t("how.door")
        : came === "invitation" && invitedAs !== null
          ? t("how.invitationOf", { name: invitedAs })
          : t(`how.${came}`);
    const whose =
      came !== "invitation" && invitedAs !== null
        ? ` · ${t("door.passedOn", { name: invitedAs })}`
        : "";
    return `${how}${whose}${isAtDoor ? ` · ${t("clean.atDoor")}` : ""}`;
  };
}

function Came({ one }: { one: Candidate }) {
  return useCame()(one);
}

function Clean({ done, onGoOn }: { done: Done; onGoOn(): void }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const isLocked = useSealed((sealed) => sealed.policy.isLocked);
  const chat = useSealed((sealed) => sealed.chat);
  const title = useSealed((sealed) => sealed.title);
  const locale = useLocale();
  const came = useCame();
  const time = (at: number) =>
    new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "medium" }).format(at);
  const save = () => {
    const words = {
      title: title === null ? t("clean.report.title") : t("clean.report.titleOf", { title }),
      intro: t("clean.report.intro"),
      went: t("clean.report.went"),
      stayed: t("clean.report.stayed"),
      said: t("clean.report.said"),
      nothingSaid: t("clean.report.nothingSaid"),
      nameless: t("door.nameless"),
      noteOfOrigin: t("clean.report.origin"),
      came,
      time,
    };
    saveDated("report", "txt", report(done, chat, words));
    showToast(t("clean.report.saved"));
  };
  const unlock = async () => {
    const outcome = await actions.setPolicy({ isLocked: false });
    if (outcome !== "done") showToast(t("person.failed"));
  };
  return (
    <Dialog
      isAlert
      isWide
      isOpen
      title={t("clean.doneTitle")}
      onClose={onGoOn}
      actions={
        <>
          <Button icon="download" onPress={save}>
            {t("clean.report.save")}
          </Button>
          {isLocked && (
            <Button icon="unlock" onPress={() => void unlock()}>
              {t("room.unlock")}
            </Button>
          )}
          <span className="grow" />
          <Button variant="primary" onPress={onGoOn}>
            {t("clean.onWithIt")}
          </Button>
        </>
      }
    >
      <p className="dialog__text" role="status">
        {t("clean.doneText", { count: done.gone.length })}
        {isLocked && ` ${t("room.locked")}`}
      </p>
      {done.gone.length > 0 && (
        <section className="sealpart">
          <h3>{t("clean.howIn")}</h3>
          <ul className="clean__list">
            {done.gone.map((one) => (
              <li key={one.id} className="clean__row">
                <div className="who grow">
                  <div className="trunc b">{one.name ?? t("door.nameless")}</div>
                  <div className="how">
                    <Came one={one} />
                  </div>
                </div>
                <span className="sm mut num">{time(one.since)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <FreshLinksControl gone={done.gone} stayed={done.stayed} />
    </Dialog>
  );
}

/** For everybody, and for a host who has closed the question: nothing goes on. */
export function FrozenBar() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const { actions } = useSealedMeeting();
  const frozen = useSealed((sealed) => sealed.frozen);
  const isLeading = useIsLeading();
  const isOpen = useView((state) => state.dialog === "clean");
  useEndWithFreeze(frozen !== null);
  if (frozen === null || isOpen) return null;
  return (
    <div className="banner banner--paper">
      <Icon name="hand" />
      <b className="grow">{t(frozen.isOwn ? "clean.frozenOwn" : "clean.frozen")}</b>
      {isLeading && (
        <>
          <Button size="dense" onPress={() => void actions.freeze(false)}>
            {t("clean.goOn")}
          </Button>
          <Button size="dense" variant="primary" onPress={() => view.show("clean")}>
            {t("clean.decide")}
          </Button>
        </>
      )}
    </div>
  );
}

/** Somebody else lets it go on: the question is no more. */
function useEndWithFreeze(isFrozen: boolean): void {
  const { view } = useMeeting();
  const [wasFrozen, setWasFrozen] = useState(isFrozen);
  useEffect(() => {
    if (wasFrozen && !isFrozen && view.getState().dialog === "clean") view.show(null);
    setWasFrozen(isFrozen);
  }, [isFrozen, wasFrozen, view]);
}
