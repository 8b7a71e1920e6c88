/** Numbers, times and states in words. */

import type { JobStatus } from "./api/types.ts";

const STATUS: Readonly<Record<JobStatus, string>> = {
  queued: "waiting",
  running: "running",
  succeeded: "done",
  failed: "failed",
  canceled: "canceled",
  expired: "expired",
};
const STEPS = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [Number.POSITIVE_INFINITY, 86_400, "day"],
] as const;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const grouped = new Intl.NumberFormat("en");

/** How a job stands. */
export function statusWord(status: JobStatus): string {
  return STATUS[status];
}

/** A whole number with its thousands told apart. */
export function count(value: number): string {
  return grouped.format(value);
}

/** A duration: `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** How long ago: `now`, `5 minutes ago`, `yesterday`; also how long from now. */
export function ago(instant: string, now: number): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const [, unit, name] = STEPS.find(([below]) => Math.abs(seconds) < below) ?? STEPS[3];
  return name === "second" && Math.abs(seconds) < 10 ? "just now" : relative.format(Math.trunc(seconds / unit), name);
}

/** An instant in full, by the reader's clock. */
export function inFull(instant: string): string {
  return new Date(instant).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** A length in bytes: `820 bytes`, `1.4 MB`. */
export function bytes(length: number): string {
  if (length < 1000) return `${length} bytes`;
  return length < 1_000_000 ? `${Math.round(length / 1000)} kB` : `${(length / 1_000_000).toFixed(1)} MB`;
}
