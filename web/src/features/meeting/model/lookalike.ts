/**
 * Who carries a name that could be taken for somebody else's: the same letters, or letters that look
 * the same (Unicode Technical Standard 39, section 4). Said beside the name, never decided for people:
 * there are two Annas in many a room.
 */
import type { DoorGuest, SealedMember } from "../../../sealing/contract.ts";
import { isProven } from "./proof.ts";

/** Letters that look like others, each as one of them. */
export type Fold = (text: string) => string;

/** Two names look alike when they have one of these in common. Empty for names without letters. */
function looksOf(name: string, fold: Fold): readonly string[] {
  const plain = bare(name);
  // Before small letters are made of them, I and l look alike; after, ILSE and Ilse do.
  return [bare(fold(plain)).toLowerCase(), bare(fold(plain.toLowerCase()))].filter(
    (look) => look !== "",
  );
}

/** Without accents, spaces, signs, and what is not seen. */
const bare = (text: string) => text.normalize("NFKD").replace(/[^\p{L}\p{N}\p{So}]/gu, "");

const isKnown = ({ proof, invited }: DoorGuest) =>
  proof === "account" || (proof === "invitation" && (invited?.standing ?? "good") === "good");

/**
 * Whose name somebody's looks like, by the identity (inside) or the seat (at the door) of the one who
 * has nothing to show for it. Of two who have nothing, it is the later one.
 */
export function lookalikes(
  members: readonly SealedMember[],
  door: readonly DoorGuest[],
  fold: Fold,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const owners = new Map<string, string>();
  const own = (name: string) => {
    for (const look of looksOf(name, fold)) if (!owners.has(look)) owners.set(look, name);
  };
  const ownerOf = (name: string) =>
    looksOf(name, fold)
      .map((look) => owners.get(look))
      .find((owner) => owner !== undefined);

  const named = members.flatMap((member) =>
    member.name === null || member.isLeaving ? [] : [{ ...member, name: member.name }],
  );
  for (const member of named) if (isProven(member)) own(member.name);
  for (const { identity, name } of named.filter((member) => !isProven(member))) {
    const owner = ownerOf(name);
    if (owner === undefined) own(name);
    else found.set(identity, owner);
  }
  for (const guest of door) {
    if (guest.name === null || isKnown(guest)) continue;
    const owner = ownerOf(guest.name);
    if (owner !== undefined) found.set(guest.seat, owner);
  }
  return found;
}
