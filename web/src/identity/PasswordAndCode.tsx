import { useTranslation } from "react-i18next";
import { TextField } from "../design/index.ts";
import { KnownLogin } from "./KnownLogin.tsx";

export interface PasswordAndCodeProps {
  /** For the browser's own memory of passwords; null: not known here. */
  login: string | null;
  password: string;
  code: string;
  onPassword(text: string): void;
  onCode(text: string): void;
}

/** The two fields that belong together. */
export function PasswordAndCode({
  login,
  password,
  code,
  onPassword,
  onCode,
}: PasswordAndCodeProps) {
  const { t } = useTranslation("signin");
  return (
    <>
      {login !== null && <KnownLogin login={login} />}
      <TextField
        label={t("password.password")}
        type="password"
        value={password}
        onChange={onPassword}
        autoComplete="current-password"
        autoFocus={login !== null}
      />
      <CodeField
        label={t("password.code")}
        hint={t("password.codeHint")}
        value={code}
        onChange={onCode}
      />
    </>
  );
}

export interface CodeFieldProps {
  label: string;
  hint?: string;
  value: string;
  onChange(text: string): void;
}

/** Six digits from the other device, or a recovery code in their place. */
export function CodeField({ label, hint, value, onChange }: CodeFieldProps) {
  return (
    <TextField
      label={label}
      {...(hint === undefined ? {} : { hint })}
      value={value}
      onChange={onChange}
      autoComplete="one-time-code"
      autoCorrect="off"
      spellCheck="false"
    />
  );
}
