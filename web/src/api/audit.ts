/** The audit log: the server's for its operators, a meeting's for its host (docs/reference/audit-log.md). */
import { useInfiniteQuery } from "@tanstack/react-query";
import { call } from "./http.ts";

export interface AuditEntry {
  /** Counts from 1. */
  number: number;
  at: string;
  type: string;
  /** Whose act it was, or whose account it is about. */
  user_id: string | null;
  meeting_id: string | null;
  details: Record<string, unknown>;
  /** Hexadecimal; over this entry and the hash of the one before. */
  hash: string;
}

interface Page {
  entries: AuditEntry[];
  has_more: boolean;
}

/** Newest first; each further page is what comes before the last number. Null: the server's own. */
export function useAuditLog(meetingId: string | null = null) {
  const path = meetingId === null ? "/audit" : `/meetings/${encodeURIComponent(meetingId)}/audit`;
  return useInfiniteQuery({
    queryKey: meetingId === null ? ["audit"] : ["audit", "of", meetingId],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam, signal }) =>
      call<Page>({ path: pageParam === null ? path : `${path}?before=${pageParam}`, signal }),
    getNextPageParam: ({ entries, has_more }) => (has_more ? entries.at(-1)?.number : undefined),
    // A page is a look at a moment: pages of two moments would not fit together.
    refetchOnWindowFocus: false,
  });
}

export interface OwnMeeting {
  id: string;
  opened_at: string;
  /** Null: it is open. */
  ended_at: string | null;
}

interface OwnMeetings {
  meetings: OwnMeeting[];
  has_more: boolean;
}

/** One's own meetings of which there may still be entries, newest first. */
export function useOwnMeetings() {
  return useInfiniteQuery({
    queryKey: ["audit", "meetings"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      call<OwnMeetings>({
        path: pageParam === null ? "/audit/meetings" : `/audit/meetings?before=${pageParam}`,
        signal,
      }),
    getNextPageParam: ({ meetings, has_more }) => (has_more ? meetings.at(-1)?.id : undefined),
    refetchOnWindowFocus: false,
  });
}
