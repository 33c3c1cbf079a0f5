/**
 * One visit to a room, from the door on: the meeting's code, its page, and the sealed meeting that
 * will knock. Made while the person looks into the mirror; until `start` nobody hears of it.
 */

import type { ComponentType } from "react";
import type { OpenMeeting, User } from "../api/types.ts";
import type { MeetingProps } from "../features/meeting/index.tsx";
import type { Plan } from "../features/plan/model/plan.ts";
import type { Sealed } from "../sealing/contract.ts";
import { keepFragment, takeFragment } from "../sealing/keys/address.ts";
import { fromB64, isSame } from "../sealing/keys/bytes.ts";
import {
  deriveLinkKeys,
  type Fragment,
  formatFragment,
  formatLink,
  hostFingerprint,
  type LinkSecret,
} from "../sealing/keys/link.ts";
import type { SealedSession } from "../sealing/session/shell.ts";
import { keyRingOf, openMyVault } from "../vault/session.ts";
import { createKeptOut } from "./keptOut.ts";
import type { Personal, PersonalFacts } from "./personal.ts";
import { createPlanKeeper, firstPolicy } from "./plannedRules.ts";

export interface Visit {
  readonly Page: ComponentType<MeetingProps>;
  readonly session: MeetingProps["session"];
  readonly sealed: SealedSession;
  /** Null: came without the whole link. */
  readonly link: LinkSecret | null;
  /** Null: came by no personal link. */
  readonly personal: PersonalFacts | null;
  /** Null: nothing is planned here, or it cannot be read. */
  readonly plan: Plan | null;
  /** The whole link by which one came, one's own personal one too; null without its key. */
  readonly ownLink: string | null;
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

/** A personal link that opens nothing any more: there is nothing to prepare. */
export type NoVisit = Extract<Personal, { type: "dead" }>["why"];

/** Rejects when the code cannot be loaded, the server is away, or this browser cannot seal. */
export async function prepareVisit(
  meeting: OpenMeeting,
  fragment: Fragment,
  user: User | null,
): Promise<Visit | NoVisit> {
  const [{ default: Page, openSession, warmUp }, { prepareSealed }, opening, personal] =
    await Promise.all([
      import("../features/meeting/index.tsx"),
      import("../sealing/session/open.ts"),
      user === null ? null : openMyVault(user.id, meeting.id),
      personalLink(meeting.id, fragment),
    ]);
  if (personal?.type === "dead") return personal.why;
  const vault = opening?.type === "open" ? opening.vault : null;
  const pins = user === null || !meeting.is_host ? null : await devicePins(user.id, meeting.id);
  const own = vault?.content.meetings.find(({ id }) => id === meeting.id);
  const link =
    fragment.type === "link" ? fragment.link : await ownLink(own?.secret, vault?.account.publicKey);
  const plan = await planOf(meeting, link);
  const template = plan?.template ?? "none";
  const onLink = (found: LinkSecret) => keepFragment(meeting.id, formatFragment(found));
  const { session: sealed, deviceKey } = await prepareSealed({
    meetingId: meeting.id,
    link,
    holder:
      user === null || vault === null
        ? { type: "guest", meetingId: meeting.id }
        : { type: "user", userId: user.id },
    account: vault?.account ?? null,
    knownAccounts: vault?.content.pins.map(({ key }) => key) ?? [],
    knownDevices: pins?.known ?? new Map(),
    invitation: personal,
    sealedTitle: meeting.sealed_title ? fromB64(meeting.sealed_title) : null,
    policy: firstPolicy(meeting.entry, template),
    blocked: pins?.blocked ?? [],
    onLink,
  });
  if (pins !== null) {
    sealed.store.subscribe(pins.note);
    sealed.store.subscribe(pins.keptOut((keys) => void sealed.actions.block(keys)));
  }
  if (meeting.is_host) {
    sealed.store.subscribe(
      createPlanKeeper(template, (policy) => void sealed.actions.setPolicy(policy)),
    );
  }
  return {
    Page,
    session: openSession(),
    sealed,
    link,
    personal: personal && personalFacts(personal, deviceKey),
    plan,
    ownLink: link && formatLink(location.origin, meeting.id, link, personal?.seed ?? null),
    warmUp,
  };
}

/** What is planned, for who has the whole link. Its code is loaded where there is a plan. */
async function planOf(meeting: OpenMeeting, link: LinkSecret | null): Promise<Plan | null> {
  const sealed = meeting.sealed_plan ? fromB64(meeting.sealed_plan) : null;
  if (sealed === null || link === null) return null;
  const [{ parsePlan }, { openPlan }, keys] = await Promise.all([
    import("../features/plan/model/plan.ts"),
    import("../sealing/keys/intro.ts"),
    deriveLinkKeys(link.secret, meeting.id),
  ]);
  const content = await openPlan(keys, sealed);
  return content && parsePlan(content);
}

/** A host's memory of which device came with which invitation: a server that says otherwise shows. */
async function devicePins(userId: string, meetingId: string) {
  try {
    const ring = await keyRingOf(userId);
    const links = await ring.invited(meetingId);
    const known = new Map(links.flatMap(({ id, device }) => (device ? [[id, device]] : [])));
    const noted = new Set(known.keys());
    const note = ({ members }: Sealed) => {
      const fresh = members.flatMap(({ invited }) =>
        invited === null || noted.has(invited.id) ? [] : [invited],
      );
      if (fresh.length === 0) return;
      for (const { id } of fresh) noted.add(id);
      void ring.noteDevices(meetingId, new Map(fresh.map(({ id, device }) => [id, device])));
    };
    const keptOut = (block: (keys: readonly string[]) => void) =>
      createKeptOut({
        kept: ring.blocked(meetingId),
        keep: (keys) => void ring.keepBlocked(meetingId, keys),
        block,
      });
    return { known, note, blocked: ring.blocked(meetingId), keptOut };
  } catch {
    // No key ring: nothing is known, and nothing can be kept.
    return null;
  }
}

/** Null: a link for everybody. Its code is loaded for who has another. */
async function personalLink(meetingId: string, fragment: Fragment): Promise<Personal | null> {
  if (fragment.type !== "link" || fragment.seed === null) return null;
  const { lookAtPersonalLink } = await import("./personal.ts");
  return lookAtPersonalLink(meetingId, fragment.link, fragment.seed);
}

function personalFacts(
  { name, device }: Extract<Personal, { type: "invited" }>,
  deviceKey: Uint8Array,
): PersonalFacts {
  if (device === null) return { name, device: "none" };
  return { name, device: isSame(device, deviceKey) ? "this" : "other" };
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
