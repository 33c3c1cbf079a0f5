import type { ReactNode } from "react";
import { Icon, type IconName } from "../../design/index.ts";

export interface NoteProps {
  icon: IconName;
  text: string;
  tone?: "caution" | "danger";
  /** What can be done about it. */
  children: ReactNode;
}

/** Something that has just come to be so, or is in the way; spoken when it appears. */
export function Note({ icon, text, tone, children }: NoteProps) {
  return (
    <div
      className={tone === undefined ? "invite__note" : `invite__note c-${tone}`}
      role={tone === "danger" ? "alert" : "status"}
    >
      <Icon name={icon} />
      <p className="grow">{text}</p>
      <div className="row row-2 wrap">{children}</div>
    </div>
  );
}
