import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { OpenMeeting } from "../../../api/types.ts";
import { Button, PageTitle, TextField, Vow } from "../../../design/index.ts";
import { readSetting, writeSetting } from "../../../storage.ts";
import { useMedia } from "../../../useMedia.ts";
import type { Going } from "../../meeting/contract.ts";
import type { CaptureState } from "../model/capture.ts";
import { type NameFault, nameFault } from "../model/name.ts";
import type { DeviceKind } from "../model/problems.ts";
import { type CaptureHandle, previewOf, rememberDevices } from "../useCapture.ts";
import { DeviceRows } from "./DeviceRows.tsx";
import { GuestLink, LinkFacts, PersonalFacts, type PersonalLinkFacts } from "./LinkFacts.tsx";
import { OpenSince } from "./OpenSince.tsx";
import { PreviewPane } from "./PreviewPane.tsx";
import { ProblemNote } from "./ProblemNote.tsx";

export interface DoorProps {
  meeting: OpenMeeting;
  capture: CaptureHandle;
  /** What is in the room's calendar, readable with the link alone. */
  title: string | null;
  /** The link to pass on. */
  guestLink: string;
  /** Whether one's own link has its key: missing or damaged, and one waits at the door. */
  fragment: FragmentState;
  /** Whose personal link one's own is; null: it is for everybody. */
  personal: PersonalLinkFacts | null;
  /** When it takes place and what it is about; absent: it is for right now, or cannot be read. */
  planned?: ReactNode;
  /** Knocking, or being let in. */
  isEntering: boolean;
  /** Many come at once, and this device works for being heard. */
  isCrowded?: boolean;
  /** Why going in did not work, in words. */
  problem: string | null;
  onEnter(going: Going): void;
}

export type FragmentState = "whole" | "missing" | "damaged";

/** Mirror, microphone check, name, and the one button. Nobody sees or hears you here. */
export function Door({
  meeting,
  capture,
  title,
  guestLink,
  fragment,
  personal,
  planned = null,
  isEntering,
  isCrowded = false,
  problem,
  onEnter,
}: DoorProps) {
  const { t } = useTranslation(["join", "common"]);
  const [name, setName] = useState(() => readSetting("name") ?? "");
  const [isTyped, setTyped] = useState(false);
  // The host has written whose link this is: a name to start with, before another is typed.
  const proposed = isTyped ? name : name || (personal?.name ?? "");
  const [fault, setFault] = useState<NameFault | null>(null);
  const nameInput = useRef<HTMLInputElement>(null);
  const isNarrow = useMedia("(max-width: 60rem)");

  function complain(found: NameFault): void {
    setFault(found);
    nameInput.current?.focus();
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isEntering) return;
    const found = nameFault(proposed);
    if (found) {
      complain(found);
      return;
    }
    const as = proposed.trim();
    const { model } = capture;
    const state = model.store.getState();
    writeSetting("name", as);
    rememberDevices(state);
    onEnter({
      name: as,
      devices: {
        cameraId: state.camera.chosenId,
        microphoneId: state.microphone.chosenId,
        speakerId: state.speakerId,
        isCameraOn: isOnInRoom(state, "camera"),
        isMicrophoneOn: isOnInRoom(state, "microphone"),
      },
      preview: previewOf(capture),
    });
  }

  // Open since its link was made, which says nothing.
  const isKept = meeting.keep === "until" || meeting.keep === "always";
  const devices = <DeviceRows model={capture.model} />;
  return (
    <main id="main" className="door">
      <div className="door__head">
        <PageTitle title={t("title")}>
          {title ?? t(meeting.is_host ? "headingHost" : "headingGuest")}
        </PageTitle>
        {planned}
        {!isKept && <OpenSince openedAt={meeting.opened_at} />}
        <Vow
          state="sealed"
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
      <form className="door__form" onSubmit={submit} noValidate>
        <TextField
          label={t("name.label")}
          hint={t(meeting.is_host ? "name.hintHost" : "name.hintGuest")}
          value={proposed}
          onChange={(value) => {
            setName(value);
            setTyped(true);
            setFault(null);
          }}
          error={fault ? t(`name.${fault}`) : undefined}
          autoComplete="name"
          inputRef={nameInput}
        />
        {isNarrow && devices}
        {meeting.is_host ? (
          <GuestLink link={guestLink} />
        ) : personal === null ? (
          <LinkFacts isKept={isKept} />
        ) : (
          <PersonalFacts personal={personal} />
        )}
        <div className="door__go">
          {fragment !== "whole" && <p className="sm door__note">{t(`fragment.${fragment}`)}</p>}
          {problem !== null && (
            <p className="c-danger sm door__error" role="alert">
              {problem}
            </p>
          )}
          <p className="sm door__crowd" role="status">
            {isEntering && isCrowded ? t("crowded") : null}
          </p>
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
