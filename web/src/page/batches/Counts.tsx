import type { BatchCounts } from "../api/batches.ts";
import { count } from "../words.ts";

const PARTS = [
  { name: "completed", label: "done" },
  { name: "failed", label: "failed" },
  { name: "canceled", label: "canceled" },
  { name: "running", label: "running" },
  { name: "queued", label: "waiting" },
] as const;

/** How many of a batch's items stand where, as a bar and in words. */
export function Counts({ counts, isBrief = false }: { counts: BatchCounts; isBrief?: boolean }) {
  const shown = PARTS.filter(({ name }) => counts[name] > 0);
  const words = shown.map(({ name, label }) => `${count(counts[name])} ${label}`);
  return (
    <div class={isBrief ? "counts counts-brief" : "counts"}>
      <div class="counts-bar" aria-hidden="true">
        {shown.map(({ name }) => (
          <span key={name} class={`counts-${name}`} style={{ flexGrow: counts[name] }} />
        ))}
      </div>
      <ul class="counts-words" aria-label={`${count(counts.total)} explanations`}>
        {shown.map(({ name }, index) => (
          <li key={name}>
            <i class={`counts-${name}`} aria-hidden="true" />
            {words[index]}
          </li>
        ))}
      </ul>
    </div>
  );
}
