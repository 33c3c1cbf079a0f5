import { useQueryClient } from "@tanstack/react-query";
import { withFresh } from "../../../identity/fresh.ts";
import { type Act, useAct } from "../../../identity/useAct.ts";
import { ownAct } from "../ownActs.ts";

/** A change of one's own account: asks who is there when the server wants it, then shows what is. */
export function useAccountAct(): Omit<Act, "run"> & {
  run<T>(work: () => Promise<T>, then?: (result: T) => void): void;
} {
  const client = useQueryClient();
  const act = useAct();
  return {
    ...act,
    run: (work, then) =>
      act.run(async () => {
        const result = await ownAct(client, () => withFresh(work));
        then?.(result);
      }),
  };
}
