import { type ReactNode, useId } from "react";

export interface SectionProps {
  title: string;
  text?: ReactNode;
  /** Beside the title. */
  action?: ReactNode;
  children?: ReactNode;
}

/** One thing of the account: title and rule, what it is, what there is. */
export function Section({ title, text, action, children }: SectionProps) {
  const heading = useId();
  return (
    <section className="acc__sec" aria-labelledby={heading}>
      <div className="acc__head">
        <h2 className="h2" id={heading}>
          {title}
        </h2>
        {action}
      </div>
      {text && <p className="mut measure">{text}</p>}
      {children}
    </section>
  );
}
