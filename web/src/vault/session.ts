/** The vault of who is signed in, opened once for each page life. */
import type { Opening } from "../sealing/vault/vault.ts";

const opened = new Map<string, Promise<Opening>>();

export function openMyVault(userId: string): Promise<Opening> {
  const known = opened.get(userId);
  if (known !== undefined) return known;
  const opening = open(userId);
  opened.set(userId, opening);
  return opening;
}

async function open(userId: string): Promise<Opening> {
  const [{ openVault }, { serverShelf }, { openKeyStore }] = await Promise.all([
    import("../sealing/vault/vault.ts"),
    import("../sealing/vault/shelf.ts"),
    import("../sealing/keys/store.ts"),
  ]);
  return openVault({ userId, shelf: serverShelf(), keys: await openKeyStore() });
}
