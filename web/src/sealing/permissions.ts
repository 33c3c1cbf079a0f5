/**
 * What a person may do in a room (docs/reference/sealing-protocol.md, 3): a set of bits in 16. Pure.
 * Bits that are not known here are kept as they are: a newer client may mean something by them.
 */

export const PERMISSION_BITS = {
  microphone: 1,
  camera: 2,
  screen: 4,
  /** Also while more than `FEW_PEOPLE` are in the room. */
  screenAmongMany: 8,
  /** Writing to everybody. */
  chat: 16,
  /** Writing to who leads. */
  leaders: 32,
  /** Writing privately to anybody. */
  private: 64,
  reactions: 128,
  hand: 256,
} as const;

export type Permission = keyof typeof PERMISSION_BITS;

export const PERMISSIONS = Object.keys(PERMISSION_BITS) as readonly Permission[];

/** A shared screen of everybody's is for rooms of at most so many. */
export const FEW_PEOPLE = 10;

export const EVERYTHING = 0xffff;

/** What who only listens never has by being in the room. */
export const SENDING = PERMISSION_BITS.microphone | PERMISSION_BITS.camera;
const SHARING = PERMISSION_BITS.screen | PERMISSION_BITS.screenAmongMany;
export const LISTENERS_LACK = SENDING | SHARING;

export function bitsOf(...permissions: readonly Permission[]): number {
  return permissions.reduce((bits, permission) => bits | PERMISSION_BITS[permission], 0);
}

export function may(bits: number, permission: Permission): boolean {
  return (bits & PERMISSION_BITS[permission]) !== 0;
}

/** May begin to share a screen in a room of `people`. */
export function mayShare(bits: number, people: number): boolean {
  return may(bits, "screenAmongMany") || (may(bits, "screen") && people <= FEW_PEOPLE);
}

export function withPermissions(bits: number, change: number, isAllowed: boolean): number {
  return isAllowed ? bits | change : bits & ~change & 0xffff;
}
