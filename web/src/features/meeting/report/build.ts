/** A report out of what this page has seen (docs/reference/report-format.md). Pure. */

import type { ChatMessage, Sealed, SealedMember, Witnessed } from "../../../sealing/contract.ts";
import { withoutKeys, writable } from "../../../sealing/report/canonical.ts";
import {
  KIND,
  MOST_CHAT,
  MOST_NAME,
  MOST_NOTE,
  MOST_PEOPLE,
  MOST_TEXT,
  type Report,
  type ReportLine,
  type ReportPerson,
  type ReportPicture,
} from "../../../sealing/report/format.ts";
import type { Recent } from "./recent.ts";

export const CHAT_MS = 300_000;

export interface Material {
  readonly meetingId: string;
  readonly sealed: Sealed;
  readonly witnessed: Witnessed;
  readonly recent: Recent;
  /** Milliseconds since the epoch: when Report was pressed. */
  readonly at: number;
}

export interface Choice {
  /** Identities. */
  readonly about: ReadonlySet<string>;
  readonly note: string;
  readonly pictures: readonly ReportPicture[];
}

/** Whom a report can be about: everybody else who is here, and who was until a minute ago. */
export function others({ sealed, recent }: Pick<Material, "sealed" | "recent">): readonly {
  readonly member: SealedMember;
  readonly leftAt: number | null;
}[] {
  const here = new Set(sealed.members.map(({ identity }) => identity));
  return [
    ...sealed.members.filter(({ isSelf }) => !isSelf).map((member) => ({ member, leftAt: null })),
    ...recent.gone.filter(({ member }) => !here.has(member.identity)),
  ];
}

/** Null: this device is in no group. */
export function buildReport(material: Material, { about, note, pictures }: Choice): Report | null {
  const { meetingId, sealed, witnessed, recent, at } = material;
  const self = sealed.members.find(({ isSelf }) => isSelf);
  const own = self && witnessed.devices.get(self.identity);
  if (self === undefined || own === undefined || witnessed.instance === null) return null;
  const person = (member: SealedMember, leftAt: number | null) =>
    personOf(member, leftAt, witnessed);
  return {
    v: 1,
    kind: KIND,
    meeting: meetingId,
    instance: witnessed.instance,
    made_at: at,
    reporter: {
      identity: self.identity,
      device_key: own.deviceKey,
      account_key: witnessed.certificate === null ? null : own.accountKey,
      certificate: own.accountKey === null ? null : witnessed.certificate,
      name: nameOf(self.name),
    },
    about: others(material)
      .filter(({ member }) => about.has(member.identity))
      .flatMap(({ member, leftAt }) => person(member, leftAt))
      .slice(0, MOST_PEOPLE),
    people: sealed.members.flatMap((member) => person(member, null)).slice(0, MOST_PEOPLE),
    events: recent.events,
    chat: sealed.chat
      .filter(({ sentAt, state }) => state === "sent" && sentAt >= at - CHAT_MS)
      .slice(-MOST_CHAT)
      .map(lineOf),
    note: withoutKeys(note, MOST_NOTE),
    pictures,
  };
}

function personOf(
  member: SealedMember,
  leftAt: number | null,
  { devices }: Witnessed,
): readonly ReportPerson[] {
  const device = devices.get(member.identity);
  if (device === undefined) return [];
  const { identity, name, role, verification, invited, joinedAt } = member;
  return [
    {
      identity,
      device_key: device.deviceKey,
      name: nameOf(name),
      role,
      came: verification,
      invitation: invited?.id ?? null,
      invited_as: nameOf(invited?.name ?? null),
      other_device: invited?.isOtherDevice ?? false,
      added_by: device.addedBy,
      joined_at: joinedAt,
      left_at: leftAt,
    },
  ];
}

function lineOf(message: ChatMessage): ReportLine {
  const { identity, name, privateWith } = message;
  return {
    at: message.sentAt,
    who: writable(identity, MOST_NAME),
    name: writable(name, MOST_NAME),
    text: withoutKeys(message.text, MOST_TEXT),
    private_with:
      privateWith === null
        ? null
        : {
            identity: writable(privateWith.identity, MOST_NAME),
            name: writable(privateWith.name, MOST_NAME),
          },
    edited: message.isEdited,
    deleted: message.isDeleted,
    from_before: message.isFromBefore,
  };
}

function nameOf(name: string | null): string | null {
  return name === null ? null : writable(name, MOST_NAME);
}
