/** Still pictures of what the page shows at this moment, small. Nothing leaves the page's memory. */

import { b64 } from "../../../sealing/keys/bytes.ts";
import { MOST_PICTURE, MOST_PICTURES, type ReportPicture } from "../../../sealing/report/format.ts";

const MOST_WIDTH = 480;
const QUALITY = 0.7;

export interface Frame {
  readonly who: string;
  readonly source: ReportPicture["source"];
  readonly at: number;
  readonly canvas: HTMLCanvasElement;
}

/** Of every tile and shared screen with a picture. `now`: milliseconds since the epoch. */
export function framesNow(page: ParentNode, now: number): readonly Frame[] {
  const places = [
    ...page.querySelectorAll<HTMLElement>(".tile[data-identity], .scr[data-identity]"),
  ];
  return places.flatMap((place) => {
    const canvas = drawn(place.querySelector("video"));
    const who = place.dataset["identity"];
    if (canvas === null || who === undefined) return [];
    const source = place.classList.contains("scr") ? "screen" : "camera";
    return [{ who, source, at: now, canvas } as const];
  });
}

function drawn(video: HTMLVideoElement | null): HTMLCanvasElement | null {
  if (video === null || !(video.videoWidth > 0)) return null;
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, MOST_WIDTH / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
  const context = canvas.getContext("2d");
  context?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context === null ? null : canvas;
}

/** Those of these people, as JPEG. What cannot be written is left out. */
export async function picturesOf(
  frames: readonly Frame[],
  people: ReadonlySet<string>,
): Promise<readonly ReportPicture[]> {
  const wanted = frames.filter(({ who }) => people.has(who)).slice(0, MOST_PICTURES);
  const pictures = await Promise.all(
    wanted.map(async ({ canvas, ...about }) => {
      const jpeg = await jpegOf(canvas);
      return jpeg === null || jpeg.length > MOST_PICTURE ? [] : [{ ...about, jpeg }];
    }),
  );
  return pictures.flat();
}

async function jpegOf(canvas: HTMLCanvasElement): Promise<string | null> {
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", QUALITY);
  });
  // A browser without JPEG writes PNG instead.
  if (blob?.type !== "image/jpeg") return null;
  return b64(new Uint8Array(await blob.arrayBuffer()));
}
