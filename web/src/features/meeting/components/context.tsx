import { createContext, type ReactNode, useContext } from "react";
import { useStore } from "zustand";
import type { RenderInvite } from "../../invite/contract.ts";
import type { Call } from "../model/call.ts";
import type { CallSession } from "../model/sessionPorts.ts";
import type { View, ViewStore } from "../model/view.ts";

export interface Meeting {
  session: CallSession;
  view: ViewStore;
  meetingId: string;
  guestLink: string;
  invite: RenderInvite | null;
  /** Planned, or with a link that stays: ending it for everyone leaves its link good. */
  isKept: boolean;
}

const Context = createContext<Meeting | null>(null);

export function MeetingProvider({ value, children }: { value: Meeting; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}

export function useMeeting(): Meeting {
  const meeting = useContext(Context);
  if (meeting === null) throw new Error("Used outside of a meeting.");
  return meeting;
}

/** A part of the call. Select what is needed and no more: only that draws again. */
export function useCall<T>(select: (call: Call) => T): T {
  return useStore(useMeeting().session.store, select);
}

export function useView<T>(select: (view: View) => T): T {
  return useStore(useMeeting().view, select);
}
