import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { asApiError } from "../../api/errors.ts";
import { useRedeemOperatorLink } from "../../api/queries.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, CalmPage, useSlowly } from "../../design/index.ts";
import { useFragment } from "../../useFragment.ts";

/** `/operator#<token>`: signs in with a one-time link, or says plainly why not. */
export function OperatorPage() {
  const { t } = useTranslation(["operator", "common"]);
  const [, navigate] = useLocation();
  const token = useFragment((fragment) => fragment.slice(1));
  const redeem = useRedeemOperatorLink();
  const errorText = useErrorText();
  const isSlow = useSlowly();
  const hasTried = useRef(false);
  const { mutate } = redeem;

  useEffect(() => {
    // A token works once: the second run of an effect in development must not spend it again.
    if (token === "" || hasTried.current) return;
    hasTried.current = true;
    mutate(token, { onSuccess: () => navigate("/", { replace: true }) });
  }, [token, mutate, navigate]);

  if (token === "" || (redeem.isError && asApiError(redeem.error).status === 404)) {
    const state = token === "" ? "missing" : "used";
    return (
      <CalmPage
        title={t("title")}
        icon="keyhole"
        heading={t(`${state}.heading`)}
        text={
          <>
            <p>{t(`${state}.text`)}</p>
            <p className="calm__code">
              <code>conclave operator-link</code>
            </p>
          </>
        }
      />
    );
  }
  if (redeem.isError) {
    return (
      <CalmPage
        title={t("title")}
        icon="alert"
        heading={t("failed.heading")}
        text={<p role="alert">{errorText(redeem.error)}</p>}
        actions={
          <Button
            variant="primary"
            onPress={() => mutate(token, { onSuccess: () => navigate("/", { replace: true }) })}
          >
            {t("common:retry")}
          </Button>
        }
      />
    );
  }
  return (
    <main id="main" className="calm">
      {isSlow && <p role="status">{t("checking")}</p>}
    </main>
  );
}
