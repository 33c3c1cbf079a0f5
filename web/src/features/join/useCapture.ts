import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { readSetting, writeSetting } from "../../storage.ts";
import type { Preview } from "../meeting/contract.ts";
import {
  type CaptureModel,
  type CaptureState,
  createCapture,
  type MediaPort,
} from "./model/capture.ts";
import { readRemembered } from "./model/devices.ts";

export interface CaptureHandle {
  model: CaptureModel;
  /** The meeting follows: leaving this page no longer stops microphone and camera. */
  keepRunning(): void;
}

/** Starts microphone and camera with the page and stops them with it, unless kept running. */
export function useCapture(createPort: () => MediaPort): CaptureHandle | null {
  const [handle, setHandle] = useState<CaptureHandle | null>(null);
  useEffect(() => {
    const model = createCapture(createPort(), readRemembered(readSetting("devices")));
    let isKept = false;
    setHandle({
      model,
      keepRunning: () => {
        isKept = true;
      },
    });
    void model.start();
    return () => {
      if (!isKept) model.close();
    };
  }, [createPort]);
  return handle;
}

/** What the meeting gets: the running tracks to take, or to stop. */
export function previewOf({ model, keepRunning }: CaptureHandle): Preview {
  return {
    keep: keepRunning,
    take() {
      const { camera, microphone } = model.handOver();
      return {
        camera: camera?.stream.getVideoTracks()[0] ?? null,
        microphone: microphone?.stream.getAudioTracks()[0] ?? null,
      };
    },
    stop: () => model.close(),
  };
}

export function useCaptureState(model: CaptureModel): CaptureState {
  return useStore(model.store);
}

export function rememberDevices(state: CaptureState): void {
  writeSetting(
    "devices",
    JSON.stringify({
      microphoneId: state.microphone.chosenId,
      cameraId: state.camera.chosenId,
      speakerId: state.speakerId,
    }),
  );
}
