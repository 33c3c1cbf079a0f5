/** The rules for a name at the door; the server has the same and decides. */

export const MAX_NAME = 60;

export type NameFault = "missing" | "tooLong" | "refused";

/** What cannot be seen or moves the text around it; the joiners that Persian and emoji need may stay. */
const REFUSED = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

export function nameFault(name: string): NameFault | null {
  const trimmed = name.trim();
  if (trimmed === "") return "missing";
  if ([...trimmed].length > MAX_NAME) return "tooLong";
  return REFUSED.test(trimmed) ? "refused" : null;
}
