import type { ReactNode } from "react";
import { Icon, type IconName } from "../icons.tsx";
import { PageTitle } from "./PageTitle.tsx";

export interface CalmPageProps {
  title: string;
  icon: IconName;
  heading: string;
  text?: ReactNode;
  actions?: ReactNode;
}

/** One thing, said calmly: what is, then what you can do. */
export function CalmPage({ title, icon, heading, text, actions }: CalmPageProps) {
  return (
    <main id="main" className="calm">
      <div className="calm__in">
        <span className="calm__glyph">
          <Icon name={icon} size={56} />
        </span>
        <PageTitle title={title}>{heading}</PageTitle>
        {text && <div className="calm__text">{text}</div>}
        {actions && <div className="calm__acts">{actions}</div>}
      </div>
    </main>
  );
}
