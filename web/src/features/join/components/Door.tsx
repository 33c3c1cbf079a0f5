import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type ApiError, asApiError } from "../../../api/errors.ts";
import { joinMeeting } from "../../../api/queries.ts";
import type { OpenMeeting } from "../../../api/types.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import { Button, PageTitle, TextField, Vow } from "../../../design/index.ts";
import { meetingPath } from "../../../links.ts";
import { readSetting, writeSetting } from "../../../storage.ts";
import { useMedia } from "../../../useMedia.ts";
import type { EnteredMeeting, MeetingConnection, RejoinAnswer } from "../../meeting/contract.ts";
import type { CaptureState } from "../model/capture.ts";
import { type NameFault, nameFault } from "../model/name.ts";
import type { DeviceKind } from "../model/problems.ts";
import { type CaptureHandle, previewOf, rememberDevices } from "../useCapture.ts";
import { DeviceRows } from "./DeviceRows.tsx";
import { GuestLink, LinkFacts } from "./LinkFacts.tsx";
import { OpenSince } from "./OpenSince.tsx";
import { PreviewPane } from "./PreviewPane.tsx";
import { ProblemNote } from "./ProblemNote.tsx";

export interface DoorProps {
  meeting: OpenMeeting;
  capture: CaptureHandle;
  onEnter(entered: EnteredMeeting): void;
  /** The room has ended while one stood before it. */
  onGone(): void;
}

/** Mirror, microphone check, name, and the one button. Nobody sees or hears you here. */
export function Door({ meeting, capture, onEnter, onGone }: DoorProps) {
  const { t } = useTranslation(["join", "common"]);
  const [name, setName] = useState(() => readSetting("name") ?? "");
  const [fault, setFault] = useState<NameFault | null>(null);
  const nameInput = useRef<HTMLInputElement>(null);
  // Stays until the meeting stands in this page's place: nothing is drawn anew for the answer.
  const [isEntering, setEntering] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const errorText = useErrorText();
  const isNarrow = useMedia("(max-width: 60rem)");
  const guestLink = location.origin + meetingPath(meeting.id);

  function complain(found: NameFault): void {
    setFault(found);
    nameInput.current?.focus();
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (isEntering) return;
    const found = nameFault(name);
    if (found) {
      complain(found);
      return;
    }
    setEntering(true);
    setFailure(null);
    let connection: MeetingConnection;
    try {
      connection = await joinMeeting(meeting.id, name.trim());
    } catch (error) {
      const refusal = asApiError(error);
      setEntering(false);
      setFailure(refusal);
      if (refusal.status === 404) onGone();
      if (refusal.status === 422) complain("refused");
      return;
    }
    enter(connection, name.trim());
  }

  function enter(connection: MeetingConnection, as: string): void {
    const { model } = capture;
    const state = model.store.getState();
    writeSetting("name", as);
    rememberDevices(state);
    capture.keepRunning();
    onEnter({
      connection,
      name: as,
      devices: {
        cameraId: state.camera.chosenId,
        microphoneId: state.microphone.chosenId,
        speakerId: state.speakerId,
        isCameraOn: isOnInRoom(state, "camera"),
        isMicrophoneOn: isOnInRoom(state, "microphone"),
      },
      preview: previewOf(model),
      rejoin: () => rejoin(meeting.id, as),
    });
  }

  const devices = <DeviceRows model={capture.model} />;
  return (
    <main id="main" className="door">
      <div className="door__head">
        <PageTitle title={t("title")}>
          {t(meeting.is_host ? "headingHost" : "headingGuest")}
        </PageTitle>
        <OpenSince openedAt={meeting.opened_at} />
        <Vow
          state="open"
          line={t("common:seal.line")}
          more={t("common:seal.more")}
          label={t("how")}
        />
      </div>
      <section className="door__check" aria-label={t("check")}>
        <PreviewPane model={capture.model} />
        <ProblemNote model={capture.model} />
        {!isNarrow && devices}
      </section>
      <form className="door__form" onSubmit={(event) => void submit(event)} noValidate>
        <TextField
          label={t("name.label")}
          hint={t(meeting.is_host ? "name.hintHost" : "name.hintGuest")}
          value={name}
          onChange={(value) => {
            setName(value);
            setFault(null);
          }}
          error={fault ? t(`name.${fault}`) : undefined}
          autoComplete="name"
          inputRef={nameInput}
        />
        {isNarrow && devices}
        {meeting.is_host ? <GuestLink link={guestLink} /> : <LinkFacts />}
        <div className="door__go">
          {failure && failure.status !== 422 && (
            <p className="c-danger sm door__error" role="alert">
              {errorText(failure)}
            </p>
          )}
          <Button type="submit" variant="primary" size="large" isWide isBusy={isEntering}>
            {isEntering ? t("joining") : t("button")}
          </Button>
          <p className="sm mut door__keeps">{t(meeting.is_host ? "keepsHost" : "keeps")}</p>
        </div>
      </form>
    </main>
  );
}

/** A device that is still starting when somebody is quick with the button is on in the room. */
function isOnInRoom({ support, ...state }: CaptureState, kind: DeviceKind): boolean {
  const { isWanted, problem } = state[kind];
  return support === "full" && isWanted && problem === null;
}

/** A fresh connection under the same name, for the meeting to come back by itself. */
async function rejoin(meetingId: string, name: string): Promise<RejoinAnswer> {
  try {
    return await joinMeeting(meetingId, name);
  } catch (error) {
    const { status } = asApiError(error);
    if (status === 404) return "ended";
    if (status === 403) return "removed";
    throw error;
  }
}
