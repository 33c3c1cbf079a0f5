import { memo } from "react";
import { GridListItem } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon, IconButton, monogramOf, Tag } from "../../../design/index.ts";
import type { Person } from "../model/call.ts";
import type { Rect } from "../model/layout.ts";
import { HandMark } from "../sealed/HandControl.tsx";
import { LookalikeMark } from "../sealed/LookalikeMark.tsx";
import { QualityMark } from "./QualityMark.tsx";
import { Video } from "./Video.tsx";

export interface TileProps {
  person: Person;
  rect: Rect;
  isLarge: boolean;
  isPinned: boolean;
  onPin(identity: string): void;
}

export function rectStyle({ x, y, width, height }: Rect) {
  return { left: x, top: y, width, height };
}

/** One person on the stage. */
export const Tile = memo(function Tile({ person, rect, isLarge, isPinned, onPin }: TileProps) {
  const { t } = useTranslation("meeting");
  const classes = ["tile"];
  if (person.isSpeaking) classes.push("speaking");
  if (isLarge) classes.push("tile--large");
  const { name } = person;
  return (
    <GridListItem
      id={person.identity}
      textValue={name}
      className={classes.join(" ")}
      style={rectStyle(rect)}
      data-identity={person.identity}
    >
      {person.camera === null ? (
        <span className="mono" aria-hidden="true">
          {monogramOf(name)}
        </span>
      ) : (
        <Video source={person.camera} />
      )}
      {person.handPlace !== null && <HandMark place={person.handPlace} className="corner" />}
      <div className="nametag">
        {person.isVerified ? (
          <span className="c-seal mark">
            <Icon name="verified" size={16} />
            <span className="vh">{t("tile.verified")}</span>
          </span>
        ) : (
          <Tag>{t("tile.guest")}</Tag>
        )}
        <span className="trunc">{name}</span>
        <LookalikeMark identity={person.identity} />
        {isPinned && <Mark icon="pin" label={t("tile.pinned")} />}
        {!person.isMicrophoneOn && <Mark icon="mic-off" label={t("tile.muted")} />}
        {person.isSpeaking && <Mark icon="speaking" label={t("tile.speaking")} />}
        <QualityMark quality={person.quality} />
      </div>
      <IconButton
        icon="pin"
        size="dense"
        className={isPinned ? "pinbtn is-on" : "pinbtn"}
        label={t(isPinned ? "tile.unpin" : "tile.pin", { name })}
        onPress={() => onPin(person.identity)}
      />
    </GridListItem>
  );
});

function Mark({ icon, label }: { icon: Parameters<typeof Icon>[0]["name"]; label: string }) {
  return (
    <span className="mark">
      <Icon name={icon} size={16} />
      <span className="vh">{label}</span>
    </span>
  );
}
