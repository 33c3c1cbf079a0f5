/** The audit log of this server, for its operators (docs/reference/audit-log.md). */
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

/** Newest first; each further page is what comes before the last number. */
export function useAuditLog() {
  return useInfiniteQuery({
    queryKey: ["audit"],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam, signal }) =>
      call<Page>({ path: pageParam === null ? "/audit" : `/audit?before=${pageParam}`, signal }),
    getNextPageParam: ({ entries, has_more }) => (has_more ? entries.at(-1)?.number : undefined),
    // A page is a look at a moment: pages of two moments would not fit together.
    refetchOnWindowFocus: false,
  });
}
