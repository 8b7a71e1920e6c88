/** The document `report.json`: all that is shown of an explanation, as the service writes it and a report embeds it. */

/** Base64 of little-endian float32; decoded by `floats`. */
export type Base64 = string;

export interface PairsDocument {
  /** Values for i < j, row by row: the upper triangle without the diagonal. */
  values: Base64;
  std_errors: Base64 | null;
}

export interface ExplanationDocument {
  method: string;
  index: string;
  /** Whether the values add up to predictions; otherwise they are an attribution. */
  additive: boolean;
  order: 1 | 2;
  p: number | null;
  /** `logit` or `cosine`. */
  score: string;
  /** The text players: tokens or words. */
  tokens: string[];
  /** Rows and columns of patches. */
  grid: [number, number];
  /** The image player of every patch, row by row; empty: every patch is a player. */
  regions: number[];
  /** One for each player, those of the image first. */
  labels: string[];
  baseline: number | null;
  empty_value: number;
  full_value: number;
  estimated_r2: number | null;
  image_passes: number;
  text_passes: number;
  first: Base64;
  first_std_error: Base64 | null;
  main_effects: Base64;
  pairs: PairsDocument | null;
  provenance: Record<string, string | number | boolean | null>;
}

export interface ImageDocument {
  width: number;
  height: number;
  data_url: string | null;
}

export interface JobDocument {
  id: string;
  model: { id: string; revision: string };
  method: string;
  params: Record<string, unknown>;
  input: { image_sha256: string; caption: string };
  created_at: string;
  completed_at: string | null;
  [more: string]: unknown;
}

export interface ScoreDocument {
  metric: string;
  name: string;
  value: number | null;
  /** Ends of the 95 % interval. */
  ci_low: number | null;
  ci_high: number | null;
  higher_is_better: boolean;
  note: string | null;
}

/** Scores at the shares `removed`, and the area between the two curves. */
export interface CurvesDocument {
  most_first: number[];
  least_first: number[];
  area: number | null;
}

export interface SubsetsDocument {
  /** For every size from 0, the players of the subset of greatest value. */
  greatest: number[][];
  least: number[][];
  greatest_values: number[];
  least_values: number[];
}

export interface InsertionDeletionDocument {
  removed: number[];
  first_order: CurvesDocument;
  second_order: CurvesDocument | null;
  subsets: SubsetsDocument | null;
  empty_value: number;
  full_value: number;
  flipped: boolean;
}

export interface EvaluationDocument {
  evaluate: string[];
  seed: number;
  scores: ScoreDocument[];
  image_passes: number;
  text_passes: number;
  insertion_deletion: InsertionDeletionDocument | null;
}

/** The audit record, shown as it is. */
export type AuditDocument = Record<string, unknown>;

export interface ReportDocument {
  format: 1;
  explanation: ExplanationDocument;
  image: ImageDocument;
  job: JobDocument | null;
  evaluation: EvaluationDocument | null;
  audit: AuditDocument | null;
}

/** The numbers in base64 of little-endian float32, as every browser's machine keeps them. */
export function floats(base64: Base64): Float32Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return new Float32Array(bytes.buffer);
}
