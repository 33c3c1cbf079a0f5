import { Label, Radio, RadioGroup } from "react-aria-components";

export interface PickProps<T extends string> {
  label: string;
  values: readonly T[];
  value: NoInfer<T>;
  onChange(value: NoInfer<T>): void;
  textOf(value: NoInfer<T>): string;
  /** What the present choice means, where the word does not say it. */
  note?: string | undefined;
}

/** One of a few, side by side. */
export function Pick<T extends string>(props: PickProps<T>) {
  const { label, values, value, onChange, textOf, note } = props;
  return (
    <RadioGroup
      className="picks"
      value={value}
      onChange={(chosen) => onChange(values.find((one) => one === chosen) ?? value)}
    >
      <Label className="label">{label}</Label>
      <div className="picks__all">
        {values.map((one) => (
          <Radio key={one} value={one} className="picks__one">
            {textOf(one)}
          </Radio>
        ))}
      </div>
      {note !== undefined && <p className="hint">{note}</p>}
    </RadioGroup>
  );
}
