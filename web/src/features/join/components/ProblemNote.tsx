import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon } from "../../../design/index.ts";
import type { CaptureModel } from "../model/capture.ts";
import { type DeviceProblem, familyOf, joinProblems } from "../model/problems.ts";
import { useCaptureState } from "../useCapture.ts";

/** Why microphone or camera is not there: the cause, one way on, and that joining works anyway. */
export function ProblemNote({ model }: { model: CaptureModel }) {
  const state = useCaptureState(model);
  const { t } = useTranslation(["join", "common"]);
  if (state.support !== "full") {
    return (
      <Note>
        <p className="m">{t(`problem.${state.support}`)}</p>
        {state.support === "insecure" && <p>{t("problem.insecureHow")}</p>}
        <p>{t("alone")}</p>
      </Note>
    );
  }
  const problems = joinProblems(state.microphone.problem, state.camera.problem);
  if (problems.length === 0) return null;
  const canRetry = problems.some(({ problem }) => problem !== "none");
  return (
    <Note>
      {problems.map((found) => (
        <Sentence key={found.kind} found={found} />
      ))}
      {problems.some(({ problem }) => problem === "denied") && (
        <p>{t(`problem.deniedHow.${familyOf(navigator.userAgent)}`)}</p>
      )}
      <p>{t("alone")}</p>
      {canRetry && (
        <Button size="dense" onPress={() => void model.retry()}>
          {t("common:retry")}
        </Button>
      )}
    </Note>
  );
}

function Sentence({ found }: { found: DeviceProblem }) {
  const { t } = useTranslation("join");
  const text =
    found.problem === "dismissed"
      ? t("problem.dismissed")
      : t(`problem.${found.problem}.${found.kind}`);
  return <p className="m">{text}</p>;
}

function Note({ children }: { children: ReactNode }) {
  return (
    <div className="door__problem" role="status">
      <Icon name="info" className="c-caution" />
      <div className="stack">{children}</div>
    </div>
  );
}
