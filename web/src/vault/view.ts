/** What pages see of a key ring: plain values, no key. Types only. */

export type KeyRingStatus =
  | "opening"
  | "open"
  /** This browser has no key to it: the 24 words open it. */
  | "locked"
  /** Cannot be read any more. Nothing is overwritten. */
  | "damaged"
  /** The same, and this browser has what it read last. */
  | "repairable"
  | "unavailable"
  | "signed-out"
  /** Without https a browser keeps no keys. */
  | "unable";

export interface RoomKey {
  /** With its `#`. Secret: never sent, shown or logged. */
  readonly fragment: string;
  /** Empty: none. */
  readonly title: string;
}

export interface KeyRingView {
  readonly status: KeyRingStatus;
  /** By meeting; those of this browser alone among them. */
  readonly rooms: ReadonlyMap<string, RoomKey>;
  /** The 24 words can still be shown, for nobody has said that they are on paper. */
  readonly hasUnwrittenWords: boolean;
  /** False: this browser forgets the key ring's key when the page is closed. */
  readonly isRemembered: boolean;
}

export const CLOSED: KeyRingView = {
  status: "opening",
  rooms: new Map(),
  hasUnwrittenWords: false,
  isRemembered: true,
};
