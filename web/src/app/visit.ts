/**
 * One visit to a room, from the door on: the meeting's code, its page, and the sealed meeting that
 * will knock. Made while the person looks into the mirror; until `start` nobody hears of it.
 */

import type { ComponentType } from "react";
import type { OpenMeeting, User } from "../api/types.ts";
import type { MeetingProps } from "../features/meeting/index.tsx";
import { keepFragment, takeFragment } from "../sealing/keys/address.ts";
import { fromB64 } from "../sealing/keys/bytes.ts";
import {
  type Fragment,
  formatFragment,
  formatLink,
  hostFingerprint,
  type LinkSecret,
} from "../sealing/keys/link.ts";
import type { SealedSession } from "../sealing/session/shell.ts";
import { openMyVault } from "../vault/session.ts";

export interface Visit {
  readonly Page: ComponentType<MeetingProps>;
  readonly session: MeetingProps["session"];
  readonly sealed: SealedSession;
  /** Null: came without the whole link. */
  readonly link: LinkSecret | null;
  warmUp(): Promise<void>;
}

/** What the address said, once: it is no longer in the address bar afterwards. */
export function linkHere(meetingId: string): Fragment {
  return takeFragment(meetingId);
}

/** The link to pass on; without its key, those who follow it wait at the door. */
export function guestLinkOf(meetingId: string, link: LinkSecret | null): string {
  return link === null
    ? `${location.origin}/m/${meetingId}`
    : formatLink(location.origin, meetingId, link);
}

/** Rejects when the code cannot be loaded or this browser cannot seal. */
export async function prepareVisit(
  meeting: OpenMeeting,
  fragment: Fragment,
  user: User | null,
): Promise<Visit> {
  const [{ default: Page, openSession, warmUp }, { prepareSealed }, opening] = await Promise.all([
    import("../features/meeting/index.tsx"),
    import("../sealing/session/open.ts"),
    user === null ? null : openMyVault(user.id, meeting.id),
  ]);
  const vault = opening?.type === "open" ? opening.vault : null;
  const own = vault?.content.meetings.find(({ id }) => id === meeting.id);
  const link =
    fragment.type === "link" ? fragment.link : await ownLink(own?.secret, vault?.account.publicKey);
  const onLink = (found: LinkSecret) => keepFragment(meeting.id, formatFragment(found));
  const sealed = await prepareSealed({
    meetingId: meeting.id,
    link,
    holder:
      user === null || vault === null
        ? { type: "guest", meetingId: meeting.id }
        : { type: "user", userId: user.id },
    account: vault?.account ?? null,
    knownAccounts: vault?.content.pins.map(({ key }) => key) ?? [],
    sealedTitle: meeting.sealed_title ? fromB64(meeting.sealed_title) : null,
    policy: { entry: "open", isLocked: false, history: 0 },
    onLink,
  });
  return { Page, session: openSession(), sealed, link, warmUp };
}

/** Of a meeting that this account has opened, perhaps in another browser. */
async function ownLink(
  secretText: string | undefined,
  accountKey: Uint8Array | undefined,
): Promise<LinkSecret | null> {
  const secret = secretText === undefined ? null : fromB64(secretText);
  if (secret === null || accountKey === undefined) return null;
  return { secret, fingerprint: await hostFingerprint(accountKey) };
}
