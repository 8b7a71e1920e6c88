/** The best and the worst subset of players of every size, what is predicted of them, and what was measured. */
import {
  type Coalition,
  type Explanation,
  type ExtremeSubsets,
  type InsertionDeletionDocument,
  type ReportDocument,
  subsetsFromDocument,
} from "../explanation/index.ts";

/** A value at a number of players. */
export interface SizedValue {
  readonly size: number;
  readonly value: number;
}

export interface SubsetChoice {
  readonly best: readonly Coalition[];
  readonly worst: readonly Coalition[];
  /** Predictions by size; null for attributions. */
  readonly predicted: { readonly best: readonly number[]; readonly worst: readonly number[] } | null;
  /** Whether subsets were looked for by values of players and pairs, or players only ranked by their own. */
  readonly basis: "pairs" | "ranking";
}

export interface MeasuredCurves {
  readonly best: readonly SizedValue[];
  readonly worst: readonly SizedValue[];
}

/** The number of players that a state asks for: half of them unless told otherwise. */
export function sizeOf(size: number | null, n: number): number {
  return Math.min(size ?? Math.round(n / 2), n);
}

/** The subsets that are known at once; null where they are yet to be searched for. */
export function knownSubsets(explanation: Explanation, report: ReportDocument): SubsetChoice | null {
  const found = report.evaluation?.insertion_deletion?.subsets;
  if (found) return choiceOf(explanation, subsetsFromDocument(found, explanation.n));
  return explanation.additive && explanation.hasPairs ? null : rankedSubsets(explanation);
}

/** The choice among subsets that were searched for. */
export function choiceOf(explanation: Explanation, subsets: ExtremeSubsets): SubsetChoice {
  const { baseline } = explanation.document;
  const predicted =
    explanation.additive && baseline !== null
      ? {
          best: Array.from(subsets.bestValues, (value) => baseline + value),
          worst: Array.from(subsets.worstValues, (value) => baseline + value),
        }
      : null;
  return { best: subsets.best, worst: subsets.worst, predicted, basis: "pairs" };
}

/** Of every size the players of greatest, and of least, main effect; of equal ones the last stay longest. */
export function rankedSubsets(explanation: Explanation): SubsetChoice {
  const { n, mainEffects, additive, order } = explanation;
  const ascending = [...mainEffects.keys()].sort((a, b) => (mainEffects[a] ?? 0) - (mainEffects[b] ?? 0) || a - b);
  const descending = [...mainEffects.keys()].sort((a, b) => (mainEffects[b] ?? 0) - (mainEffects[a] ?? 0) || a - b);
  const keptLast = (order: readonly number[]) =>
    Array.from({ length: n + 1 }, (_, size) => {
      const coalition = new Uint8Array(n);
      for (const player of order.slice(n - size)) coalition[player] = 1;
      return coalition;
    });
  const [best, worst] = [keptLast(ascending), keptLast(descending)];
  const values = (coalitions: readonly Coalition[]) =>
    coalitions.map((coalition) => explanation.predict(coalition) ?? Number.NaN);
  // Without the values of pairs that there are, sums would say something else.
  const predicts = additive && order === 1;
  return { best, worst, predicted: predicts ? { best: values(best), worst: values(worst) } : null, basis: "ranking" };
}

/** The insertion and deletion curves of an evaluation in the score's own units; null where there are none. */
export function measuredCurves(report: ReportDocument, basis: SubsetChoice["basis"], n: number): MeasuredCurves | null {
  const found = report.evaluation?.insertion_deletion;
  const curves = basis === "pairs" ? found?.second_order : found?.first_order;
  if (!found || !curves || found.full_value === found.empty_value) return null;
  return { best: inUnits(found, curves.least_first, n), worst: inUnits(found, curves.most_first, n) };
}

function inUnits(found: InsertionDeletionDocument, normalised: readonly number[], n: number): SizedValue[] {
  const rise = found.full_value - found.empty_value;
  return found.removed.map((removed, point) => ({
    size: (1 - removed) * n,
    value: found.empty_value + (normalised[point] ?? Number.NaN) * rise,
  }));
}
