import { parseTime } from "@internationalized/date";
import { DateInput, DateSegment, FieldError, Label, TimeField } from "react-aria-components";

export interface ClockFieldProps {
  label: string;
  /** `HH:MM`; null: none. */
  value: string | null;
  onChange(value: string | null): void;
  error?: string | undefined;
}

/** A time of day, as this device's language writes it. */
export function ClockField({ label, value, onChange, error }: ClockFieldProps) {
  return (
    <TimeField
      className="field"
      value={value === null ? null : parseTime(value)}
      onChange={(time) => onChange(time?.toString().slice(0, 5) ?? null)}
      shouldForceLeadingZeros
      isInvalid={error !== undefined}
    >
      <Label className="label">{label}</Label>
      <DateInput className="input parts parts__all">
        {(segment) => <DateSegment segment={segment} className="part" />}
      </DateInput>
      <FieldError className="hint hint--error">{error}</FieldError>
    </TimeField>
  );
}
