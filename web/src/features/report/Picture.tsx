import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { fromB64 } from "../../sealing/keys/bytes.ts";
import { jpegSize } from "./jpeg.ts";

/** Reports hold small pictures; a large one is somebody's trick on the memory of this device. */
const MOST_SIDE = 1_024;

/** A still picture out of a report, drawn: never an address that the page would load. */
export function Picture({ jpeg, label }: { jpeg: string; label: string }) {
  const { t } = useTranslation("report");
  const canvas = useRef<HTMLCanvasElement>(null);
  const [isBad, setBad] = useState(false);
  useEffect(() => {
    let isHere = true;
    decode(jpeg).then(
      (picture) => {
        if (isHere && canvas.current !== null) draw(canvas.current, picture);
        picture.close();
      },
      () => isHere && setBad(true),
    );
    return () => {
      isHere = false;
    };
  }, [jpeg]);
  return (
    <figure>
      {isBad ? (
        <p className="mut">{t("report.pictureBad")}</p>
      ) : (
        <canvas ref={canvas} role="img" aria-label={label} />
      )}
      <figcaption className="sm mut">{label}</figcaption>
    </figure>
  );
}

async function decode(jpeg: string): Promise<ImageBitmap> {
  const bytes = fromB64(jpeg);
  const size = bytes && jpegSize(bytes);
  if (bytes === null || size === null || Math.max(size.width, size.height) > MOST_SIDE) {
    throw new Error("no small JPEG");
  }
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
}

function draw(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d")?.drawImage(picture, 0, 0);
}
