/** Calls of a meeting's host about what is planned (docs/reference/http-api.md). */
import { call } from "./http.ts";
import type { MeetingKeep, RunningMeeting } from "./types.ts";

const path = (meetingId: string) => `/meetings/${encodeURIComponent(meetingId)}`;

export interface KeptPlan {
  readonly keep: MeetingKeep;
  readonly keep_until: string | null;
  /** base64url; null: none. */
  readonly sealed_plan: string | null;
  readonly is_own_room?: boolean;
}

export function openMeeting(): Promise<RunningMeeting> {
  return call({ method: "POST", path: "/meetings" });
}

export function putPlan(meetingId: string, plan: KeptPlan): Promise<void> {
  return call({ method: "PUT", path: `${path(meetingId)}/plan`, body: plan });
}

export function putTitle(meetingId: string, sealed: string | null): Promise<void> {
  return call({
    method: "PUT",
    path: `${path(meetingId)}/title`,
    body: { sealed_title: sealed },
  });
}

/** It ends for good, and every link to it stops working. */
export function cancelMeeting(meetingId: string): Promise<void> {
  return call({ method: "DELETE", path: path(meetingId) });
}

export interface Letter {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** A whole calendar file. */
  readonly ics: string;
}

/** The server takes no more addresses at once. */
export const MOST_ADDRESSES = 40;
/** It waits for the mail server, ten seconds for each four letters at most. */
const LETTERS_TIMEOUT_MS = 120_000;

/** What became of each letter, in the order of the addresses; null: it is on its way. */
export async function postLetters(
  meetingId: string,
  letter: Letter,
): Promise<readonly (string | null)[]> {
  const answer = await call<{ mail_errors: (string | null)[] }>({
    method: "POST",
    path: `${path(meetingId)}/letters`,
    body: letter,
    timeoutMs: LETTERS_TIMEOUT_MS,
  });
  return answer.mail_errors;
}
