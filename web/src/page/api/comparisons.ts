/** Explanations of one pair held against each other. */

import { getJson } from "./connection.ts";
import type { JobInput, JobModel, JsonValue } from "./types.ts";

/** Edges in pixels of the submitted picture. */
export interface FrameView {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface GreatestValues {
  readonly image: number;
  readonly text: number;
  readonly pairs: number | null;
}

export interface ComparedExplanation {
  readonly id: string;
  readonly model: JobModel;
  readonly method: string;
  readonly params: { readonly [name: string]: JsonValue };
  readonly index: string;
  readonly order: number;
  readonly image: readonly number[];
  readonly text: readonly number[];
  readonly greatest: GreatestValues;
  readonly common: readonly (readonly number[])[];
}

export interface AgreementView {
  readonly explanations: readonly [string, string];
  readonly part: "image" | "text" | "pairs";
  readonly n: number;
  readonly spearman: number | null;
  readonly kendall: number | null;
  readonly cosine: number | null;
  readonly top_k: number;
  readonly top_overlap: number | null;
  readonly note: string | null;
}

export interface CommonPlayers {
  readonly grid: readonly [number, number];
  readonly regions: readonly number[];
  readonly region_labels: readonly string[];
  readonly tokens: readonly string[];
  readonly frame: FrameView | null;
}

export interface ExplanationComparisonView {
  readonly input: JobInput;
  readonly explanations: readonly ComparedExplanation[];
  readonly players: CommonPlayers;
  readonly agreements: readonly AgreementView[];
  readonly notes: readonly string[];
}

/** How far explanations of one pair agree, on the players that they share. */
export function getComparison(ids: readonly string[], signal: AbortSignal): Promise<ExplanationComparisonView> {
  return getJson(`v1/comparisons?${named(ids)}`, { signal });
}

/** Path of the figure of a comparison. */
export function comparisonFigure(ids: readonly string[], kind: "png" | "svg"): string {
  return `v1/comparisons/figure.${kind}?${named(ids)}`;
}

function named(ids: readonly string[]): string {
  return `explanations=${ids.map(encodeURIComponent).join(",")}`;
}
