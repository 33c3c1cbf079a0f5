/** Why a microphone or camera is not there, in the terms that people need. No DOM. */

export type Problem =
  /** The browser or its person said no, and will not ask again. */
  | "denied"
  /** The browser's question was closed without an answer. */
  | "dismissed"
  /** No such device. */
  | "none"
  /** Another program holds it. */
  | "busy"
  | "failed";

export type DeviceKind = "microphone" | "camera";

/** Media Capture and Streams 10.2: the names of getUserMedia's errors. */
export function problemOf(error: unknown, isDenied: boolean): Problem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return isDenied ? "denied" : "dismissed";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}

export interface DeviceProblem {
  problem: Problem;
  kind: DeviceKind | "both";
}

/** One sentence instead of two where microphone and camera have the same trouble. */
export function joinProblems(
  microphone: Problem | null,
  camera: Problem | null,
): readonly DeviceProblem[] {
  if (microphone !== null && microphone === camera) return [{ problem: microphone, kind: "both" }];
  const found: DeviceProblem[] = [];
  if (microphone) found.push({ problem: microphone, kind: "microphone" });
  if (camera) found.push({ problem: camera, kind: "camera" });
  return found;
}

export type BrowserFamily = "chromium" | "firefox" | "safari" | "other";

/** Only to show the right words for the permission switch; nothing else depends on it. */
export function familyOf(userAgent: string): BrowserFamily {
  if (/Firefox\//.test(userAgent)) return "firefox";
  if (/Chrom(e|ium)\/|CriOS\//.test(userAgent)) return "chromium";
  if (/Safari\//.test(userAgent)) return "safari";
  return "other";
}
