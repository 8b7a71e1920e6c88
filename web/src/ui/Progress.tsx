import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface ProgressProps {
  label: ComponentChildren;
  /** How far it is; null where nobody knows. */
  value: number | null;
  max?: number;
  /** The same in words. */
  detail?: ComponentChildren;
}

export function Progress({ label, value, max = 1, detail }: ProgressProps) {
  const id = useId();
  return (
    <div class="ui-progress">
      <label for={id}>{label}</label>
      <output for={id} aria-live="off">
        {detail}
      </output>
      <progress id={id} max={max} {...(value === null ? {} : { value })} />
    </div>
  );
}
