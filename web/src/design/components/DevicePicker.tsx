import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
} from "react-aria-components";
import { Icon, type IconName } from "../icons.tsx";
import { inertWhen } from "./Button.tsx";

export interface Choice {
  id: string;
  label: string;
}

export interface DevicePickerProps {
  label: string;
  icon: IconName;
  choices: readonly Choice[];
  value: string | null;
  onChange(id: string): void;
  /** Shown in place of a value when there is nothing to choose. */
  emptyText: string;
}

/** One of several devices. The list may change while it is shown: plug in, plug out. */
export function DevicePicker({
  label,
  icon,
  choices,
  value,
  onChange,
  emptyText,
}: DevicePickerProps) {
  const isEmpty = choices.length === 0;
  return (
    <Select
      className="field dv__field"
      value={value}
      onChange={(key) => {
        if (typeof key === "string") onChange(key);
      }}
      placeholder={emptyText}
    >
      <Label className="label">{label}</Label>
      <Button className="input select" {...inertWhen(isEmpty, undefined)}>
        <Icon name={icon} className="mut3" />
        <SelectValue className="grow trunc">
          {({ selectedText, isPlaceholder }) =>
            isPlaceholder || !selectedText ? <span className="mut">{emptyText}</span> : selectedText
          }
        </SelectValue>
        <Icon name="chev-down" size={18} />
      </Button>
      <Popover className="popover" offset={4}>
        <ListBox className="menu" items={choices}>
          {(choice) => (
            <ListBoxItem id={choice.id} textValue={choice.label} className="menu__item">
              {({ isSelected }) => (
                <>
                  <span className="menu__check">
                    {isSelected && <Icon name="check" size={18} />}
                  </span>
                  <span className="grow">{choice.label}</span>
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
