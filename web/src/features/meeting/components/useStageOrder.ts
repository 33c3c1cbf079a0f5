import { useEffect, useState } from "react";
import { othersOf } from "../model/call.ts";
import { GAP, PHONE_GAP, pageSize, placeWithStrip, type Size } from "../model/layout.ts";
import { CHANGE_INTERVAL_MS, EMPTY_ORDER, nextOrder, type StageOrder } from "../model/order.ts";
import { isSpeakerView } from "../model/stage.ts";
import { useCall, useView } from "./context.tsx";

/** The identities in the order of the stage, taken forward as people come, speak and are pinned. */
export function useStageOrder(size: Size, isPhone: boolean): readonly string[] {
  const people = useCall((call) => call.people);
  const isSharing = useCall((call) => call.share !== null);
  const { pinned, page, wantsMany, view, enlarged } = useView((state) => state);
  const [order, setOrder] = useState<StageOrder>(EMPTY_ORDER);
  const [, setTick] = useState(0);
  const others = othersOf({ people } as Parameters<typeof othersOf>[0]);
  const isStrip = isSharing || enlarged !== null || isSpeakerView(view, others.length);
  const perPage = isStrip
    ? Math.max(1, placeWithStrip(others.length, size, isPhone ? PHONE_GAP : GAP).strip.length)
    : pageSize(others.length, size, { isPhone, wantsMany });
  const next = nextOrder(order, {
    people: others,
    pinned,
    pageSize: perPage,
    page,
    now: Date.now(),
  });
  // Taken over while drawing, so that nobody is seen in a place that is already out of date.
  if (next !== order) setOrder(next);

  // A change that had to wait for its three seconds is made when they are over.
  const isPaged = others.length > perPage;
  useEffect(() => {
    if (!isPaged) return;
    const timer = setInterval(() => setTick((tick) => tick + 1), CHANGE_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [isPaged]);
  return next.identities;
}
