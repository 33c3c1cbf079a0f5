import type { QueryClient } from "@tanstack/react-query";
import { accountKey, noticesAreSeen } from "../../api/account.ts";
import { sessionQuery } from "../../api/queries.ts";

/**
 * One's own act: carries it out and shows what is now. What the server notes of it is no news to who
 * has just done it, unless something else is unseen as well.
 */
export async function ownAct<T>(client: QueryClient, work: () => Promise<T>): Promise<T> {
  const before = client.getQueryData(sessionQuery.queryKey)?.user?.unseen_notices;
  const result = await work();
  // It stays news when that does not arrive.
  if (before === 0) await noticesAreSeen().catch(() => undefined);
  await client.invalidateQueries({ queryKey: accountKey });
  await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  return result;
}
