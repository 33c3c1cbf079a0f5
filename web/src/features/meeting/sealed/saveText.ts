const TYPES = { txt: "text/plain;charset=utf-8", json: "application/json" } as const;

/** Hands a text to the browser as a file, named with the day: it stays on this device. */
export function saveText(text: string, name: string, kind: "txt" | "json" = "txt"): void {
  const address = URL.createObjectURL(new Blob([text], { type: TYPES[kind] }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name}-${new Date().toISOString().slice(0, 10)}.${kind}`;
  link.click();
  URL.revokeObjectURL(address);
}
