import { useEffect } from "react";
import { useStore } from "zustand";
import { keyRingView, openKeyRing } from "./session.ts";
import type { KeyRingView } from "./view.ts";

/** The key ring of who is signed in, being opened since this is shown. */
export function useKeyRing(userId: string): KeyRingView {
  useEffect(() => {
    void openKeyRing(userId);
  }, [userId]);
  return useStore(keyRingView(userId));
}
