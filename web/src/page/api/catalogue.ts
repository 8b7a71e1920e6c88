/** Models, methods and metrics: what there is. */

import { getJson } from "./connection.ts";
import type { MethodView, MetricView, ModelView } from "./types.ts";

/** All there is to choose from. */
export interface Catalogue {
  readonly models: readonly ModelView[];
  readonly methods: readonly MethodView[];
  readonly metrics: readonly MetricView[];
}

/** What can be chosen now. */
export async function getCatalogue(signal: AbortSignal): Promise<Catalogue> {
  const [models, methods, metrics] = await Promise.all([
    items<ModelView>("v1/models", signal),
    items<MethodView>("v1/methods", signal),
    items<MetricView>("v1/metrics", signal),
  ]);
  return { models, methods, metrics };
}

async function items<T>(path: string, signal: AbortSignal): Promise<readonly T[]> {
  return (await getJson<{ items: readonly T[] }>(path, { signal })).items;
}
