/**
 * Cleaning a room: who stays by default, what is taken back, and the report of it. Pure.
 *
 * Whoever is proven stays: hosts, known accounts, and a personal link on the device it belongs to.
 * Whoever came by a link for everybody, or without one, goes; the host may decide otherwise.
 */

import type { ChatMessage, DoorGuest, SealedMember } from "../../../sealing/contract.ts";
import { isProven } from "./proof.ts";

export interface Candidate {
  /** An identity, or the seat of who waits at the door. */
  readonly id: string;
  readonly isAtDoor: boolean;
  readonly name: string | null;
  readonly came: SealedMember["verification"] | DoorGuest["proof"];
  /** Whose personal link it was; null: none, or nameless. */
  readonly invitedAs: string | null;
  readonly invitationId: string | null;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Oneself and hosts: not up to this person. */
  readonly isFixed: boolean;
  readonly staysByDefault: boolean;
}

/** Those to decide about first, each group in the order in which they came. */
export function candidates(
  members: readonly SealedMember[],
  door: readonly DoorGuest[],
): readonly Candidate[] {
  const here = members
    .filter((member) => !member.isLeaving)
    .map((member): Candidate => {
      const isFixed = member.isSelf || member.role === "host";
      return {
        id: member.identity,
        isAtDoor: false,
        name: member.name,
        came: member.verification,
        invitedAs: member.invited?.name ?? null,
        invitationId: member.invited?.id ?? null,
        since: member.joinedAt,
        isFixed,
        staysByDefault: isFixed || member.role !== "member" || isProven(member),
      };
    });
  const waiting = door.map(
    (guest): Candidate => ({
      id: guest.seat,
      isAtDoor: true,
      name: guest.name,
      came: guest.proof,
      invitedAs: guest.invited?.name ?? null,
      invitationId: guest.invited?.id ?? null,
      since: guest.knockedAt,
      isFixed: false,
      staysByDefault: false,
    }),
  );
  const all = [...here, ...waiting];
  return [
    ...all.filter(({ staysByDefault }) => !staysByDefault),
    ...all.filter(({ staysByDefault }) => staysByDefault),
  ];
}

export interface Cleaning {
  readonly identities: readonly string[];
  readonly seats: readonly string[];
  /** Invitations that open nothing any more: of all who go. */
  readonly invitations: readonly string[];
}

export function cleaningOf(
  all: readonly Candidate[],
  stays: ReadonlyMap<string, boolean>,
): Cleaning & { readonly gone: readonly Candidate[]; readonly stayed: readonly Candidate[] } {
  const isStaying = (one: Candidate) => one.isFixed || (stays.get(one.id) ?? one.staysByDefault);
  const gone = all.filter((one) => !isStaying(one));
  const stayed = all.filter(isStaying);
  // A link that somebody who stays came by is theirs: who misused it waits at the door next time.
  const kept = new Set(stayed.map(({ invitationId }) => invitationId));
  const invitations = gone.flatMap(({ invitationId }) => invitationId ?? []);
  return {
    identities: gone.filter(({ isAtDoor }) => !isAtDoor).map(({ id }) => id),
    seats: gone.filter(({ isAtDoor }) => isAtDoor).map(({ id }) => id),
    invitations: [...new Set(invitations)].filter((id) => !kept.has(id)),
    gone,
    stayed,
  };
}

/** The words of a report, in the person's language. */
export interface ReportWords {
  readonly title: string;
  readonly intro: string;
  readonly went: string;
  readonly stayed: string;
  readonly said: string;
  readonly nothingSaid: string;
  readonly nameless: string;
  readonly noteOfOrigin: string;
  came(one: Candidate): string;
  time(milliseconds: number): string;
}

/** What this person's browser has seen; nothing in it comes from the server. */
export function report(
  {
    gone,
    stayed,
    at,
  }: {
    readonly gone: readonly Candidate[];
    readonly stayed: readonly Candidate[];
    readonly at: number;
  },
  chat: readonly ChatMessage[],
  words: ReportWords,
): string {
  const lines = [words.title, words.time(at), "", words.intro, "", words.went];
  for (const one of gone) {
    lines.push(`- ${one.name ?? words.nameless}: ${words.came(one)}, ${words.time(one.since)}`);
    const said = chat.filter(({ identity, isDeleted }) => identity === one.id && !isDeleted);
    lines.push(`  ${said.length === 0 ? words.nothingSaid : words.said}`);
    for (const { sentAt, text } of said) {
      lines.push(`    ${words.time(sentAt)}: ${text.replaceAll("\n", " ")}`);
    }
  }
  lines.push("", words.stayed);
  for (const one of stayed) lines.push(`- ${one.name ?? words.nameless}: ${words.came(one)}`);
  lines.push("", words.noteOfOrigin);
  return lines.map((line) => `${line}\n`).join("");
}
