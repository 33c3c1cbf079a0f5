/** The server's state for React: TanStack Query hooks over `http.ts`, one per call of the API. */
import {
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  queryOptions,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { asApiError } from "./errors.ts";
import { call } from "./http.ts";
import type {
  OpenMeeting,
  PersonalInvitation,
  RunningMeeting,
  ServerFacts,
  Session,
  User,
} from "./types.ts";

const MAX_RETRIES = 3;
const BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 8000;

/** Only what may succeed by itself is asked again, and never sooner than the server wants. */
export function shouldRetry(failures: number, error: unknown): boolean {
  return failures < MAX_RETRIES && asApiError(error).isTransient;
}

export function retryDelay(failures: number, error: unknown): number {
  const wait = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** failures);
  return Math.max(wait, asApiError(error).retryAfterMs ?? 0);
}

export function createQueryClient(): QueryClient {
  // A session that has ended elsewhere is found out by the first call that needs it. A password that
  // was wrong ends none.
  const onError = (error: unknown) => {
    const { status, code } = asApiError(error);
    if (status === 401 && code !== "sign_in") setUser(client, null, code === "session_moved");
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: shouldRetry,
        retryDelay,
        // The browser's idea of "online" says nothing about a server in one's own house.
        networkMode: "always",
        staleTime: 5000,
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
  return client;
}

export const meetingsKey = ["meetings"] as const;
const sessionKey = ["session"] as const;

export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: async ({ signal }): Promise<Session> => {
    try {
      return await call<Session>({ path: "/session", signal });
    } catch (error) {
      if (asApiError(error).code !== "session_moved") throw error;
      return { user: null, registration: "closed", hasMoved: true };
    }
  },
  select: (answer) => answer.user,
  staleTime: 60_000,
});

export function useSession() {
  return useQuery(sessionQuery);
}

/** Whether anybody may make an account; false while it is not known. */
export function useRegistration(): boolean {
  return (
    useQuery({ ...sessionQuery, select: (answer) => answer.registration === "open" }).data === true
  );
}

/** Whether the session was refused because it came from another kind of network. */
export function useHasMoved(): boolean {
  return useQuery({ ...sessionQuery, select: (answer) => answer.hasMoved === true }).data === true;
}

/** Who is signed in now, as the server has just said. */
export function setUser(client: QueryClient, user: User | null, hasMoved = false): void {
  client.setQueryData<Session>(sessionKey, (before) => ({
    registration: before?.registration ?? "closed",
    user,
    hasMoved,
  }));
}

/** Nothing of who was signed in before is shown to who is now. */
export function signedIn(client: QueryClient, user: User): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
  setUser(client, user);
}

export function useServerFacts(isEnabled: boolean) {
  return useQuery({
    queryKey: ["server"],
    queryFn: ({ signal }) => call<ServerFacts>({ path: "/server", signal }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: isEnabled,
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call<void>({ method: "DELETE", path: "/session" }),
    onSuccess: () => {
      setUser(client, null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
    },
  });
}

export function useRedeemOperatorLink() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: string) =>
      call<{ user: User }>({ method: "POST", path: "/operator-link", body: { token } }),
    onSuccess: ({ user }) => signedIn(client, user),
  });
}

interface RunningMeetings {
  meetings: RunningMeeting[];
  /** Whether letters about them can be sent. */
  can_mail?: boolean;
}

/** As the server knows them now, past everything that is remembered here. */
export function fetchRunningMeetings(signal?: AbortSignal): Promise<RunningMeetings> {
  return call<RunningMeetings>({ path: "/meetings", ...(signal ? { signal } : {}) });
}

export function useRunningMeetings() {
  return useQuery({
    queryKey: meetingsKey,
    queryFn: ({ signal }) => fetchRunningMeetings(signal),
    select: (answer) => answer.meetings,
    placeholderData: keepPreviousData,
  });
}

/** Whether this server has settings for mail; false while it is not known. */
export function useCanMail(): boolean {
  return (
    useQuery({
      queryKey: meetingsKey,
      queryFn: ({ signal }) => fetchRunningMeetings(signal),
      select: (answer) => answer.can_mail === true,
    }).data === true
  );
}

export function useStartMeeting() {
  return useMutation({
    mutationFn: () => call<RunningMeeting>({ method: "POST", path: "/meetings" }),
  });
}

/** For the meeting's host. `sealed`: base64url; null takes the title away. */
export function useSetTitle() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, sealed }: { id: string; sealed: string | null }) =>
      call<void>({
        method: "PUT",
        path: `/meetings/${encodeURIComponent(id)}/title`,
        body: { sealed_title: sealed },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: meetingsKey }),
  });
}

export function useEndMeeting() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (meetingId: string) =>
      call<void>({ method: "POST", path: `/meetings/${encodeURIComponent(meetingId)}/end` }),
    onSettled: () => client.invalidateQueries({ queryKey: meetingsKey }),
  });
}

/** What a personal link is worth now. Null: the server knows no such invitation. */
export async function fetchInvitation(
  meetingId: string,
  invitationId: string,
): Promise<PersonalInvitation | null> {
  const path = `/meetings/${encodeURIComponent(meetingId)}/invitations/${invitationId}`;
  try {
    return await call<PersonalInvitation>({ path });
  } catch (error) {
    if (asApiError(error).status === 404) return null;
    throw error;
  }
}

export function useOpenMeeting(meetingId: string) {
  return useQuery({
    queryKey: ["meeting", meetingId],
    queryFn: ({ signal }) =>
      call<OpenMeeting>({ path: `/meetings/${encodeURIComponent(meetingId)}`, signal }),
    // Whether a room is open is asked anew each time one stands before it.
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
}
