/** The items of a batch as its table has them: read line by line from `results.jsonl`, with no more than is shown. */

import type { JobFailure, JobScore } from "../api/types.ts";

export type ItemStatus = "queued" | "running" | "succeeded" | "failed" | "canceled" | "expired" | "removed";

export interface ItemRow {
  index: number;
  customId: string;
  pairId: string;
  jobId: string;
  status: ItemStatus;
  model: string;
  method: string;
  /** Parameters as text, by their names. */
  params: Readonly<Record<string, string>>;
  caption: string;
  error: JobFailure | null;
  /** By `metric.name`; null where the explanation has none. */
  scores: Readonly<Record<string, number | null>>;
}

/** A score that some rows have. */
export interface ScoreColumn {
  key: string;
  metric: string;
  name: string;
  higherIsBetter: boolean;
}

/** A short line of `results.jsonl`, as far as it is read. */
interface Line {
  readonly index: number;
  readonly custom_id: string;
  readonly pair_id: string;
  readonly job_id: string;
  readonly status: ItemStatus;
  readonly model: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly error: JobFailure | null;
  readonly caption: string;
  readonly scores: readonly JobScore[];
}

/** All rows, and the scores that any of them has. */
export interface Items {
  rows: readonly ItemRow[];
  scores: readonly ScoreColumn[];
}

export const NO_ITEMS: Items = { rows: [], scores: [] };

/** Collects rows from pieces of JSON lines, however these are cut. */
export class ItemReader {
  readonly #rows: ItemRow[] = [];
  readonly #scores = new Map<string, ScoreColumn>();
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** How many rows there are so far. */
  get length(): number {
    return this.#rows.length;
  }

  push(piece: Uint8Array): void {
    this.#take(this.#decoder.decode(piece, { stream: true }));
  }

  /** What was read; the reader may go on. */
  items(): Items {
    return { rows: this.#rows.slice(), scores: [...this.#scores.values()] };
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line) this.#add(JSON.parse(line) as Line);
  }

  #add(line: Line): void {
    const scores: Record<string, number | null> = {};
    for (const score of line.scores) {
      const key = `${score.metric}.${score.name}`;
      scores[key] = score.value;
      if (!this.#scores.has(key)) {
        const { metric, name } = score;
        this.#scores.set(key, { key, metric, name, higherIsBetter: score.higher_is_better });
      }
    }
    this.#rows.push({
      index: line.index,
      customId: line.custom_id,
      pairId: line.pair_id,
      jobId: line.job_id,
      status: line.status,
      model: line.model,
      method: line.method,
      params: textsOf(line.params),
      caption: line.caption,
      error: line.error,
      scores,
    });
  }
}

/** Parameters as text, by their names. */
export function textsOf(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    texts[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return texts;
}

/** A way to explain, as far as it must be told from others. */
interface Way {
  method: string;
  params: Readonly<Record<string, string>>;
}

/** Of each method the parameters that differ among `ways`: what tells apart what is otherwise called the same. */
export function variedParams(ways: Iterable<Way>): Map<string, readonly string[]> {
  const first = new Map<string, Way["params"]>();
  const varied = new Map<string, Set<string>>();
  for (const { method, params } of ways) {
    const known = first.get(method);
    if (!known) {
      first.set(method, params);
      varied.set(method, new Set());
      continue;
    }
    for (const name of new Set([...Object.keys(known), ...Object.keys(params)])) {
      if (known[name] !== params[name]) varied.get(method)?.add(name);
    }
  }
  return new Map([...varied].map(([method, names]) => [method, [...names].sort()]));
}

/** A method with the parameters that set it apart: `fixlip p=0.3`. */
export function wayName(way: Way, varied: ReadonlyMap<string, readonly string[]>): string {
  const marks = (varied.get(way.method) ?? []).map((name) => `${name}=${way.params[name] ?? "none"}`);
  return [way.method, ...marks].join(" ");
}
