import { useTranslation } from "react-i18next";
import { asApiError } from "../api/errors.ts";
import { useErrorText } from "../api/useErrorText.ts";
import { Icon } from "../design/index.ts";
import { PasskeyFailed } from "./passkeys.ts";

/** What was being done: "sign_in" and "invalid" mean something else for each. */
export type Where = "passkey" | "password" | "recovery" | "code" | "fresh" | "act";

/** One cause and one way on. Says nothing while there is no fault. */
export function Fault({ fault, where }: { fault: unknown; where: Where }) {
  const text = useFaultText()(fault, where);
  return (
    <div role="alert">
      {text !== null && (
        <p className="fault">
          <Icon name="alert" size={20} />
          <span>{text}</span>
        </p>
      )}
    </div>
  );
}

function useFaultText(): (fault: unknown, where: Where) => string | null {
  const { t } = useTranslation("signin");
  const errorText = useErrorText();
  return (fault, where) => {
    if (fault === null || fault === undefined) return null;
    if (fault instanceof PasskeyFailed) return t(`passkeyFault.${fault.fault}`);
    if (asApiError(fault).code === "sign_in" && where !== "act") return t(`refused.${where}`);
    return errorText(fault);
  };
}
