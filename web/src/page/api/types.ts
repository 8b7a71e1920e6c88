/**
 * What the page reads of the API's answers.
 *
 * An interface has the name of its schema in `openapi/openapi.json`, and some of its fields: a test holds them against it.
 */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "canceled" | "expired";

export interface JobModel {
  readonly id: string;
  readonly revision: string;
}

export interface JobInput {
  readonly image_sha256: string;
  readonly caption: string;
}

export interface JobFailure {
  readonly code: string;
  readonly detail: string;
}

export interface JobProgress {
  readonly completed: number;
  readonly total: number;
}

export interface JobMetrics {
  readonly queue_s: number | null;
  readonly run_s: number | null;
  readonly forward_passes: number | null;
  readonly evaluation_passes: number | null;
}

export interface MapInfo {
  readonly name: string;
  readonly title: string;
}

export interface JobScore {
  readonly metric: string;
  readonly name: string;
  readonly value: number | null;
  readonly ci_low: number | null;
  readonly ci_high: number | null;
  readonly higher_is_better: boolean;
  readonly note: string | null;
}

export interface JobOutput {
  readonly index: string;
  readonly order: number;
  readonly tokens: readonly string[];
  readonly empty_value: number;
  readonly full_value: number;
  readonly baseline: number | null;
  readonly estimated_r2: number | null;
  readonly image_passes: number;
  readonly text_passes: number;
  readonly maps: readonly MapInfo[];
  readonly evaluation: readonly JobScore[];
}

export interface ExplanationJob {
  readonly id: string;
  readonly status: JobStatus;
  readonly model: JobModel;
  readonly method: string;
  readonly params: { readonly [name: string]: JsonValue };
  readonly input: JobInput;
  readonly evaluate: readonly string[];
  readonly output: JobOutput | null;
  readonly error: JobFailure | null;
  readonly progress: JobProgress;
  readonly metrics: JobMetrics;
  readonly attempt: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly cancel_requested_at: string | null;
  readonly completed_at: string | null;
  readonly expires_at: string | null;
  readonly cached: boolean;
  readonly metadata: { readonly [name: string]: string };
  readonly batch_id: string | null;
  readonly custom_id: string | null;
  readonly estimated_start: string | null;
  readonly estimated_duration_s: number | null;
}

export interface ExplanationList {
  readonly items: readonly ExplanationJob[];
  readonly next_page_token: string | null;
}

export interface ModelView {
  readonly id: string;
  readonly family: string;
  readonly grid: readonly [number, number];
  readonly image_size_px: readonly [number, number];
  readonly max_tokens: number;
  readonly methods: readonly string[];
  readonly device: string;
  readonly live: boolean;
}

export interface MethodCostView {
  readonly image_passes: number;
  readonly text_passes: number | null;
  readonly backward_passes: number;
}

export interface MethodView {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly order: number;
  readonly cost: MethodCostView;
  readonly parameters: { readonly [name: string]: JsonValue };
}

export interface MetricCostView {
  readonly image_passes: number;
  readonly text_passes: number;
  readonly backward_passes: number;
}

export interface MetricView {
  readonly name: string;
  readonly title: string;
  readonly needs: string;
  readonly cost: MetricCostView;
}

export interface Upload {
  readonly id: string;
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly expires_at: string;
}
