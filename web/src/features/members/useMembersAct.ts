import { useQueryClient } from "@tanstack/react-query";
import { membersKey } from "../../api/members.ts";
import { withFresh } from "../../identity/fresh.ts";
import { type Act, useAct } from "../../identity/useAct.ts";

/** A change among the members: asks who is there when the server wants it, then shows what is. */
export function useMembersAct(): Omit<Act, "run"> & {
  run<T>(work: () => Promise<T>, then?: (result: T) => void): void;
} {
  const client = useQueryClient();
  const act = useAct();
  return {
    ...act,
    run: (work, then) =>
      act.run(async () => {
        try {
          then?.(await withFresh(work));
        } finally {
          // What was refused may have changed as well: somebody else was faster.
          await client.invalidateQueries({ queryKey: membersKey });
        }
      }),
  };
}
