/** Hands a text to the person as a file. It never leaves this browser. `type`: a media type. */
export function saveFile(name: string, text: string, type = "text/plain"): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

/** The same, named with the day: for what one may save again tomorrow. `ending`: as in `txt`. */
export function saveDated(name: string, ending: string, text: string, type?: string): void {
  saveFile(`${name}-${new Date().toISOString().slice(0, 10)}.${ending}`, text, type);
}
