import { type ReactNode, useEffect, useRef } from "react";

/** True once a page has been shown: from then on a new page's heading takes the focus. */
let hasShownPage = false;

export interface PageTitleProps {
  /** The window's title, in front of the product's name. */
  title: string;
  children: ReactNode;
}

/** A page's one h1. Names the window, and tells screen readers that the page has changed. */
export function PageTitle({ title, children }: PageTitleProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · conclave`;
  }, [title]);
  useEffect(() => {
    if (hasShownPage) ref.current?.focus({ preventScroll: true });
    hasShownPage = true;
  }, []);
  return (
    <h1 className="h1" tabIndex={-1} ref={ref}>
      {children}
    </h1>
  );
}
