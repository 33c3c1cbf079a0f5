import { type ReactNode, useId } from "react";
import { Icon, type IconName } from "../../design/index.ts";

export interface NoticeProps {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** Something to know before going on; never in the way of it. */
export function Notice({ icon, title, children, action }: NoticeProps) {
  const heading = useId();
  return (
    <section className="keynote" aria-labelledby={heading}>
      <Icon name={icon} size={28} />
      <div className="grow stack">
        <h2 className="h3" id={heading}>
          {title}
        </h2>
        <p className="mut">{children}</p>
        {action && <div className="row wrap">{action}</div>}
      </div>
    </section>
  );
}
