/** Calls of a meeting's host about its personal invitations (docs/reference/http-api.md). */
import { call } from "./http.ts";
import type { HostedInvitation, MeetingEntry, OpenMeeting } from "./types.ts";

/** The server takes no more at once. */
export const MOST_AT_ONCE = 40;

interface Invitations {
  invitations: HostedInvitation[];
}

export interface Inviting {
  readonly invitations: readonly HostedInvitation[];
  readonly entry: MeetingEntry;
}

const path = (meetingId: string) => `/meetings/${encodeURIComponent(meetingId)}`;

export async function fetchInviting(meetingId: string, signal: AbortSignal): Promise<Inviting> {
  const [{ invitations }, { entry }] = await Promise.all([
    call<Invitations>({ path: `${path(meetingId)}/invitations`, signal }),
    call<OpenMeeting>({ path: path(meetingId), signal }),
  ]);
  return { invitations, entry };
}

/** `certificates`: base64url, at most `MOST_AT_ONCE`. One that is there stays as it is. */
export function postInvitations(
  meetingId: string,
  certificates: readonly string[],
): Promise<unknown> {
  return call({
    method: "POST",
    path: `${path(meetingId)}/invitations`,
    body: { invitations: certificates },
  });
}

export type InvitationChange = "revoke" | "restore" | "release";

export function changeInvitation(
  meetingId: string,
  invitationId: string,
  change: InvitationChange,
): Promise<unknown> {
  return call({
    method: "PATCH",
    path: `${path(meetingId)}/invitations/${encodeURIComponent(invitationId)}`,
    body: { change },
  });
}

export function setEntry(meetingId: string, entry: MeetingEntry): Promise<void> {
  return call({ method: "PUT", path: `${path(meetingId)}/entry`, body: { entry } });
}
