import type { ReactNode } from "react";
import { Switch as AriaSwitch } from "react-aria-components";

export interface SwitchProps {
  children: ReactNode;
  isSelected: boolean;
  onChange(isSelected: boolean): void;
}

export function Switch({ children, isSelected, onChange }: SwitchProps) {
  return (
    <AriaSwitch className="switchrow" isSelected={isSelected} onChange={onChange}>
      <span className="switch" />
      <span>{children}</span>
    </AriaSwitch>
  );
}
