/** The lists of devices as people see them, and which one is used. No DOM. */

export interface Device {
  id: string;
  label: string;
}

export interface DeviceLists {
  microphones: readonly Device[];
  cameras: readonly Device[];
  speakers: readonly Device[];
}

export const NO_DEVICES: DeviceLists = { microphones: [], cameras: [], speakers: [] };

type Found = Pick<MediaDeviceInfo, "kind" | "deviceId" | "label">;

/** Before permission browsers list devices without id and label: they cannot be chosen yet. */
export function listDevices(found: readonly Found[]): DeviceLists {
  const of = (kind: MediaDeviceKind): Device[] =>
    found
      .filter((device) => device.kind === kind && device.deviceId !== "" && device.label !== "")
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { microphones: of("audioinput"), cameras: of("videoinput"), speakers: of("audiooutput") };
}

/** The wanted device if it is there, else the first. */
export function pick(devices: readonly Device[], wantedId: string | null): string | null {
  return (devices.find(({ id }) => id === wantedId) ?? devices[0])?.id ?? null;
}

export interface RememberedDevices {
  microphoneId: string | null;
  cameraId: string | null;
  speakerId: string | null;
}

const NOTHING: RememberedDevices = { microphoneId: null, cameraId: null, speakerId: null };

/** Reads what an earlier visit stored; anything unexpected is as if nothing were stored. */
export function readRemembered(stored: string | null): RememberedDevices {
  if (stored === null) return NOTHING;
  try {
    const value: unknown = JSON.parse(stored);
    if (typeof value !== "object" || value === null) return NOTHING;
    const fields = value as Record<string, unknown>;
    const id = (key: string): string | null => {
      const found = fields[key];
      return typeof found === "string" ? found : null;
    };
    return {
      microphoneId: id("microphoneId"),
      cameraId: id("cameraId"),
      speakerId: id("speakerId"),
    };
  } catch {
    return NOTHING;
  }
}
