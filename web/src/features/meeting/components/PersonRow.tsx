import { memo } from "react";
import { useTranslation } from "react-i18next";
import { useMuteParticipant } from "../../../api/queries.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import {
  Avatar,
  Icon,
  IconButton,
  Menu,
  type MenuEntry,
  showToast,
  Tag,
} from "../../../design/index.ts";
import type { Person } from "../model/call.ts";
import { useCall, useMeeting, useView } from "./context.tsx";

export interface PersonRowProps {
  person: Person;
  onRemove(person: Person): void;
}

/** One person in the list: who, how they came in, what they send, what can be done. */
export const PersonRow = memo(function PersonRow({ person, onRemove }: PersonRowProps) {
  const { t } = useTranslation("meeting");
  const { name, role, isSelf, isMicrophoneOn, isCameraOn } = person;
  return (
    <li className="person" data-identity={person.identity}>
      <Avatar name={name} isGuest={role === "guest"} />
      <div className="who">
        <div>
          <span className="trunc">{isSelf ? t("people.you", { name }) : name}</span>
          {role === "guest" && <Tag>{t("tile.guest")}</Tag>}
        </div>
        <div className="how">{t(role === "host" ? "people.host" : "people.guest")}</div>
      </div>
      <State icon={isCameraOn ? "cam" : "cam-off"} label={t(`people.camera${on(isCameraOn)}`)} />
      <State
        icon={isMicrophoneOn ? "mic" : "mic-off"}
        label={t(`people.mic${on(isMicrophoneOn)}`)}
      />
      {isSelf ? <span className="mst" /> : <PersonMenu person={person} onRemove={onRemove} />}
    </li>
  );
});

function on(isOn: boolean): "On" | "Off" {
  return isOn ? "On" : "Off";
}

function State({ icon, label }: { icon: Parameters<typeof Icon>[0]["name"]; label: string }) {
  return (
    <span className="mst">
      <Icon name={icon} />
      <span className="vh">{label}</span>
    </span>
  );
}

function PersonMenu({ person, onRemove }: PersonRowProps) {
  const { t } = useTranslation("meeting");
  const { view, meetingId } = useMeeting();
  const role = useCall((call) => call.role);
  const isPinned = useView((state) => state.pinned.includes(person.identity));
  const mute = useMuteParticipant(meetingId);
  const errorText = useErrorText();
  const { identity, name, microphoneSid } = person;

  const entries: MenuEntry[] = [
    { id: "pin", label: t(isPinned ? "people.unpin" : "people.pin"), icon: "pin" },
  ];
  if (role === "host") {
    if (person.isMicrophoneOn && microphoneSid !== null) {
      entries.push({ id: "mute", label: t("people.mute"), icon: "mic-off" });
    }
    entries.push({ id: "remove", label: t("people.remove"), icon: "x", isDanger: true });
  }
  const onAction = (id: string) => {
    if (id === "pin") view.togglePin(identity);
    if (id === "remove") onRemove(person);
    if (id === "mute" && microphoneSid !== null) {
      mute.mutate(
        { identity, track: microphoneSid },
        {
          onSuccess: () => showToast(t("people.mutedOne", { name })),
          onError: (error) => showToast(t("people.failed", { problem: errorText(error) })),
        },
      );
    }
  };
  const label = t("people.actions", { name });
  return (
    <Menu
      label={label}
      groups={[{ id: "person", entries }]}
      onAction={onAction}
      trigger={<IconButton icon="more" size="dense" label={label} />}
    />
  );
}
