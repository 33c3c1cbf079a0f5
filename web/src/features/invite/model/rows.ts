/** The people on a meeting's list, as the host's key ring and the server together know them. Pure. */
import type { HostedInvitation } from "../../../api/types.ts";
import type { InvitedRole } from "../../../sealing/keys/invitation.ts";
import type { CertifiedName, InvitedLink } from "../../../vault/invitations.ts";

export type Standing =
  /** The server does not answer. */
  | { readonly type: "unknown" }
  /** The server has no certificate: the link opens nothing yet. */
  | { readonly type: "unsent" }
  | { readonly type: "unused" }
  | { readonly type: "used"; readonly since: string | null }
  /** Another device came with it and was not let in by it. */
  | { readonly type: "passed-on"; readonly at: string }
  /** The server names another device than the one that was seen first. */
  | { readonly type: "other-device" }
  | { readonly type: "revoked" }
  | { readonly type: "expired" };

export interface InvitedRow {
  readonly id: string;
  /** Null: without one, or not readable here. */
  readonly name: string | null;
  readonly role: InvitedRole;
  /** Seconds since the epoch; 0: as long as the meeting. */
  readonly expiresAt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Null: made elsewhere, and not on this key ring. */
  readonly fragment: string | null;
  readonly standing: Standing;
}

export interface Known {
  /** Of the key ring. */
  readonly links: readonly InvitedLink[];
  /** Null: the server does not answer. */
  readonly served: readonly HostedInvitation[] | null;
  /** What the certificates say that are not on the ring, by id. */
  readonly strays: ReadonlyMap<string, CertifiedName>;
  /** For which the server names another device than before. */
  readonly others: ReadonlySet<string>;
}

/** The newest list first, for its links are still to be handed out; each as it was typed. */
export function rowsOf({ links, served, strays, others }: Known): readonly InvitedRow[] {
  const byId = new Map(served?.map((one) => [one.id, one]));
  const known = links.map(({ id, name, role, expiresAt, at, fragment }) => {
    const standing = served === null ? UNKNOWN : standingOf(byId.get(id), others.has(id));
    return { id, name, role, expiresAt, at, fragment, standing };
  });
  const strange = [...strays].map(([id, about]) => {
    const one = byId.get(id);
    const at = Date.parse(one?.created_at ?? "") || 0;
    return { ...about, id, at, fragment: null, standing: standingOf(one, false) };
  });
  return [...known, ...strange].toSorted((one, other) => other.at - one.at);
}

const UNKNOWN: Standing = { type: "unknown" };

function standingOf(one: HostedInvitation | undefined, isOther: boolean): Standing {
  if (one === undefined) return { type: "unsent" };
  if (one.state === "revoked" || one.state === "expired") return { type: one.state };
  if (isOther) return { type: "other-device" };
  if (one.passed_on_at !== null) return { type: "passed-on", at: one.passed_on_at };
  return one.state === "used" ? { type: "used", since: one.bound_at } : { type: "unused" };
}

/** Whether its link opens something, or will once the server has it. */
export function isLive({ standing }: InvitedRow): boolean {
  return standing.type !== "revoked" && standing.type !== "expired";
}

export type Lasting = "meeting" | "day" | "week" | "month";

const DAY = 24 * 60 * 60;
const SECONDS: Record<Lasting, number> = { meeting: 0, day: DAY, week: 7 * DAY, month: 30 * DAY };

/** `now` in milliseconds; the answer as in a certificate. */
export function endOf(lasting: Lasting, now: number): number {
  return lasting === "meeting" ? 0 : Math.floor(now / 1_000) + SECONDS[lasting];
}

/** The end of a link in place of this one: it lasts as long from now as this one did from then. */
export function renewedEnd({ expiresAt, at }: InvitedRow, now: number): number {
  if (expiresAt === 0) return 0;
  const lasted = Math.round(expiresAt - at / 1_000);
  // For one that is not on the ring, `at` is the server's word.
  const isSound = lasted >= SECONDS.day && lasted <= SECONDS.month;
  return Math.floor(now / 1_000) + (isSound ? lasted : SECONDS.day);
}
