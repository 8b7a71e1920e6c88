import type { ComponentChildren } from "preact";

import "./tables.css";

/** A table that may be wider than the page: it scrolls by itself, by the arrow keys too. */
export function Scrolls({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a pointer.
    <section class="scrolls" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
