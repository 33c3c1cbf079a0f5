/**
 * One call to our own server. Same origin only; the session is a cookie that scripts never see.
 * Must never log or keep a body: answers hold tokens.
 */
import { ApiError, errorFromAnswer } from "./errors.ts";

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  body?: unknown;
  signal?: AbortSignal;
  /** Longer for calls that the server holds until something happens. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;

export async function call<T>({
  method = "GET",
  path,
  body,
  signal,
  timeoutMs = TIMEOUT_MS,
}: Call): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  // A header that no foreign page can add without the server's consent: our guard against forgery.
  if (method !== "GET") headers["X-Conclave"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";

  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("unreachable", 0);
  }
  if (!answer.ok) {
    const problem: unknown = await answer.json().catch(() => null);
    throw errorFromAnswer(answer.status, problem, answer.headers.get("Retry-After"));
  }
  if (answer.status === 204) return undefined as T;
  try {
    return (await answer.json()) as T;
  } catch {
    throw new ApiError("unexpected", answer.status);
  }
}
