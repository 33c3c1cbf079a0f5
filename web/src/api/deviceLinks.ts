/**
 * The mailbox between two devices of one person (docs/reference/sealing-protocol.md, 10). Values are
 * base64url; what they mean, and whether they are honest, is for the devices to judge.
 */
import { useQuery } from "@tanstack/react-query";
import { call } from "./http.ts";

export interface DeviceLink {
  id: string;
  commitment: string;
  created_at: string;
  /** Of the new device, as the server saw it. */
  browser: string;
  place: string;
  /** How many of offer, reveal and parcel are there. */
  state: number;
  offer?: string | null;
  reveal?: string | null;
  parcel?: string | null;
}

export type LinkValue = "offer" | "reveal" | "parcel";

const PATH = "/account/device-links";
/** The server holds the question for 25 s. */
const HELD_MS = 40_000;
const LOOK_EVERY_MS = 10_000;

const of = (id: string) => `${PATH}/${encodeURIComponent(id)}`;

/** New devices that ask for the keys; looked for while the page is seen. */
export function useDeviceLinks(isEnabled: boolean) {
  return useQuery({
    queryKey: ["device-links"],
    queryFn: ({ signal }) => call<{ links: DeviceLink[] }>({ path: PATH, signal }),
    select: ({ links }) => links,
    enabled: isEnabled,
    refetchInterval: LOOK_EVERY_MS,
  });
}

export const askForKeys = (commitment: string) =>
  call<{ id: string; expires_at: string }>({ method: "POST", path: PATH, body: { commitment } });

export const lookAtLink = (id: string) => call<DeviceLink>({ path: of(id) });

/** Waits until there is more than `after`; the same state again when nothing came. */
export const waitForLink = (id: string, after: number, signal: AbortSignal) =>
  call<DeviceLink>({ path: `${of(id)}?after=${after}`, signal, timeoutMs: HELD_MS });

/** `offer` and `parcel` are the old device's, and want to know who is there; `reveal` is the new one's. */
export const putLinkValue = (id: string, which: LinkValue, value: string) =>
  call<void>({ method: "PUT", path: `${of(id)}/${which}`, body: { value } });

export const cancelLink = (id: string) => call<void>({ method: "DELETE", path: of(id) });
