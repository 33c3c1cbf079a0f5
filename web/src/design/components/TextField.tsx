import type { ReactNode, Ref } from "react";
import {
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
  FieldError,
  Input,
  Label,
  Text,
} from "react-aria-components";

export interface TextFieldProps
  extends Omit<AriaTextFieldProps, "className" | "style" | "children"> {
  label: string;
  hint?: string;
  /** What is wrong with the value, in plain words. Marks the field as invalid. */
  error?: string | undefined;
  placeholder?: string;
  /** Spoken, not shown: only where the placeholder's meaning is clear from what is around it. */
  isLabelHidden?: boolean;
  before?: ReactNode;
  after?: ReactNode;
  inputRef?: Ref<HTMLInputElement>;
}

export function TextField({
  label,
  hint,
  error,
  placeholder,
  isLabelHidden = false,
  before,
  after,
  inputRef,
  ...rest
}: TextFieldProps) {
  return (
    <AriaTextField {...rest} className="field" isInvalid={error !== undefined}>
      <Label className={isLabelHidden ? "vh" : "label"}>{label}</Label>
      <div className="input">
        {before}
        <Input ref={inputRef ?? null} {...(placeholder === undefined ? {} : { placeholder })} />
        {after}
      </div>
      {error === undefined && hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="hint hint--error">{error}</FieldError>
    </AriaTextField>
  );
}
