import { useSyncExternalStore } from "react";
import type { DoorGuest, SealedMember } from "../../../sealing/contract.ts";
import { type Fold, lookalikes } from "../model/lookalike.ts";
import { useSealed } from "./context.tsx";

// Until the table of look-alikes is here (and where it cannot be had), equal names still show.
let fold: Fold = (text) => text;
let isAsked = false;
const waiting = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  waiting.add(listener);
  if (!isAsked) void load();
  return () => waiting.delete(listener);
}

async function load(): Promise<void> {
  isAsked = true;
  try {
    fold = (await import("unhomoglyph")).default;
    for (const listen of waiting) listen();
  } catch {
    // Asked for again by the next one who looks.
    isAsked = false;
  }
}

type Found = ReturnType<typeof lookalikes>;
/** Many ask for the same room. */
let last: {
  members: readonly SealedMember[];
  door: readonly DoorGuest[];
  fold: Fold;
  found: Found;
};

function found(members: readonly SealedMember[], door: readonly DoorGuest[]): Found {
  if (last?.members !== members || last.door !== door || last.fold !== fold) {
    last = { members, door, fold, found: lookalikes(members, door, fold) };
  }
  return last.found;
}

/** Whose name somebody's looks like, by identity (inside) or seat (at the door). */
export function useLookalikes(): Found {
  useSyncExternalStore(subscribe, () => fold);
  return useSealed((sealed) => found(sealed.members, sealed.door));
}

/** Null: theirs is like nobody's. */
export function useLookalike(id: string): string | null {
  useSyncExternalStore(subscribe, () => fold);
  return useSealed((sealed) => found(sealed.members, sealed.door).get(id) ?? null);
}
