import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface HeadingProps {
  readonly title: string;
  /** Beside the title: what can be done here. */
  readonly children?: ComponentChildren;
}

let hasShownOne = false;

/** A view's one heading. It names the document, and takes the focus when the view is gone to. */
export function Heading({ title, children }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · FIxLIP`;
  }, [title]);
  useEffect(() => {
    if (hasShownOne) heading.current?.focus();
    hasShownOne = true;
  }, []);
  return (
    <div class="page-heading">
      <h1 ref={heading} tabIndex={-1} dir="auto">
        {title}
      </h1>
      {children && <div class="ui-actions">{children}</div>}
    </div>
  );
}
