import type { ReactNode } from "react";
import { Button, type ButtonProps } from "react-aria-components";
import { Icon, type IconName } from "../icons.tsx";
import { inertWhen, Tip } from "./Button.tsx";

export interface ControlBoxProps
  extends Omit<ButtonProps, "className" | "style" | "children" | "isDisabled" | "isPending"> {
  icon: IconName;
  /** Says what a press will do; it stands under the icon and is the spoken name. */
  label: string;
  /** Paper on ink: what is off (with a slashed icon), or a panel that is open. */
  isInverted?: boolean;
  disabledReason?: string | undefined;
  /** Decoration inside the box: level bars, a count. */
  children?: ReactNode;
}

/** One labelled box of a control bar. Its label changes with the state, so it has no aria-pressed. */
export function ControlBox({
  icon,
  label,
  isInverted = false,
  disabledReason,
  children,
  onPress,
  ...rest
}: ControlBoxProps) {
  const box = (
    <Button
      {...rest}
      className={isInverted ? "ctl is-inverted" : "ctl"}
      {...inertWhen(disabledReason !== undefined, onPress)}
    >
      <span className="k">
        <Icon name={icon} size={24} />
        {children}
      </span>
      <span className="ctl__label">{label}</span>
    </Button>
  );
  return disabledReason === undefined ? box : <Tip text={disabledReason}>{box}</Tip>;
}
