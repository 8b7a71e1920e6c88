/** What the library says (`tests/web/truth.py`); pytest writes it, and names the file. */
import { readFileSync } from "node:fs";
import type { ExplanationDocument } from "../src/explanation/index.ts";

export interface SaidOfExplanation {
  document: ExplanationDocument;
  n_image: number;
  first: number[];
  second: number[][];
  first_std_errors: (number | null)[];
  pair_std_errors: (number | null)[];
  main_effects: number[];
  conditional: number[][];
  owners: number[];
  positions: [number, number][];
  top: Record<"all" | "cross", [number, number, number, number | null][]>;
  coalitions: number[][];
  predicted: number[] | null;
}

export interface SaidOfSubsets {
  document: ExplanationDocument;
  best: number[][];
  worst: number[][];
  best_values: number[];
  worst_values: number[];
}

export interface Truth {
  explanations: Record<string, SaidOfExplanation>;
  subsets: SaidOfSubsets[];
  scale: {
    colours: [number, number, [number, number, number]][];
    ticks: [number, number[]][];
    powers: [number, string][];
    signed: [number, string][];
    unit: string;
  };
}

const file = process.env.FIXLIP_TRUTH;
if (!file) throw new Error("FIXLIP_TRUTH must name the file that tests/web writes: run pytest tests/web");
export const truth: Truth = JSON.parse(readFileSync(file, "utf8"));
