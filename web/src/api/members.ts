/** The members of this server, for its operators (docs/reference/http-api.md). */
import { useQuery } from "@tanstack/react-query";
import { call } from "./http.ts";
import type { Role } from "./types.ts";

export interface Member {
  id: string;
  role: Role;
  login: string | null;
  created_at: string;
  last_seen_at: string | null;
  is_suspended: boolean;
  passkeys: number;
  has_password: boolean;
}

export interface OpenInvitation {
  id: string;
  role: Role;
  login: string | null;
  created_at: string;
  expires_at: string;
}

export interface Members {
  members: Member[];
  invitations: OpenInvitation[];
  /** Whether the server has settings for mail. */
  can_mail: boolean;
}

export interface NewInvitation {
  role: Role;
  login: string | null;
  mail: boolean;
  language: "en" | "de";
}

/** `url` works once and is shown once: the server keeps its hash. */
export interface OneTimeLink {
  url: string;
  expires_at: string;
}

export type MailFault = "unreachable" | "tls" | "credentials" | "recipient" | "refused";

export interface MadeInvitation extends OneTimeLink {
  id: string;
  mailed: boolean;
  mail_error: MailFault | null;
}

export const membersKey = ["members"] as const;

export function useMembers() {
  return useQuery({
    queryKey: membersKey,
    queryFn: ({ signal }) => call<Members>({ path: "/members", signal }),
  });
}

const of = (memberId: string) => `/members/${encodeURIComponent(memberId)}`;

export const inviteMember = (invitation: NewInvitation) =>
  call<MadeInvitation>({ method: "POST", path: "/members/invitations", body: invitation });

export const withdrawInvitation = (invitationId: string) =>
  call<void>({
    method: "DELETE",
    path: `/members/invitations/${encodeURIComponent(invitationId)}`,
  });

export const setRole = (memberId: string, role: Role) =>
  call<void>({ method: "PUT", path: `${of(memberId)}/role`, body: { role } });

export const suspendMember = (memberId: string) =>
  call<void>({ method: "POST", path: `${of(memberId)}/suspend` });

export const restoreMember = (memberId: string) =>
  call<void>({ method: "POST", path: `${of(memberId)}/restore` });

/** A link that leads back to the account. */
export const resetMember = (memberId: string) =>
  call<OneTimeLink>({ method: "POST", path: `${of(memberId)}/reset` });

export const removeMember = (memberId: string) =>
  call<void>({ method: "DELETE", path: of(memberId) });
