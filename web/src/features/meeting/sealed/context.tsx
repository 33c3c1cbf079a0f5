import { createContext, type ReactNode, useContext } from "react";
import { useStore } from "zustand";
import type { Sealed, SealedMeeting } from "../../../sealing/contract.ts";

const Context = createContext<SealedMeeting | null>(null);

export function SealedProvider({ value, children }: { value: SealedMeeting; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}

export function useSealedMeeting(): SealedMeeting {
  const meeting = useContext(Context);
  if (meeting === null) throw new Error("Used outside of a sealed meeting.");
  return meeting;
}

/** Not while the tiles are warmed up, before there is a meeting. */
export const useIsInSealedMeeting = (): boolean => useContext(Context) !== null;

/** A part of what the people in the room share. Select what is needed and no more. */
export function useSealed<T>(select: (sealed: Sealed) => T): T {
  return useStore(useSealedMeeting().store, select);
}

export const selfOf = (sealed: Sealed) => sealed.members.find((member) => member.isSelf) ?? null;

/** Hosts and co-hosts: who may admit, mute and remove. */
export function useIsLeading(): boolean {
  return useSealed((sealed) => (selfOf(sealed)?.role ?? "member") !== "member");
}

export function useIsHost(): boolean {
  return useSealed((sealed) => selfOf(sealed)?.role === "host");
}
