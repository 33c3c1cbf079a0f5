import { useEffect, useRef, useState } from "react";
import { useLanguage } from "../../../i18n/index.ts";
import { formatLinkCode } from "../../../sealing/keys/deviceLink.ts";
import { loadWords } from "../../../sealing/words/wordList.ts";
import { keyRingOf } from "../../../vault/session.ts";
import {
  type Asking,
  ask,
  giveUp,
  hearOffer,
  hearParcel,
  type Received,
  type Stop,
  Stopped,
} from "./exchange.ts";

export type NewDeviceState =
  | { readonly at: "making" }
  /** `address`: for the QR code; secret. */
  | { readonly at: "showing"; readonly address: string }
  /** The other device has answered. `isSame`: the person has said so here. */
  | { readonly at: "comparing"; readonly words: readonly string[]; readonly isSame: boolean }
  | { readonly at: "stopped"; readonly why: Stop | "other-key" }
  | { readonly at: "failed"; readonly fault: unknown };

/** A person's word that one can wait for. */
function makeSaid(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}

/**
 * From the QR code to the open key ring, while this is shown. `onDone`: the key ring is open, and the
 * page around this may show that already.
 */
export function useNewDevice(
  userId: string,
  onDone: () => void,
): {
  state: NewDeviceState;
  /** The words are the same here and there. */
  confirm(): void;
  /** They are not, or nobody wants to go on. */
  refuse(): void;
} {
  const language = useLanguage();
  const [state, setState] = useState<NewDeviceState>({ at: "making" });
  const [said] = useState(makeSaid);
  const asked = useRef<string | null>(null);
  const list = useRef(language);
  const done = useRef(onDone);
  done.current = onDone;

  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    const show = (next: NewDeviceState): void => {
      if (!signal.aborted) setState(next);
    };
    async function adopt({ vaultKey }: Received): Promise<void> {
      const ring = await keyRingOf(userId);
      const adopted = await ring.adopt(vaultKey);
      vaultKey.fill(0);
      if (adopted.type === "open") done.current();
      else show({ at: "stopped", why: adopted.type === "other-key" ? "other-key" : "gone" });
    }
    async function run(): Promise<void> {
      const asking: Asking = await ask();
      asked.current = asking.id;
      if (signal.aborted) return void giveUp(asking.id);
      const { id, device } = asking;
      const { commitment, secret } = device;
      show({
        at: "showing",
        address: `${location.origin}/link${formatLinkCode({ id, commitment, secret })}`,
      });
      show({
        at: "comparing",
        words: await hearOffer(asking, await loadWords(list.current), signal),
        isSame: false,
      });
      const received = await hearParcel(asking, signal);
      // From who has not seen the QR code it may be anybody's: the words decide, and a person.
      if (!received.isProven) await said.promise;
      if (!signal.aborted) await adopt(received);
    }
    run().catch((fault: unknown) => {
      show(fault instanceof Stopped ? { at: "stopped", why: fault.why } : { at: "failed", fault });
      if (fault instanceof Stopped && fault.why === "forged" && asked.current !== null) {
        void giveUp(asked.current);
      }
    });
    return () => over.abort();
  }, [userId, said]);

  return {
    state,
    confirm() {
      said.resolve();
      setState((now) => (now.at === "comparing" ? { ...now, isSame: true } : now));
    },
    refuse() {
      if (asked.current !== null) void giveUp(asked.current);
    },
  };
}
