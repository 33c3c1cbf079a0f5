/** What a call can end in. One error type; its `code` decides which words people see. */

/** Codes the server sends, and two of our own: unreachable, unexpected. */
const CODES = [
  "code",
  "conflict",
  "device_links_full",
  "forbidden",
  "invalid",
  "keep_until",
  "last_operator",
  "last_way_in",
  "limit_reached",
  "login",
  "login_taken",
  "members_full",
  "no_login",
  "no_mail",
  "not_found",
  "origin",
  "own_room",
  "passkey",
  "passkey_known",
  "passkeys_full",
  "password",
  "reauthenticate",
  "registration_closed",
  "session_moved",
  "sign_in",
  "too_large",
  "too_many_planned",
  "unauthenticated",
  "unavailable",
  "unexpected",
  "unreachable",
] as const;

export type ErrorCode = (typeof CODES)[number];

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** How long the server asks to wait; `null` when it does not say. */
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, status: number, retryAfterMs: number | null = null) {
    super(`${code} (${status})`);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same call may succeed later, without the person doing anything else. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const BY_STATUS: Record<number, ErrorCode> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  422: "invalid",
  429: "limit_reached",
  503: "unavailable",
};

function isErrorCode(value: unknown): value is ErrorCode {
  return CODES.some((code) => code === value);
}

/** `Retry-After` in seconds; a date or nonsense is "does not say". */
function retryAfterMs(header: string | null): number | null {
  if (header === null || !/^\d{1,6}$/.test(header.trim())) return null;
  return Number(header) * 1000;
}

/** The error for an answer that is not 2xx. `body` is whatever came: a problem document or not. */
export function errorFromAnswer(
  status: number,
  body: unknown,
  retryAfter: string | null,
): ApiError {
  const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  const known = isErrorCode(code) ? code : (BY_STATUS[status] ?? "unexpected");
  return new ApiError(known, status, retryAfterMs(retryAfter));
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError("unexpected", 0);
}
