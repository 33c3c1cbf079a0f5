import { useEffect, useState } from "react";

/**
 * What stands behind the `#`, which may be secret: read once, and taken out of the address bar and
 * the history as soon as the page is there. Not earlier: a first drawing may be thrown away and
 * begun anew, because something in the page is still on its way, and then it must be there to read.
 */
export function useFragment<T>(read: (fragment: string) => T): T {
  const [found] = useState(() => read(location.hash));
  useEffect(() => {
    if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
  }, []);
  return found;
}
