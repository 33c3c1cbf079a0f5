/**
 * A meeting's personal links and what its host does with them. The key ring has the links, the
 * server what they are worth; without the server the links are still shown.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, asApiError } from "../../api/errors.ts";
import {
  changeInvitation,
  fetchInviting,
  type Inviting,
  MOST_AT_ONCE,
  postInvitations,
  setEntry,
} from "../../api/invitations.ts";
import { meetingsKey, sessionQuery } from "../../api/queries.ts";
import type { HostedInvitation, MeetingEntry } from "../../api/types.ts";
import { b64, fromB64 } from "../../sealing/keys/bytes.ts";
import type { CertifiedName, InvitedLink, NewInvited } from "../../vault/invitations.ts";
import type { KeyRing } from "../../vault/keyRing.ts";
import { keyRingOf } from "../../vault/session.ts";
import type { FreshFor, RoomWithin } from "./contract.ts";
import { freshOf } from "./model/fresh.ts";
import { type InvitedRow, renewedEnd, rowsOf } from "./model/rows.ts";

/** A link that is passed on meanwhile shows while the dialog is open. */
const LOOK_AGAIN_MS = 15_000;

/** The key ring stands in the way: no link was made, or the change is not on it. */
export class NotInvited extends Error {
  override readonly name = "NotInvited";
  readonly why: "too-many" | "no-key" | "not-kept";

  constructor(why: NotInvited["why"]) {
    super(why);
    this.why = why;
  }
}

/** The server has it; the people who are in the room could not be told. */
export class RoomNotTold extends Error {
  override readonly name = "RoomNotTold";
}

export interface Invitations {
  /** Null: not here yet. */
  readonly rows: readonly InvitedRow[] | null;
  /** Null: not known. */
  readonly entry: MeetingEntry | null;
  /** Why the server's part is missing; null: it is not. */
  readonly fault: unknown;
  retry(): Promise<unknown>;
  /** Rejects with `NotInvited` or, when links are made and not all of them sent, with `ApiError`. */
  add(
    people: readonly NewInvited[],
    onSent: (count: number) => void,
  ): Promise<readonly InvitedLink[]>;
  /** The certificates of those that the server does not have. */
  sendAgain(rows: readonly InvitedRow[]): Promise<void>;
  revoke(row: InvitedRow, isRevoked: boolean): Promise<void>;
  /** The next device that comes with it keeps it. */
  release(row: InvitedRow): Promise<void>;
  /** A fresh link for the same person; the one before opens nothing any more. */
  renew(row: InvitedRow, name: string): Promise<InvitedLink>;
  /** The same for several, also for some who had none. Rejects when no link was made. */
  replace(people: readonly FreshFor[], onSent: (count: number) => void): Promise<Replaced>;
  setEntry(entry: MeetingEntry): Promise<void>;
}

export interface Replaced {
  /** In the order of the people. */
  readonly made: readonly InvitedLink[];
  /** Why not all of them are with the server, or the ones before not taken back; null: all is done. */
  readonly fault: unknown;
}

interface Loaded {
  readonly rows: readonly InvitedRow[];
  readonly entry: MeetingEntry | null;
  readonly fault: unknown;
}

