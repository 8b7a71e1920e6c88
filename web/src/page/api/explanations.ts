/** Explanations: submit, follow, read, remove. */

import type { ReportDocument } from "../../explanation/document.ts";
import { getJson, request } from "./connection.ts";
import { follow, isStreamRefused, poll } from "./follow.ts";
import type { ExplanationJob, ExplanationList, JobProgress, JobStatus, JsonValue, Upload } from "./types.ts";

const COLLECTION = "v1/explanations";

/** An explanation that is asked for, of an uploaded picture. */
export interface Submission {
  readonly image_id: string;
  readonly caption: string;
  readonly model: string;
  readonly method: string;
  readonly params: { readonly [name: string]: JsonValue };
  readonly evaluate: readonly string[];
  readonly metadata: { readonly [name: string]: string };
}

/** Which jobs a list has; left out: all. */
export interface JobFilter {
  readonly status?: string | undefined;
  readonly model?: string | undefined;
  readonly method?: string | undefined;
  /** How many at a time, up to 100. */
  readonly page_size?: string | undefined;
}

/** Whether a job has ended, whichever way. */
export function isFinal(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}

/** Path of a job, or of something below it. */
export function pathOf(id: string, below = ""): string {
  return `${COLLECTION}/${encodeURIComponent(id)}${below && `/${below}`}`;
}

/** Upload a picture, for one or more explanations. */
export async function uploadImage(file: Blob, signal: AbortSignal): Promise<Upload> {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  return (await request("v1/images", { method: "POST", headers, body: file, signal })).json();
}

/** Submit an explanation; the same key again gives the same job. */
export async function submit(submission: Submission, key: string, signal: AbortSignal): Promise<ExplanationJob> {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return (await request(COLLECTION, { method: "POST", headers, body: JSON.stringify(submission), signal })).json();
}

/** A job. */
export function getJob(id: string, signal: AbortSignal): Promise<ExplanationJob> {
  return getJson(pathOf(id), { signal });
}

/** Jobs, the newest first. */
export function listJobs(filter: JobFilter, pageToken: string | null, signal: AbortSignal): Promise<ExplanationList> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  if (pageToken) query.set("page_token", pageToken);
  return getJson(`${COLLECTION}?${query}`, { signal });
}

/** Ask that a job be stopped. */
export async function cancelJob(id: string): Promise<ExplanationJob> {
  return (await request(pathOf(id, "cancel"), { method: "POST" })).json();
}

/** Delete a job and all its files. */
export async function deleteJob(id: string): Promise<void> {
  await request(pathOf(id), { method: "DELETE" });
}

/** All that is drawn of an explanation. */
export function getReport(id: string, signal: AbortSignal, pairs = true): Promise<ReportDocument> {
  return getJson(pathOf(id, `report.json${pairs ? "" : "?pairs=false"}`), { signal });
}

/**
 * Tell of a job as it gets on, until it has ended.
 *
 * Events tell it; where they cannot be had, it is read again and again.
 */
export async function followJob(id: string, signal: AbortSignal, onJob: (job: ExplanationJob) => void): Promise<void> {
  let job = await getJob(id, signal);
  onJob(job);
  if (isFinal(job.status)) return;
  try {
    await follow(pathOf(id, "events"), {
      signal,
      onEvent: ({ name, data }) => {
        job = changed(job, name, data);
        onJob(job);
        return isFinal(job.status);
      },
    });
  } catch (error) {
    if (!isStreamRefused(error)) throw error;
    await poll<ExplanationJob>(pathOf(id), { signal, onState: onJob, isOver: ({ status }) => isFinal(status) });
  }
}

function changed(job: ExplanationJob, name: string, data: string): ExplanationJob {
  if (name === "completed") return JSON.parse(data);
  const now = { ...job, status: "running" as const, started_at: job.started_at ?? new Date().toISOString() };
  if (name === "start") return { ...now, attempt: JSON.parse(data).attempt, estimated_start: null };
  return name === "progress" ? { ...now, progress: JSON.parse(data) as JobProgress } : job;
}
