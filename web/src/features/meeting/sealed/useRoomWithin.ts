/** The meeting from inside, as the dialog of personal links needs it. */

import type { RoomWithin } from "../../invite/contract.ts";
import { useSealed, useSealedMeeting } from "./context.tsx";
import { useOpenLinkDevices } from "./OpenLinkCount.tsx";

export function useRoomWithin(): RoomWithin {
  const { actions } = useSealedMeeting();
  const entry = useSealed(({ policy }) => (policy.entry === "lobby" ? "invited" : "open"));
  return {
    entry,
    openLinkDevices: useOpenLinkDevices(),
    setEntry: async (wanted) =>
      wanted === entry
        ? "done"
        : actions.setPolicy({ entry: wanted === "invited" ? "lobby" : "open" }),
    revoke: actions.revoke,
    keepRole: (identity, role) =>
      role === "cohost" ? actions.setCohost(identity, true) : actions.setPart(identity, role),
    tellPrivately: (identity, text) => actions.sendChat(text, { privateTo: identity }),
  };
}
