import { useLayoutEffect, useRef } from "react";
import type { VideoSource } from "../model/call.ts";

export interface VideoProps {
  source: VideoSource;
  className?: string;
  label?: string;
}

/** One picture. Attached before the paint; taken off the screen, it is no longer asked for. */
export function Video({ source, className, label }: VideoProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    source.attach(element);
    return () => source.detach(element);
  }, [source]);
  return (
    <video
      ref={ref}
      className={className}
      data-track={source.sid}
      aria-label={label}
      aria-hidden={label === undefined}
      muted
      autoPlay
      playsInline
    />
  );
}
