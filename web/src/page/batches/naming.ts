/** What batches, their states and their scores are called. */

import type { BatchView } from "../api/batches.ts";
import { count, statusWord } from "../words.ts";
import type { ItemStatus, ScoreColumn } from "./rows.ts";

/** The note that names a batch. */
export const NAME_NOTE = "name";

/** A batch's own name, if its notes have one, or the beginning of its id. */
export function batchName(batch: BatchView): string {
  return batch.metadata[NAME_NOTE] || `Batch ${batch.id.slice(0, 8)}`;
}

/** Where a batch stands, in words. */
export function batchStatus({ status, cancel_requested_at, request_counts: counts }: BatchView): string {
  const ended = counts.completed + counts.failed + counts.canceled;
  if (status === "queued" || status === "running") {
    if (cancel_requested_at !== null) return "Being canceled";
    return status === "queued" ? "Waiting" : `Running, ${count(ended)} of ${count(counts.total)}`;
  }
  if (status === "succeeded" && counts.completed < counts.total) return "Done, not all with a result";
  return { succeeded: "Done", failed: "Failed", canceled: "Canceled" }[status];
}

/** Where an item stands, in a word. */
export function itemStatus(status: ItemStatus): string {
  return status === "removed" ? "deleted" : statusWord(status);
}

/** `first_order` as people write it. */
export function plain(name: string): string {
  return name.replaceAll("_", " ");
}

/** A score by its metric and its name. */
export function scoreName({ metric, name }: Pick<ScoreColumn, "metric" | "name">): string {
  return `${plain(metric)}, ${plain(name)}`;
}

const MINUS = "\u2212";

/** A score with three digits behind the point; `none` where there is none. */
export function scoreText(value: number | null): string {
  if (value === null) return "none";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 0.001 || size >= 100_000) ? size.toExponential(1) : size.toFixed(3);
  return (value < 0 ? MINUS : "") + text.replace("-", MINUS);
}
