/**
 * Where somebody wanted to go who has to sign in first: one of our own pages, with what stood behind
 * the `#`, which may be secret. In this page's memory only.
 */
const PAGES = ["/account", "/log", "/members", "/link", "/set-up"] as const;
/** What happened in one's own meetings. */
const LOG = /^\/log\/(?:meetings|mtg_\w{1,40})$/;
let wanted = "/";

export function rememberPage(path: string, fragment: string): void {
  wanted = PAGES.some((page) => page === path) || LOG.test(path) ? path + fragment : "/";
}

/** Once. */
export function pageAfterSignIn(): string {
  const page = wanted;
  wanted = "/";
  return page;
}
