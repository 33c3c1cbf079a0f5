import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { useSetTitle, useStartMeeting } from "../../api/queries.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { showToast } from "../../design/index.ts";
import { meetingPath } from "../../links.ts";
import { keepFragment } from "../../sealing/keys/address.ts";
import type { KeyRing } from "../../vault/keyRing.ts";
import { keyRingOf } from "../../vault/session.ts";

/**
 * Opens a room, puts its key on the key ring and goes to its door. The key travels in memory: the
 * address bar shows the room alone.
 */
export function useStartRoom(userId: string): { isStarting: boolean; start(title: string): void } {
  const { t } = useTranslation("vault");
  const [, navigate] = useLocation();
  const [isStarting, setStarting] = useState(false);
  const open = useStartMeeting();
  const setTitle = useSetTitle();
  const errorText = useErrorText();

  /** Null: no room was opened, for nobody could have had its key. */
  async function readyRing(): Promise<KeyRing | null> {
    try {
      const ring = await keyRingOf(userId);
      return (await ring.canHost()) ? ring : null;
    } catch {
      return null;
    }
  }

  async function begin(title: string): Promise<void> {
    const ring = await readyRing();
    if (ring === null) {
      showToast(t("start.noKeys"));
      return;
    }
    const { id } = await open.mutateAsync();
    const room = await ring.addRoom(id, title);
    if (room === null) {
      showToast(t("start.noKeys"));
      return;
    }
    keepFragment(id, room.fragment);
    if (!room.isKept) showToast(t("start.unkept"));
    const sealed = await ring.sealTitle(id, title);
    if (sealed !== null) {
      await setTitle.mutateAsync({ id, sealed }).catch(() => showToast(t("start.untitled")));
    }
    navigate(meetingPath(id));
  }

  function start(title: string): void {
    if (isStarting) return;
    setStarting(true);
    begin(title)
      .catch((error: unknown) => showToast(errorText(error)))
      .finally(() => setStarting(false));
  }

  return { isStarting, start };
}
