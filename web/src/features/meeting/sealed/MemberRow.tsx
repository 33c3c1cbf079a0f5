import { memo } from "react";
import { useTranslation } from "react-i18next";
import {
  Avatar,
  Icon,
  IconButton,
  Menu,
  type MenuEntry,
  type MenuGroup,
  showToast,
  Tag,
} from "../../../design/index.ts";
import type { Order, Outcome, SealedMember } from "../../../sealing/contract.ts";
import { useCall, useMeeting, useView } from "../components/context.tsx";
import { QualityMark } from "../components/QualityMark.tsx";
import type { Person } from "../model/call.ts";
import { isProven } from "../model/proof.ts";
import { useIsHost, useIsLeading, useSealedMeeting } from "./context.tsx";
import { HandMark } from "./HandControl.tsx";
import { LookalikeLine } from "./LookalikeMark.tsx";
import { useWritable } from "./useOwnRights.ts";

export interface MemberRowProps {
  member: SealedMember;
  onRemove(member: SealedMember): void;
  onRights(member: SealedMember): void;
}

/** One person in the list: who, how they got in, what they send, what can be done. */
export const MemberRow = memo(function MemberRow({ member, onRemove, onRights }: MemberRowProps) {
  const { t } = useTranslation("sealed");
  const meeting = useTranslation("meeting").t;
  const person = useCall((call) => call.people.find((one) => one.identity === member.identity));
  const name = member.name ?? "…";
  return (
    <li className="person" data-identity={member.identity}>
      <Avatar name={name} isGuest={!isProven(member)} />
      <div className="who">
        <div>
          <span className="trunc">{member.isSelf ? meeting("people.you", { name }) : name}</span>
          {isProven(member) ? (
            <span className="c-seal mark">
              <Icon name="verified" size={16} />
              <span className="vh">{t(`how.${member.verification}`)}</span>
            </span>
          ) : (
            <Tag>{meeting("tile.guest")}</Tag>
          )}
          {person !== undefined && <QualityMark quality={person.quality} />}
        </div>
        <div className="how">
          {howOf()}
          {member.invited?.isOtherDevice && (
            <span className="c-caution m"> {t("how.otherDevice")}</span>
          )}
          <LookalikeLine id={member.identity} />
        </div>
      </div>
      {member.handPlace !== null && (
        <HandMark place={member.handPlace} className="tag tag--plain" />
      )}
      {person !== undefined && <Sends person={person} />}
      {member.isSelf ? (
        <span className="mst" />
      ) : (
        <MemberMenu member={member} person={person} onRemove={onRemove} onRights={onRights} />
      )}
    </li>
  );

  function howOf(): string {
    if (member.isLeaving) return t("how.leaving");
    if (member.isLost) return t("how.lost");
    if (member.name === null) return t("how.coming");
    const name = member.invited?.name;
    const came =
      member.verification === "invitation" && name
        ? t("how.invitationOf", { name })
        : t(`how.${member.verification}`);
    if (member.role === "member") {
      return member.part === "attendee" ? came : `${t(`rights.parts.${member.part}`)} · ${came}`;
    }
    return member.verification === "host" ? came : `${t(`how.${member.role}`)} · ${came}`;
  }
});

function Sends({ person }: { person: Person }) {
  const { t } = useTranslation("meeting");
  const camera = person.isCameraOn ? "On" : "Off";
  const mic = person.isMicrophoneOn ? "On" : "Off";
  return (
    <>
      <span className="mst">
        <Icon name={person.isCameraOn ? "cam" : "cam-off"} />
        <span className="vh">{t(`people.camera${camera}`)}</span>
      </span>
      <span className="mst">
        <Icon name={person.isMicrophoneOn ? "mic" : "mic-off"} />
        <span className="vh">{t(`people.mic${mic}`)}</span>
      </span>
    </>
  );
}

function MemberMenu({
  member,
  person,
  onRemove,
  onRights,
}: MemberRowProps & { person: Person | undefined }) {
  const { t } = useTranslation("sealed");
  const meeting = useTranslation("meeting").t;
  const { view } = useMeeting();
  const { actions } = useSealedMeeting();
  const isLeading = useIsLeading();
  const isHost = useIsHost();
  const mayWrite = useWritable().isTo(member.identity);
  const share = useCall((call) => call.share);
  const isPinned = useView((state) => state.pinned.includes(member.identity));
  const name = member.name ?? "…";
  const { identity } = member;

  const own: MenuEntry[] = [
    { id: "pin", label: meeting(isPinned ? "people.unpin" : "people.pin"), icon: "pin" },
  ];
  if (mayWrite) own.push({ id: "private", label: t("person.private", { name }), icon: "lock" });
  own.push({ id: "report", label: t("report.open"), icon: "flag" });
  const groups: MenuGroup[] = [{ id: "own", label: name, entries: own }];
  if (isLeading) {
    const led: MenuEntry[] = [];
    if (person?.isMicrophoneOn) led.push({ id: "mute", label: t("person.mute"), icon: "mic-off" });
    else led.push({ id: "ask-unmute", label: t("person.askUnmute"), icon: "mic" });
    if (person?.isCameraOn) {
      led.push({ id: "stop-video", label: t("person.stopVideo"), icon: "cam-off" });
    }
    if (share?.identity === identity) {
      led.push({ id: "stop-share", label: t("person.stopShare"), icon: "share-stop" });
    }
    if (member.handPlace !== null) {
      led.push({ id: "lower-hand", label: t("person.lowerHand"), icon: "hand" });
    }
    if (member.role === "member" || (isHost && member.role === "cohost")) {
      const isCohost = member.role === "cohost";
      led.push({
        id: "cohost",
        label: t(isCohost ? "person.endCohost" : "person.makeCohost"),
        icon: "people",
      });
    }
    if (member.role === "member") {
      led.push({ id: "rights", label: t("rights.open"), icon: "hand" });
    }
    if (member.role !== "host" || isHost) {
      led.push({ id: "remove", label: t("person.remove"), icon: "x", isDanger: true });
    }
    groups.push({ id: "led", label: name, entries: led });
  }
  const tell = (done: string | null) => (outcome: Outcome) => {
    const said = {
      done,
      gone: t("person.gone", { name }),
      "not-allowed": t("person.notAllowed"),
      failed: t("person.failed"),
      "too-fast": t("tooFast"),
    }[outcome];
    if (said !== null) showToast(said);
  };
  const onAction = (id: string) => {
    if (id === "pin") view.togglePin(identity);
    else if (id === "private") view.setState({ panel: "chat", chatTo: identity });
    else if (id === "report") view.setState({ dialog: "report", reportAbout: identity });
    else if (id === "remove") onRemove(member);
    else if (id === "rights") onRights(member);
    else if (id === "cohost") {
      const isCohost = member.role !== "cohost";
      void actions
        .setCohost(identity, isCohost)
        .then(tell(isCohost ? t("person.cohostDone", { name }) : null));
    } else {
      const done = {
        mute: meeting("people.mutedOne", { name }),
        "ask-unmute": t("person.asked", { name }),
      };
      void actions.order(id as Order, identity).then(tell(done[id as keyof typeof done] ?? null));
    }
  };
  const label = meeting("people.actions", { name });
  return (
    <Menu
      label={label}
      groups={groups}
      onAction={onAction}
      trigger={<IconButton icon="more" size="dense" label={label} />}
    />
  );
}
