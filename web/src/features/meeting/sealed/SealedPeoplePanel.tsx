import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  Button,
  Dialog,
  Icon,
  IconButton,
  Switch,
  showToast,
  TextField,
} from "../../../design/index.ts";
import type { SealedMember } from "../../../sealing/contract.ts";
import { useCopyLink } from "../components/Alone.tsx";
import { useMeeting } from "../components/context.tsx";
import { hasKnockSound, setKnockSound } from "../model/knockSound.ts";
import { useFreezeRoom } from "./CleanRoom.tsx";
import { useIsLeading, useSealed, useSealedMeeting } from "./context.tsx";
import { DoorList } from "./DoorList.tsx";
import { HandQueue } from "./HandQueue.tsx";
import { InviteControl } from "./InviteControl.tsx";
import { MemberRow } from "./MemberRow.tsx";
import { OpenLinkCount } from "./OpenLinkCount.tsx";
import { RightsDialog } from "./RightsDialog.tsx";
import { RulesDialog } from "./RulesDialog.tsx";

const SEARCH_ABOVE = 10;

/** The door, and everybody in the room in order of arrival. Nobody is hidden. */
export function SealedPeoplePanel() {
  const { t } = useTranslation("sealed");
  const meeting = useTranslation("meeting").t;
  const { view } = useMeeting();
  const members = useSealed((sealed) => sealed.members);
  const isLeading = useIsLeading();
  const [wanted, setWanted] = useState("");
  const [ruled, setRuled] = useState<string | null>(null);
  const [removing, setRemoving] = useState<SealedMember | null>(null);
  const invite = useCopyLink();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const found = members.filter((member) =>
    (member.name ?? "").toLocaleLowerCase().includes(wanted.trim().toLocaleLowerCase()),
  );
  return (
    <aside
      className="panel"
      aria-label={meeting("regions.people")}
      data-region="panel"
      tabIndex={-1}
    >
      <header>
        <h2 className="h3 grow" ref={heading} tabIndex={-1}>
          {meeting("people.heading")} <span className="mut3 num">{members.length}</span>
        </h2>
        <InviteControl copying={invite} />
        <IconButton
          icon="x"
          size="dense"
          label={meeting("people.close")}
          onPress={() => view.setPanel(null)}
        />
      </header>
      <div className="body">
        <p className="sec__note sm" role="status">
          {invite.state === "failed" ? meeting("alone.failed") : ""}
        </p>
        <DoorList />
        {isLeading && <HandQueue />}
        <OpenLinkCount />
        {members.length > SEARCH_ABOVE && (
          <div className="sec">
            <TextField
              label={meeting("people.search")}
              isLabelHidden
              placeholder={meeting("people.search")}
              value={wanted}
              onChange={setWanted}
              before={<Icon name="search" size={18} />}
            />
          </div>
        )}
        <section className="sec">
          <h3>
            <span>{meeting("people.inRoom")}</span>
            <span className="mut3 xs">{meeting("people.order")}</span>
          </h3>
          {found.length === 0 ? (
            <p className="sm mut">{meeting("people.nobody")}</p>
          ) : (
            <ul className="persons">
              {found.map((member) => (
                <MemberRow
                  key={member.identity}
                  member={member}
                  onRemove={setRemoving}
                  onRights={(one) => setRuled(one.identity)}
                />
              ))}
            </ul>
          )}
        </section>
      </div>
      {isLeading && <Rules />}
      <RightsDialog identity={ruled} onClose={() => setRuled(null)} />
      <RemoveDialog member={removing} onClose={() => setRemoving(null)} t={t} />
    </aside>
  );
}

/** What hosts do with the whole room at once. */
function Rules() {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const freezeRoom = useFreezeRoom();
  const { isLocked } = useSealed((sealed) => sealed.policy);
  const [isRuling, setRuling] = useState(false);
  const lock = () =>
    void actions.setPolicy({ isLocked: !isLocked }).then((outcome) => {
      if (outcome !== "done") showToast(t("person.failed"));
    });
  const others = useSealed((sealed) => sealed.members).filter((member) => !member.isSelf);
  const [isSounding, setSounding] = useState(hasKnockSound);
  const muteAll = async () => {
    await Promise.all(others.map((member) => actions.order("mute", member.identity)));
    showToast(t("room.mutedAll"));
  };
  return (
    <footer className="panel__foot">
      {isLocked && (
        <p className="row row-2 sm mut">
          <Icon name="lock" size={16} />
          {t("room.locked")}
        </p>
      )}
      <Switch
        isSelected={isSounding}
        onChange={(isOn) => {
          setKnockSound(isOn);
          setSounding(isOn);
        }}
      >
        {t("room.knockSound")}
      </Switch>
      <div className="row row-2 wrap">
        {others.length > 0 && (
          <Button size="dense" className="grow" onPress={() => void muteAll()}>
            {t("room.muteAll")}
          </Button>
        )}
        <Button size="dense" className="grow" variant="danger-line" onPress={freezeRoom}>
          {t("clean.open")}
        </Button>
        <Button size="dense" className="grow" icon={isLocked ? "unlock" : "lock"} onPress={lock}>
          {t(isLocked ? "room.unlock" : "room.lock")}
        </Button>
        <Button size="dense" className="grow" onPress={() => setRuling(true)}>
          {t("rules.open")}
        </Button>
      </div>
      <RulesDialog isOpen={isRuling} onClose={() => setRuling(false)} />
    </footer>
  );
}

function RemoveDialog({
  member,
  onClose,
  t,
}: {
  member: SealedMember | null;
  onClose(): void;
  t: ReturnType<typeof useTranslation<"sealed">>["t"];
}) {
  const { actions } = useSealedMeeting();
  const [isBusy, setBusy] = useState(false);
  const meeting = useTranslation("meeting").t;
  const name = member?.name ?? "…";
  const onYes = async () => {
    if (member === null) return;
    setBusy(true);
    const outcome = await actions.remove(member.identity);
    setBusy(false);
    onClose();
    const said = {
      done: meeting("people.removed", { name }),
      gone: t("person.gone", { name }),
      "not-allowed": t("person.notAllowed"),
      failed: t("person.failed"),
      "too-fast": t("tooFast"),
    };
    showToast(said[outcome]);
  };
  return (
    <Dialog
      isAlert
      title={t("person.removeTitle", { name })}
      isOpen={member !== null}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{meeting("people.cancel")}</Button>
          <Button variant="danger" isBusy={isBusy} onPress={() => void onYes()}>
            {t("person.removeYes")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("person.removeText", { name })}</p>
    </Dialog>
  );
}
