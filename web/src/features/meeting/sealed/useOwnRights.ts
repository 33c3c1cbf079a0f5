import { FEW_PEOPLE, may, mayShare, type Permission } from "../../../sealing/permissions.ts";
import { selfOf, useSealed } from "./context.tsx";

/** What oneself may do here; everything, until the group is there. */
export function useMay(permission: Permission): boolean {
  return useSealed((sealed) => {
    const self = selfOf(sealed);
    return self === null || may(self.may, permission);
  });
}

/** Why oneself may not begin to share; null: one may. */
export function useShareBar(): "shareMany" | "shareNotAllowed" | null {
  return useSealed((sealed) => {
    const self = selfOf(sealed);
    const people = sealed.members.filter(({ isLeaving }) => !isLeaving).length;
    if (self === null || mayShare(self.may, people)) return null;
    return mayShare(self.may, FEW_PEOPLE) ? "shareMany" : "shareNotAllowed";
  });
}

export interface Writable {
  /** To everybody. */
  readonly isToAll: boolean;
  /** To this one only. */
  isTo(identity: string): boolean;
}

/** To whom oneself may write here. */
export function useWritable(): Writable {
  const isToAll = useMay("chat");
  const isToAnybody = useMay("private");
  const isToLeaders = useMay("leaders");
  const members = useSealed((sealed) => sealed.members);
  return {
    isToAll,
    isTo: (identity) => {
      const other = members.find((member) => member.identity === identity);
      if (other === undefined) return isToAll;
      return isToAnybody || (isToLeaders && other.role !== "member");
    },
  };
}
