/**
 * Signing in, and one's own account (docs/reference/http-api.md). What a page shows are queries; what
 * it does are plain calls, for most of them may have to prove first who is there
 * (`identity/fresh.ts`). Bodies and answers hold secrets: nothing here keeps them.
 */
import { useQuery } from "@tanstack/react-query";
import { call } from "./http.ts";
import type { Role, User } from "./types.ts";

export interface Passkey {
  id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
  /** Also on other devices of the same person. */
  is_backed_up: boolean;
}

export interface SignedInPlace {
  id: string;
  browser: string;
  /** Shortened network. */
  place: string;
  method: string;
  created_at: string;
  last_seen_at: string | null;
  is_current: boolean;
}

export interface AccountNotice {
  id: string;
  kind: string;
  at: string;
  details: Record<string, unknown>;
  is_seen: boolean;
}

export interface Account {
  user: User;
  passkeys: Passkey[];
  password: { is_set: boolean; changed_at: string | null };
  recovery_codes_left: number;
  sessions: SignedInPlace[];
  notices: AccountNotice[];
}

/** A question to an authenticator; `options` as in WebAuthn Level 3, 5.1.8 and 5.1.9. */
export interface Challenge<Options> {
  challenge_id: string;
  options: Options;
}

type Asking = Challenge<PublicKeyCredentialRequestOptionsJSON>;
type Making = Challenge<PublicKeyCredentialCreationOptionsJSON>;

export interface SignedIn {
  user: User;
}

export const accountKey = ["account"] as const;

export function fetchAccount(signal?: AbortSignal): Promise<Account> {
  return call<Account>({ path: "/account", ...(signal ? { signal } : {}) });
}

export function useAccount() {
  return useQuery({ queryKey: accountKey, queryFn: ({ signal }) => fetchAccount(signal) });
}

const post = <T>(path: string, body: unknown = {}) => call<T>({ method: "POST", path, body });
const id = encodeURIComponent;

// --- signing in

export const askForPasskey = () => post<Asking>("/sign-in/passkey/options");

export const signInByPasskey = (challengeId: string, credential: unknown) =>
  post<SignedIn>("/sign-in/passkey", { challenge_id: challengeId, credential });

export interface PasswordAndCode {
  password: string;
  code: string;
}

export const signInByPassword = (given: PasswordAndCode & { login: string }) =>
  post<SignedIn>("/sign-in/password", given);

export const signInByRecoveryCode = (code: string) => post<SignedIn>("/sign-in/recovery", { code });

export interface Welcome {
  kind: "invitation" | "reset";
  role: Role;
  login: string | null;
  expires_at: string;
}

export const lookAtWelcome = (token: string) => post<Welcome>("/welcome/look", { token });
export const takeWelcome = (token: string) => post<SignedIn>("/welcome", { token });
export const register = () => post<SignedIn>("/register");

// --- proving again who is there

export const askForPasskeyAgain = () => post<Asking>("/account/reauthenticate/passkey/options");

export const proveByPasskey = (challengeId: string, credential: unknown) =>
  post<void>("/account/reauthenticate/passkey", { challenge_id: challengeId, credential });

export const proveByPassword = (given: PasswordAndCode) =>
  post<void>("/account/reauthenticate/password", given);

// --- one's own account

export const askToMakePasskey = () => post<Making>("/account/passkeys/options");

export const addPasskey = (challengeId: string, credential: unknown, name: string) =>
  post<Passkey>("/account/passkeys", { challenge_id: challengeId, credential, name });

export const renamePasskey = (passkeyId: string, name: string) =>
  call<Passkey>({ method: "PATCH", path: `/account/passkeys/${id(passkeyId)}`, body: { name } });

export const removePasskey = (passkeyId: string) =>
  call<void>({ method: "DELETE", path: `/account/passkeys/${id(passkeyId)}` });

export const setLogin = (login: string) =>
  call<void>({ method: "PUT", path: "/account/login", body: { login } });

/** Not in use before the first code is right. */
export interface PasswordSetUp {
  setup_id: string;
  /** Base32, for typing. */
  secret: string;
  /** `otpauth:`, for a QR code. */
  uri: string;
}

export const beginPassword = (password: string) =>
  post<PasswordSetUp>("/account/password/begin", { password });

export const confirmPassword = (setupId: string, code: string) =>
  post<void>("/account/password/confirm", { setup_id: setupId, code });

export const removePassword = () => call<void>({ method: "DELETE", path: "/account/password" });

/** The older ones stop working. */
export const makeRecoveryCodes = () => post<{ codes: string[] }>("/account/recovery-codes");

export const endSession = (sessionId: string) =>
  call<void>({ method: "DELETE", path: `/account/sessions/${id(sessionId)}` });

export const endOtherSessions = () => call<void>({ method: "DELETE", path: "/account/sessions" });

export const noticesAreSeen = () => post<void>("/account/notices/seen");

export const deleteAccount = () => call<void>({ method: "DELETE", path: "/account" });
