/** What the explanations of a comparison are called: by what sets them apart. */

import type { ExplanationJob } from "../api/types.ts";
import { textsOf, variedParams } from "../batches/rows.ts";

type Asked = Pick<ExplanationJob, "model" | "method" | "params">;

/** Of each explanation the parameters in which those of its method differ: `p=0.3`. */
export function marksOf(jobs: readonly Asked[]): readonly (readonly string[])[] {
  const ways = jobs.map(({ method, params }) => ({ method, params: textsOf(params) }));
  const varied = variedParams(ways);
  return ways.map(({ method, params }) =>
    (varied.get(method) ?? []).map((name) => `${name}=${params[name] ?? "none"}`),
  );
}

/** Short names, each another where that can be: the model only where there are several. */
export function namesOf(jobs: readonly Asked[]): readonly string[] {
  const areManyModels = new Set(jobs.map(({ model }) => model.id)).size > 1;
  const marks = marksOf(jobs);
  return jobs.map(({ method, model }, index) =>
    [...(areManyModels ? [model.id] : []), method, ...(marks[index] ?? [])].join(" "),
  );
}
