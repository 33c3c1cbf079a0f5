/** Apple keyboards say Cmd where the others say Ctrl. */
export const IS_MAC = /Mac|iPhone|iPad/u.test(navigator.userAgent);
