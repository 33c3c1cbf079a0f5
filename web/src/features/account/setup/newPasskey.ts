import { addPasskey, askToMakePasskey, type Passkey } from "../../../api/account.ts";
import { withFresh } from "../../../identity/fresh.ts";
import { createPasskey } from "../../../identity/passkeys.ts";

/** Asks the browser for a passkey and gives it to the account. */
export async function addNewPasskey(): Promise<Passkey> {
  const { challenge_id, options } = await withFresh(askToMakePasskey);
  const credential = await createPasskey(options);
  return withFresh(() => addPasskey(challenge_id, credential, nameOfHere(navigator.userAgent)));
}

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Macintosh|Mac OS X/, "Mac"],
  [/CrOS/, "Chromebook"],
  [/Linux/, "Linux"],
];
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, "Edge"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrome\/|CriOS\/|Chromium\//, "Chrome"],
  [/Safari\//, "Safari"],
];

/** Where a passkey was made, as its first name: people give it another one. */
export function nameOfHere(userAgent: string): string {
  const of = (list: typeof SYSTEMS) => list.find(([sign]) => sign.test(userAgent))?.[1];
  return [of(BROWSERS), of(SYSTEMS)].filter((part) => part !== undefined).join(", ") || "Passkey";
}
