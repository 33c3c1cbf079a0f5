/** What two devices of one person say to each other, carried by the server. No React. */
import {
  askForKeys,
  cancelLink,
  type DeviceLink,
  lookAtLink,
  putLinkValue,
  waitForLink,
} from "../../../api/deviceLinks.ts";
import { asApiError } from "../../../api/errors.ts";
import { withFresh } from "../../../identity/fresh.ts";
import { b64, fromB64, isSame } from "../../../sealing/keys/bytes.ts";
import { type LinkCode, NewDevice, OldDevice } from "../../../sealing/keys/deviceLink.ts";
import type { WordList } from "../../../sealing/words/wordList.ts";

/** Why it cannot go on. */
export type Stop =
  /** Too old, refused by the other device, or never there. */
  | "gone"
  /** What came is not from the other device. */
  | "forged";

export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly why: Stop;

  constructor(why: Stop) {
    super(why);
    this.why = why;
  }
}

const AGAIN_MS = 2_000;
/** A server that does not hold the question is not asked without a break. */
const UNCHANGED_MS = 300;

/** The link when more than `after` is there. A server that is away for a moment is asked again. */
async function more(id: string, after: number, signal: AbortSignal): Promise<DeviceLink> {
  for (;;) {
    try {
      const link = await waitForLink(id, after, signal);
      if (link.state > after) return link;
      await pause(UNCHANGED_MS, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { status, isTransient } = asApiError(error);
      if (status === 404) throw new Stopped("gone");
      if (!isTransient) throw error;
      await pause(AGAIN_MS, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function bytesOf(value: string | null | undefined): Uint8Array {
  const bytes = fromB64(value ?? "");
  if (bytes === null || bytes.length === 0) throw new Stopped("forged");
  return bytes;
}

// --- the device that asks

export interface Asking {
  readonly id: string;
  readonly device: NewDevice;
}

export async function ask(): Promise<Asking> {
  const device = await NewDevice.make();
  const { id } = await askForKeys(b64(device.commitment));
  return { id, device };
}

/** The three words, when the other device has answered. */
export async function hearOffer(
  { id, device }: Asking,
  list: WordList,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { offer } = await more(id, 0, signal);
  const reveal = device.answer(bytesOf(offer));
  const words = reveal && (await device.words(list));
  if (reveal === null || words === null) throw new Stopped("forged");
  await putLinkValue(id, "reveal", b64(reveal));
  return words;
}

export interface Received {
  readonly vaultKey: Uint8Array;
  /** False: only good when the words are the same. */
  readonly isProven: boolean;
}

export async function hearParcel({ id, device }: Asking, signal: AbortSignal): Promise<Received> {
  const { parcel } = await more(id, 2, signal);
  const opened = await device.open(id, bytesOf(parcel));
  if (opened.type === "refused") throw new Stopped("forged");
  return opened;
}

// --- the device that hands over

/** What the server says of the device in a QR code. Rejects when it is not the one that showed it. */
export async function findAsked(code: LinkCode): Promise<DeviceLink> {
  let link: DeviceLink;
  try {
    link = await lookAtLink(code.id);
  } catch (error) {
    if (asApiError(error).status === 404) throw new Stopped("gone");
    throw error;
  }
  if (!isSame(bytesOf(link.commitment), code.commitment)) throw new Stopped("forged");
  if (link.state > 0) throw new Stopped("gone");
  return link;
}

/** Answers, and waits until the new device has shown who it is. `secret`: from its QR code. */
export async function answer(
  link: DeviceLink,
  secret: Uint8Array | null,
  signal: AbortSignal,
): Promise<OldDevice> {
  const { id } = link;
  const device = await OldDevice.make({ id, commitment: bytesOf(link.commitment), secret });
  try {
    await withFresh(() => putLinkValue(id, "offer", b64(device.offer)));
  } catch (error) {
    // Another device of the same person was faster, or it is over.
    if ([404, 409].includes(asApiError(error).status)) throw new Stopped("gone");
    throw error;
  }
  const { reveal } = await more(id, 1, signal);
  if (!(await device.check(bytesOf(reveal)))) throw new Stopped("forged");
  return device;
}

export async function send(id: string, device: OldDevice, vaultKey: Uint8Array): Promise<void> {
  const parcel = b64(await device.seal(vaultKey));
  await withFresh(() => putLinkValue(id, "parcel", parcel));
}

/** Over, whatever the server says to it. */
export async function giveUp(id: string): Promise<void> {
  await cancelLink(id).catch(() => undefined);
}
