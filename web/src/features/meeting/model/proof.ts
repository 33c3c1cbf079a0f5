import type { SealedMember } from "../../../sealing/contract.ts";

/** Something stands behind the name: the host's key, a known account, or a personal link on its device. */
export const isProven = ({ verification }: Pick<SealedMember, "verification">) =>
  verification === "host" || verification === "account" || verification === "invitation";