export function useInvitations(
  userId: string,
  meetingId: string,
  within: RoomWithin | null,
): Invitations {
  const client = useQueryClient();
  const key = ["invitations", meetingId];
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => load(userId, meetingId, signal),
    refetchInterval: LOOK_AGAIN_MS,
    staleTime: 0,
    gcTime: 0,
  });
  const renewed = () => client.invalidateQueries({ queryKey: key });

  /** Shows what has become of it, whether it worked or not. */
  async function act<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      }
      throw error;
    } finally {
      await renewed();
    }
  }

  async function send(ids: readonly string[], onSent: (count: number) => void): Promise<void> {
    const ring = await keyRingOf(userId);
    for (let at = 0; at < ids.length; at += MOST_AT_ONCE) {
      const made = await ring.recertify(meetingId, ids.slice(at, at + MOST_AT_ONCE));
      await postInvitations(
        meetingId,
        made.map(({ bytes }) => b64(bytes)),
      );
      onSent(Math.min(ids.length, at + MOST_AT_ONCE));
    }
  }

  async function make(people: readonly NewInvited[]): Promise<readonly InvitedLink[]> {
    const inviting = await (await keyRingOf(userId)).invite(meetingId, people);
    if (inviting.type === "made") return inviting.made;
    const isOurs = inviting.type === "too-many" || inviting.type === "no-key";
    throw new NotInvited(isOurs ? inviting.type : "not-kept");
  }

  async function revoke(id: string, isRevoked: boolean): Promise<void> {
    await changeInvitation(meetingId, id, isRevoked ? "revoke" : "restore");
    const told = await within?.revoke([id], isRevoked);
    if (told !== undefined && told !== "done") throw new RoomNotTold();
  }

  /** What people had before they were given another; as what they were invited they stay for now. */
  async function takeBack(people: readonly FreshFor[]): Promise<void> {
    const had = people.filter(({ invitation }) => invitation !== null);
    for (const { identity, role } of had) {
      if (role !== "attendee") await within?.keepRole(identity, role);
    }
    const ids = had.flatMap(({ invitation }) => invitation ?? []);
    // First those inside: they open the door, whatever the server has.
    const told = ids.length === 0 ? "done" : await within?.revoke(ids, true);
    for (const id of ids) {
      await changeInvitation(meetingId, id, "revoke").catch((error: unknown) => {
        // One that the server does not have opens nothing there.
        if (asApiError(error).status !== 404) throw error;
      });
    }
    if (told !== undefined && told !== "done") throw new RoomNotTold();
  }

  const { data } = query;
  return {
    rows: data?.rows ?? null,
    entry: data?.entry ?? null,
    fault: data?.fault ?? query.error,
    retry: renewed,
    add: (people, onSent) =>
      act(async () => {
        const made = await make(people);
        await send(
          made.map(({ id }) => id),
          onSent,
        );
        return made;
      }),
    sendAgain: (rows) =>
      act(() =>
        send(
          rows.map(({ id }) => id),
          () => undefined,
        ),
      ),
    revoke: (row, isRevoked) => act(() => revoke(row.id, isRevoked)),
    release: (row) =>
      act(async () => {
        await changeInvitation(meetingId, row.id, "release");
        const isKept = await (await keyRingOf(userId)).releaseDevice(meetingId, row.id);
        if (!isKept && row.fragment !== null) throw new NotInvited("not-kept");
      }),
    renew: (row, name) =>
      act(async () => {
        const expiresAt = renewedEnd(row, Date.now());
        const [made] = await make([{ name, role: row.role, expiresAt }]);
        if (made === undefined) throw new NotInvited("not-kept");
        await send([made.id], () => undefined);
        await revoke(row.id, true);
        return made;
      }),
    replace: (people, onSent) =>
      act(async () => {
        const made = await make(people.map((one) => freshOf(one, data?.rows ?? [], Date.now())));
        try {
          await send(
            made.map(({ id }) => id),
            onSent,
          );
          await takeBack(people);
          return { made, fault: null };
        } catch (fault) {
          // They are there: nobody is to make them once more.
          return { made, fault };
        }
      }),
    setEntry: (entry) =>
      act(async () => {
        await setEntry(meetingId, entry);
        void client.invalidateQueries({ queryKey: meetingsKey });
        const told = await within?.setEntry(entry);
        if (told !== undefined && told !== "done") throw new RoomNotTold();
      }),
  };
}

async function load(userId: string, meetingId: string, signal: AbortSignal): Promise<Loaded> {
  const ring = await keyRingOf(userId);
  await ring.open();
  let inviting: Inviting | null = null;
  let fault: unknown = null;
  try {
    inviting = await fetchInviting(meetingId, signal);
  } catch (error) {
    // Without the session there is nothing to show.
    if (signal.aborted || asApiError(error).status === 401) throw error;
    fault = error;
  }
  const served = inviting?.invitations ?? null;
  const links = await linksFor(ring, meetingId, served ?? []);
  const bound = new Map<string, string>();
  for (const { id, device } of served ?? []) if (device !== null) bound.set(id, device);
  const others = await ring.noteDevices(meetingId, bound);
  const strays = await straysIn(ring, meetingId, links, served ?? []);
  return { rows: rowsOf({ links, served, strays, others }), entry: inviting?.entry ?? null, fault };
}

/** Another browser of the same person may have put newer ones on the ring. */
async function linksFor(
  ring: KeyRing,
  meetingId: string,
  served: readonly HostedInvitation[],
): Promise<readonly InvitedLink[]> {
  const links = await ring.invited(meetingId);
  const known = new Set(links.map(({ id }) => id));
  if (served.every(({ id }) => known.has(id))) return links;
  await ring.refresh();
  return ring.invited(meetingId);
}

/** This host's own that are not on the ring: they open the door, so they are shown. */
async function straysIn(
  ring: KeyRing,
  meetingId: string,
  links: readonly InvitedLink[],
  served: readonly HostedInvitation[],
): Promise<ReadonlyMap<string, CertifiedName>> {
  const known = new Set(links.map(({ id }) => id));
  const strays = new Map<string, CertifiedName>();
  for (const { id, certificate } of served) {
    const bytes = known.has(id) ? null : fromB64(certificate);
    const about = bytes && (await ring.readCertificate(meetingId, bytes));
    if (about?.id === id) strays.set(id, about);
  }
  return strays;
}
