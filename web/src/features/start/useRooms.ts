/** Running meetings and the key ring together: which have a key here, and what they are called. */
import { useCallback, useEffect, useRef, useState } from "react";
import { fetchRunningMeetings } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { keyRingOf } from "../../vault/session.ts";
import type { KeyRingView, RoomKey } from "../../vault/view.ts";

/** A device that has just opened a room puts its key on the ring a moment later. */
const LOOK_AGAIN_MS = [0, 2_000, 6_000];

const nothing = () => undefined;

/** What a room is called; empty: nothing, or it cannot be read here. */
export function useTitles(
  userId: string,
  running: readonly RunningMeeting[],
  rooms: KeyRingView["rooms"],
): (meeting: RunningMeeting) => string {
  const [opened, setOpened] = useState<ReadonlyMap<string, string | null>>(new Map());
  useEffect(() => {
    let isHere = true;
    for (const { id, sealed_title: sealed } of running) {
      if (!sealed || !rooms.has(id)) continue;
      const key = `${id} ${sealed}`;
      if (opened.has(key)) continue;
      keyRingOf(userId)
        .then((ring) => ring.openTitle(id, sealed))
        .then((title) => {
          if (isHere) setOpened((before) => new Map(before).set(key, title));
        }, nothing);
    }
    return () => {
      isHere = false;
    };
  }, [userId, running, rooms, opened]);
  return useCallback(
    ({ id, sealed_title: sealed }) => opened.get(`${id} ${sealed}`) ?? rooms.get(id)?.title ?? "",
    [opened, rooms],
  );
}

/** Learns of rooms that other devices have opened, and forgets those that have ended. */
export function useTidyRing(
  userId: string,
  running: readonly RunningMeeting[] | undefined,
  { status, rooms }: KeyRingView,
): void {
  const strange = running?.filter(({ id }) => !rooms.has(id)).map(({ id }) => id);
  const strangers = strange?.join(" ") ?? "";
  useEffect(() => {
    if (status !== "open" || strangers === "") return;
    const look = () => void keyRingOf(userId).then((ring) => ring.refresh(), nothing);
    const timers = LOOK_AGAIN_MS.map((pause) => setTimeout(look, pause));
    return () => {
      for (const timer of timers) clearTimeout(timer);
    };
  }, [userId, status, strangers]);

  const looked = useRef(new Set<string>());
  const endedHere = endedOf(running, rooms);
  useEffect(() => {
    const ids = endedHere.split(" ").filter((id) => id !== "" && !looked.current.has(id));
    if (ids.length === 0) return;
    // One look each: a ring that cannot be written to is not asked over and over.
    for (const id of ids) looked.current.add(id);
    forgetEnded(userId).catch(nothing);
  }, [userId, endedHere]);
}

function endedOf(
  running: readonly RunningMeeting[] | undefined,
  rooms: ReadonlyMap<string, RoomKey>,
): string {
  if (running === undefined) return "";
  const open = new Set(running.map(({ id }) => id));
  return [...rooms.keys()].filter((id) => !open.has(id)).join(" ");
}

async function forgetEnded(userId: string): Promise<void> {
  const ring = await keyRingOf(userId);
  // The list is asked for after the ring was read: what is on the ring and not in it has ended. The
  // other way round, a room that another device opens in between would lose its key.
  const kept = ring.kept();
  const { meetings } = await fetchRunningMeetings();
  const open = new Set(meetings.map(({ id }) => id));
  await ring.forget(kept.filter((id) => !open.has(id)));
}
