/** The rules for a name at the door; the server has the same and decides. */

export const MAX_NAME = 60;

export type NameFault = "missing" | "tooLong" | "refused";

/** Control characters and marks that turn the writing direction could make a name look like another. */
const REFUSED = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

export function nameFault(name: string): NameFault | null {
  const trimmed = name.trim();
  if (trimmed === "") return "missing";
  if ([...trimmed].length > MAX_NAME) return "tooLong";
  return REFUSED.test(trimmed) ? "refused" : null;
}
