/** What all views of one explanation share: its scales, the names of its values, and what it has no values of. */
import { Explanation, greatest, type ReportDocument, unit } from "../explanation/index.ts";

/** Ends of the two colour scales, in the explanation's units: main effects, and pairs. */
export interface ScaleLimits {
  readonly effects: number;
  readonly pairs: number;
}

export interface ViewerModel {
  readonly report: ReportDocument;
  readonly explanation: Explanation;
  readonly limits: ScaleLimits;
  /** End of the words' scale of main effects: their own where the towers were attributed to one by one. */
  readonly wordsLimit: number;
  /** Whether that is so. */
  readonly effectsApart: boolean;
  readonly effectsLabel: string;
  readonly pairsLabel: string;
  /** Why there are no pairs to look at; null where there are. */
  readonly withoutPairs: string | null;
  /** Whether players of one modality have pairs among themselves. */
  readonly pairsWithin: boolean;
  /** The word whose map is shown while nothing is chosen. */
  readonly resting: number;
}

/** The scales that fit one explanation; the greatest of several fit them all. */
export function scaleLimits(explanation: Explanation): ScaleLimits {
  const { mainEffects, nImage, n } = explanation;
  const apart = towersApart(explanation);
  let pairs = 0;
  for (let word = nImage; word < n; word++) {
    pairs = Math.max(pairs, greatest(explanation.conditional(word).subarray(0, nImage)));
  }
  return { effects: greatest(mainEffects.subarray(0, apart ? nImage : n)), pairs };
}

export function modelOf(report: ReportDocument, shared: Partial<ScaleLimits> = {}): ViewerModel {
  const explanation = Explanation.fromDocument(report.explanation);
  const own = scaleLimits(explanation);
  const limits = { effects: shared.effects ?? own.effects, pairs: shared.pairs ?? own.pairs };
  const apart = towersApart(explanation);
  const { additive, mainEffects, nImage } = explanation;
  const { score } = report.explanation;
  return {
    report,
    explanation,
    limits,
    effectsApart: apart,
    wordsLimit: apart ? greatest(mainEffects.subarray(nImage)) : limits.effects,
    effectsLabel: additive ? `main ${unit(score)}` : apart ? "attribution (words: own scale)" : "attribution",
    pairsLabel: additive ? `interaction ${unit(score)}` : "attribution to pairs",
    withoutPairs: reasonWithoutPairs(report),
    pairsWithin: additive,
    resting: restingWord(explanation),
  };
}

/** Whether image and caption were attributed to one by one, so that their values do not compare. */
function towersApart(explanation: Explanation): boolean {
  return !explanation.additive && explanation.order === 1;
}

function reasonWithoutPairs({ explanation }: ReportDocument): string | null {
  if (explanation.order === 1) {
    return `${explanation.method} gives every patch and word a value of its own, and none to pairs of them. FIxLIP at order 2, or exCLIP, would.`;
  }
  return explanation.pairs ? null : "The values of pairs were left out of this document.";
}

/** The word with the greatest sum of sizes over its pairs with the image; without pairs, of greatest effect. */
function restingWord(explanation: Explanation): number {
  const { n, nImage, mainEffects } = explanation;
  let [best, most] = [nImage, -1];
  for (let word = nImage; word < n; word++) {
    const values = explanation.hasPairs
      ? explanation.conditional(word).subarray(0, nImage)
      : mainEffects.subarray(word, word + 1);
    const sum = values.reduce((total, value) => total + Math.abs(value), 0);
    if (sum > most) [best, most] = [word, sum];
  }
  return best;
}
