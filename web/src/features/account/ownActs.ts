import type { QueryClient } from "@tanstack/react-query";
import { accountKey, noticesAreSeen } from "../../api/account.ts";
import { sessionQuery } from "../../api/queries.ts";

/**
 * One's own act: carries it out and shows what is now. What the server notes of it is no news to who
 * has just done it, unless something else is unseen as well.
 */
export async function ownAct<T>(client: QueryClient, work: () => Promise<T>): Promise<T> {
  // Asked now: what somebody else did a moment ago must stay news.
  const before = await client.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => null);
  const result = await work();
  // It stays news when that does not arrive.
  if (before?.user?.unseen_notices === 0) await noticesAreSeen().catch(() => undefined);
  await client.invalidateQueries({ queryKey: accountKey });
  await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  return result;
}
