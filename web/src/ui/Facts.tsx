import type { ComponentChildren } from "preact";

/** Names, each with what it stands for. What is null is left out. */
export function Facts({ items }: { items: readonly (readonly [string, ComponentChildren | null])[] }) {
  return (
    <dl class="ui-facts">
      {items
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </dl>
  );
}

export interface BadgeProps {
  kind?: "plain" | "good" | "warn" | "bad" | "active";
  children: ComponentChildren;
}

/** A word or two, such as a job's status. */
export function Badge({ kind = "plain", children }: BadgeProps) {
  return <span class={`ui-badge ui-badge-${kind}`}>{children}</span>;
}

/** For screen readers alone; a link in it shows when it has the focus. */
export function VisuallyHidden({ children }: { children: ComponentChildren }) {
  return <span class="ui-hidden">{children}</span>;
}
