import { FieldError, Label, Text, TextArea, TextField } from "react-aria-components";

export interface TextBoxProps {
  label: string;
  value: string;
  onChange(value: string): void;
  hint?: string | undefined;
  error?: string | undefined;
  maxLength?: number;
  rows?: number;
}

/** Several lines. */
export function TextBox({ label, hint, error, rows = 3, ...rest }: TextBoxProps) {
  return (
    <TextField {...rest} className="field" isInvalid={error !== undefined}>
      <Label className="label">{label}</Label>
      <div className="input">
        <TextArea rows={rows} />
      </div>
      {error === undefined && hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="hint hint--error">{error}</FieldError>
    </TextField>
  );
}
