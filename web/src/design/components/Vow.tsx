import type { ReactNode } from "react";
import { Icon } from "../icons.tsx";
import type { SealLook } from "./marks.tsx";
import { SEAL_ICON } from "./marks.tsx";

export interface VowProps {
  state: SealLook;
  /** One sentence; shown only where it is true. */
  line: string;
  more?: ReactNode;
  label?: string;
}

/** What a room promises, with the seal's shape beside it. */
export function Vow({ state, line, more, label }: VowProps) {
  return (
    <section className="vow" aria-label={label ?? line}>
      <span className={state === "sealed" ? "c-seal" : state === "open" ? "c-caution" : ""}>
        <Icon name={SEAL_ICON[state]} size={44} />
      </span>
      <div>
        <p className="vow__line">{line}</p>
        {more && <p className="vow__more">{more}</p>}
      </div>
    </section>
  );
}
