/** Many explanations asked for as one. */

import { getJson, request } from "./connection.ts";
import { follow, isStreamRefused, poll } from "./follow.ts";
import type { JobFailure, JsonValue } from "./types.ts";

export type BatchStatus = "queued" | "running" | "succeeded" | "failed" | "canceled";

export interface BatchCounts {
  readonly total: number;
  readonly queued: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly canceled: number;
}

export interface BatchView {
  readonly id: string;
  readonly status: BatchStatus;
  readonly request_counts: BatchCounts;
  readonly error: JobFailure | null;
  readonly retries: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly cancel_requested_at: string | null;
  readonly completed_at: string | null;
  readonly expires_at: string | null;
  readonly metadata: { readonly [name: string]: string };
}

export interface BatchList {
  readonly items: readonly BatchView[];
  readonly next_page_token: string | null;
}

export interface WayView {
  readonly way: number;
  readonly model: string;
  readonly method: string;
  readonly params: { readonly [name: string]: JsonValue };
  readonly succeeded: number;
  readonly failed: number;
  readonly mean_forward_passes: number | null;
  readonly mean_run_s: number | null;
}

export interface ScoreSummaryView {
  readonly way: number;
  readonly metric: string;
  readonly score: string;
  readonly higher_is_better: boolean;
  readonly n: number;
  readonly n_missing: number;
  readonly mean: number | null;
  readonly std_error: number | null;
  readonly ci_low: number | null;
  readonly ci_high: number | null;
}

export interface ComparisonView {
  readonly a: number;
  readonly b: number;
  readonly metric: string;
  readonly score: string;
  readonly n: number;
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  readonly mean_difference: number | null;
  readonly ci_low: number | null;
  readonly ci_high: number | null;
  readonly p_value: number | null;
}

export interface BatchSummary {
  readonly status: BatchStatus;
  readonly ways: readonly WayView[];
  readonly scores: readonly ScoreSummaryView[];
  readonly comparisons: readonly ComparisonView[];
}

const COLLECTION = "v1/batches";

/** Path of a batch, or of something below it. */
export function batchPath(id: string, below?: string): string {
  return `${COLLECTION}/${encodeURIComponent(id)}${below === undefined ? "" : `/${below}`}`;
}

/** Whether nothing more becomes of a batch by itself. */
export function isOver(status: BatchStatus): boolean {
  return status !== "queued" && status !== "running";
}

/** Batches, the newest first. */
export function listBatches(pageToken: string | null, signal: AbortSignal): Promise<BatchList> {
  const query = new URLSearchParams({ page_size: "20" });
  if (pageToken) query.set("page_token", pageToken);
  return getJson(`${COLLECTION}?${query}`, { signal });
}

/** Means with intervals of each way to explain, and every two of them on the same pairs. */
export function getSummary(id: string, signal: AbortSignal): Promise<BatchSummary> {
  return getJson(batchPath(id, "summary"), { signal });
}

/** The results of what has ended in brief, as lines of JSON cut anywhere. */
export async function* streamResults(id: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = (await request(batchPath(id, "results.jsonl?brief=true"), { signal })).body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** Tell of a batch as it gets on, until it has ended: by events, or by reading it again and again. */
export async function followBatch(id: string, signal: AbortSignal, onBatch: (batch: BatchView) => void): Promise<void> {
  let batch = await getJson<BatchView>(batchPath(id), { signal });
  onBatch(batch);
  if (isOver(batch.status)) return;
  try {
    await follow(batchPath(id, "events"), {
      signal,
      onEvent: ({ name, data }) => {
        batch = name === "completed" ? JSON.parse(data) : { ...batch, ...JSON.parse(data) };
        onBatch(batch);
        return name === "completed";
      },
    });
  } catch (error) {
    if (!isStreamRefused(error)) throw error;
    await poll<BatchView>(batchPath(id), { signal, onState: onBatch, isOver: ({ status }) => isOver(status) });
  }
}

/** Have a batch canceled, or asked for again what of it has no result. */
export async function changeBatch(id: string, how: "cancel" | "retry"): Promise<BatchView> {
  return (await request(batchPath(id, how), { method: "POST" })).json();
}

/** Delete a batch, its jobs and all their files. */
export async function deleteBatch(id: string): Promise<void> {
  await request(batchPath(id), { method: "DELETE" });
}

/**
 * Submit a manifest with, perhaps, a zip of the images that it names.
 *
 * @param key names this submission: repeated under it, it is answered as the first time.
 */
export async function submitBatch(form: FormData, key: string, signal: AbortSignal): Promise<BatchView> {
  const headers = { "Idempotency-Key": key };
  return (await request(COLLECTION, { method: "POST", body: form, headers, signal })).json();
}
