import type { ReactNode } from "react";
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Tooltip as AriaTooltip,
  type PressEvent,
  TooltipTrigger,
} from "react-aria-components";
import { Icon, type IconName } from "../icons.tsx";

type Variant = "primary" | "line" | "quiet" | "danger" | "danger-line";

type Base = Omit<
  AriaButtonProps,
  "className" | "style" | "isDisabled" | "isPending" | "children" | "render"
>;

export interface ButtonProps extends Base {
  children: ReactNode;
  variant?: Variant;
  size?: "dense" | "normal" | "large";
  isWide?: boolean;
  icon?: IconName;
  className?: string;
  /** Why the button cannot be used now; shown as its tooltip. The button stays focusable. */
  disabledReason?: string | undefined;
  /** Busy: presses do nothing; give the label that says so ("Opening…"). */
  isBusy?: boolean;
}

/** Words that appear on hover and on keyboard focus. The child must be a React Aria button. */
export function Tip({ text, children }: { text: ReactNode; children: ReactNode }) {
  return (
    <TooltipTrigger delay={500}>
      {children}
      <AriaTooltip className="tooltip" offset={8}>
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  );
}

/** Keeps a disabled control in the tab order and swallows its presses. */
export function inertWhen(
  isInert: boolean,
  onPress: ((event: PressEvent) => void) | undefined,
): { "aria-disabled"?: true; onPress?: (event: PressEvent) => void } {
  if (isInert) return { "aria-disabled": true };
  return onPress ? { onPress } : {};
}

export function Button({
  children,
  variant = "line",
  size = "normal",
  isWide = false,
  icon,
  className,
  disabledReason,
  isBusy = false,
  onPress,
  type,
  ...rest
}: ButtonProps) {
  const isInert = disabledReason !== undefined || isBusy;
  const classes = ["btn", `btn--${variant}`];
  if (size !== "normal") classes.push(`btn--${size}`);
  if (isWide) classes.push("btn--wide");
  if (className) classes.push(className);
  const button = (
    <AriaButton
      {...rest}
      type={isInert ? "button" : (type ?? "button")}
      className={classes.join(" ")}
      {...inertWhen(isInert, onPress)}
      {...(isBusy ? { "data-pending": "" } : {})}
    >
      {icon && <Icon name={icon} size={size === "dense" ? 18 : 20} />}
      {children}
    </AriaButton>
  );
  return disabledReason === undefined ? button : <Tip text={disabledReason}>{button}</Tip>;
}

export interface IconButtonProps extends Base {
  icon: IconName;
  /** The spoken name and the tooltip. */
  label: string;
  size?: "dense" | "normal";
  iconSize?: number;
  disabledReason?: string | undefined;
  className?: string;
}

export function IconButton({
  icon,
  label,
  size = "normal",
  iconSize = 20,
  disabledReason,
  className,
  onPress,
  ...rest
}: IconButtonProps) {
  const classes = ["icb"];
  if (size === "dense") classes.push("icb--dense");
  if (className) classes.push(className);
  return (
    <Tip text={disabledReason === undefined ? label : `${label}: ${disabledReason}`}>
      <AriaButton
        {...rest}
        aria-label={label}
        className={classes.join(" ")}
        {...inertWhen(disabledReason !== undefined, onPress)}
      >
        <Icon name={icon} size={iconSize} />
      </AriaButton>
    </Tip>
  );
}
