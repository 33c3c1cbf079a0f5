import { useEffect, useState } from "react";

export interface QrCodeProps {
  /** What the code says. May be secret: drawn here, sent nowhere. */
  text: string;
  /** What it is, for who does not see it. */
  label: string;
}

/** Light modules around the code that readers need (ISO/IEC 18004, 9.1). */
const QUIET = 4;

/** A QR code, dark on light in both themes, for cameras. Nothing until the code that draws it is here. */
export function QrCode({ text, label }: QrCodeProps) {
  const [drawn, setDrawn] = useState<{ path: string; size: number } | null>(null);
  useEffect(() => {
    let isHere = true;
    import("qr").then(
      ({ encodeQR }) => isHere && setDrawn(pathOf(encodeQR(text, "raw", { border: QUIET }))),
      // Without it there is the text beside the code.
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [text]);
  return (
    <div className="qr">
      {drawn && (
        <svg role="img" aria-label={label} viewBox={`0 0 ${drawn.size} ${drawn.size}`}>
          <path d={drawn.path} />
        </svg>
      )}
    </div>
  );
}

function pathOf(rows: readonly (readonly boolean[])[]): { path: string; size: number } {
  let path = "";
  for (const [y, row] of rows.entries()) {
    for (const [x, isDark] of row.entries()) if (isDark) path += `M${x} ${y}h1v1h-1z`;
  }
  return { path, size: rows.length };
}
