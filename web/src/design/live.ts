/**
 * What screen readers are told. The two regions are in index.html from the first byte on; only
 * their text is set, nodes are never swapped, because several readers miss a region that appears.
 */
function say(id: "live-polite" | "live-assertive", text: string): void {
  const region = document.getElementById(id);
  if (!region) return;
  // The same sentence twice is a change only if the text differs: a trailing space is not spoken.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/** At the next pause in speech. */
export function announce(text: string): void {
  say("live-polite", text);
}

/** At once. For what the person must know now: muted by the host, connection lost. */
export function announceNow(text: string): void {
  say("live-assertive", text);
}
