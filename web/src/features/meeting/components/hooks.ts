import {
  type RefObject,
  useCallback,
  useLayoutEffect,
  useState,
  useSyncExternalStore,
} from "react";
import type { Size } from "../model/layout.ts";

/** Below this width the page has its phone layout; the same line as in the style sheets. */
export const PHONE = "(max-width: 52rem)";
/** A window so small, or zoomed so far, that the page scrolls instead of filling the window. */
export const FLOW = "(max-height: 30rem) and (max-width: 35rem)";

export function useMatch(query: string): boolean {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", onChange);
      return () => list.removeEventListener("change", onChange);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** The size of an element, known before the first paint and kept up to date. */
export function useSize(ref: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const read = () => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize((before) =>
        before.width === width && before.height === height ? before : { width, height },
      );
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

function subscribeToSeconds(onChange: () => void): () => void {
  const timer = setInterval(onChange, 1_000);
  return () => clearInterval(timer);
}

/** The time, a second at a time. */
export function useSeconds(): number {
  return useSyncExternalStore(subscribeToSeconds, () => Math.floor(Date.now() / 1_000) * 1_000);
}

function subscribeToFullscreen(onChange: () => void): () => void {
  document.addEventListener("fullscreenchange", onChange);
  return () => document.removeEventListener("fullscreenchange", onChange);
}

export function useIsFullscreen(): boolean {
  return useSyncExternalStore(subscribeToFullscreen, () => document.fullscreenElement !== null);
}

export function toggleFullscreen(): void {
  const change =
    document.fullscreenElement === null
      ? document.documentElement.requestFullscreen()
      : document.exitFullscreen();
  change.catch(() => undefined);
}
