import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { meetingsKey } from "../queries.ts";
import type { RunningMeeting } from "../types.ts";
import type { RealtimeEvent } from "./machine.ts";
import { openRealtime } from "./socket.ts";

/** The list after one event; newest first, as the server sends it. */
export function applyEvent(
  meetings: readonly RunningMeeting[],
  { type, data }: RealtimeEvent,
): RunningMeeting[] {
  const others = meetings.filter((meeting) => meeting.id !== data.id);
  if (type === "meeting.ended") return others;
  const known = others.length < meetings.length;
  if (type !== "meeting.opened" && known) {
    return meetings.map((meeting) => (meeting.id === data.id ? { ...meeting, ...data } : meeting));
  }
  return [data, ...others].sort((a, b) => b.opened_at.localeCompare(a.opened_at));
}

function applyToCache(client: QueryClient, event: RealtimeEvent): void {
  client.setQueryData<{ meetings: RunningMeeting[] }>(meetingsKey, (list) =>
    list ? { ...list, meetings: applyEvent(list.meetings, event) } : list,
  );
  // A list asked for before the event may arrive after it and know nothing of it: ask once more.
  // A new title or plan is in the list alone.
  const isSealed = event.type === "meeting.renamed" || event.type === "meeting.planned";
  if (isSealed || client.isFetching({ queryKey: meetingsKey }) > 0) {
    void client.invalidateQueries({ queryKey: meetingsKey });
  }
}

/** Keeps the list of running meetings up to date while shown. True: it is live right now. */
export function useLiveMeetings(): boolean {
  const client = useQueryClient();
  const [isLive, setLive] = useState(false);
  useEffect(
    () =>
      openRealtime({
        onEvent: (event) => applyToCache(client, event),
        onReload: () => void client.invalidateQueries({ queryKey: meetingsKey }),
        onLive: setLive,
      }),
    [client],
  );
  return isLive;
}
