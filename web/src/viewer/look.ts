/** What the stage shows: the picture, its tints and the words' tints, for every view. */
import { greatest, type Pair, unsigned, type ViewerState } from "../explanation/index.ts";
import type { ViewerModel } from "./model.ts";
import { shortName } from "./speech.ts";

export interface Look {
  /** The picture: under tints, pale, as it is, or with the players that are out veiled. */
  readonly ground: "heat" | "faded" | "colour" | "masked";
  /** (n) a value for each player, for its tint; null: no tints. */
  readonly values: Float32Array | null;
  /** Ends of the scale for the picture and for the words. */
  readonly limit: number;
  readonly wordsLimit: number;
  /** What the tints measure; null where nothing is tinted. */
  readonly label: string | null;
  /** Which scale it is, where there is a choice. */
  readonly note: string | null;
  /** The player whose pairs are shown. */
  readonly subject: number | null;
  /** (n) 1 for each player that is present; null: all are. */
  readonly present: Uint8Array | null;
  /** The pairs drawn as curves, strongest first. */
  readonly pairs: readonly Pair[];
}

const BARE: Look = {
  ground: "colour",
  values: null,
  limit: 0,
  wordsLimit: 0,
  label: null,
  note: null,
  subject: null,
  present: null,
  pairs: [],
};

/** Main effects; patches and words on one scale, or each on their own, as words often drown the patches. */
export function effectsLook(model: ViewerModel, scale: ViewerState["scale"] = "shared"): Look {
  const { mainEffects, nImage } = model.explanation;
  const look: Look = {
    ...BARE,
    ground: "heat",
    values: mainEffects,
    label: model.effectsLabel,
    limit: 0,
    wordsLimit: 0,
  };
  if (scale === "shared" || model.effectsApart) {
    return { ...look, limit: model.limits.effects, wordsLimit: model.wordsLimit };
  }
  const limit = greatest(mainEffects.subarray(0, nImage));
  const wordsLimit = greatest(mainEffects.subarray(nImage));
  return {
    ...look,
    limit,
    wordsLimit,
    note: `patches; words are on a scale of their own, to ±${unsigned(wordsLimit)}`,
  };
}

/** The pairs of one player with all others. */
export function conditionedLook(model: ViewerModel, subject: number, scale: ViewerState["scale"]): Look {
  if (model.withoutPairs) return { ...BARE, ground: "faded" };
  const values = model.explanation.conditional(subject);
  const strongest = greatest(values);
  const limit = scale === "own" ? strongest : model.limits.pairs;
  const own = `scale of “${shortName(model, subject)}” alone: maps do not compare`;
  const clipped = strongest > limit * (1 + 1e-6) ? "; stronger pairs take the end’s colour" : "";
  return {
    ...BARE,
    ground: "heat",
    values,
    limit,
    wordsLimit: limit,
    label: model.pairsLabel,
    note: scale === "own" ? own : `the same scale for all maps${clipped}`,
    subject,
  };
}

export function graphLook(model: ViewerModel, pairs: readonly Pair[]): Look {
  const strongest = Math.abs(pairs[0]?.value ?? 0);
  const mixed = new Set(pairs.map(({ kind }) => kind)).size > 1;
  return {
    ...BARE,
    ground: "faded",
    limit: Math.max(model.limits.pairs, strongest),
    note: mixed ? "unbroken: image and text; dashed: within the image; dotted: within the text" : null,
    pairs,
  };
}

export function subsetLook(present: Uint8Array): Look {
  return { ...BARE, ground: "masked", present };
}

export function plainLook(look: Look): Look {
  return { ...look, ground: "colour" };
}
