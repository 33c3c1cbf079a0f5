import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
} from "react-aria-components";
import { Icon } from "../../../design/index.ts";

export interface ChoiceProps<T extends string> {
  label: string;
  values: readonly T[];
  value: NoInfer<T>;
  onChange(value: T): void;
  textOf(value: T): string;
  hint?: string | undefined;
}

/** One of several, from a list that opens. */
export function Choice<T extends string>(props: ChoiceProps<T>) {
  const { label, values, value, onChange, textOf, hint } = props;
  return (
    <Select
      className="field"
      value={value}
      onChange={(key) => {
        const chosen = values.find((one) => one === key);
        if (chosen !== undefined) onChange(chosen);
      }}
    >
      <Label className="label">{label}</Label>
      <Button className="input select">
        <SelectValue className="grow trunc">{() => textOf(value)}</SelectValue>
        <Icon name="chev-down" size={18} />
      </Button>
      {hint !== undefined && <p className="hint">{hint}</p>}
      <Popover className="popover" offset={4}>
        <ListBox className="menu" items={values.map((id) => ({ id }))}>
          {({ id }) => (
            <ListBoxItem id={id} textValue={textOf(id)} className="menu__item">
              {({ isSelected }) => (
                <>
                  <span className="menu__check">
                    {isSelected && <Icon name="check" size={18} />}
                  </span>
                  <span className="grow">{textOf(id)}</span>
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
