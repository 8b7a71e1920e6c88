/** Explanations by the pair of picture and caption that they are of. */

import type { ExplanationJob } from "../api/types.ts";
import { grouped } from "../batches/groups.ts";

export interface Pair {
  readonly key: string;
  readonly caption: string;
  readonly jobs: readonly ExplanationJob[];
}

/** What tells a pair from others. */
export function pairKey({ input }: Pick<ExplanationJob, "input">): string {
  return `${input.image_sha256} ${input.caption}`;
}

/** The pairs that have at least two explanations, in the order of their newest; the one of `chosen` first, even alone. */
export function comparablePairs(jobs: readonly ExplanationJob[], chosen: ExplanationJob | null): readonly Pair[] {
  const all = chosen && !jobs.some(({ id }) => id === chosen.id) ? [chosen, ...jobs] : jobs;
  const groups = grouped(all, pairKey);
  const wanted = chosen && pairKey(chosen);
  const pairs = [...groups].map(([key, of]) => ({ key, caption: of[0]?.input.caption ?? "", jobs: of }));
  if (wanted) return pairs.filter(({ key }) => key === wanted);
  return pairs.filter((pair) => pair.jobs.length > 1);
}
