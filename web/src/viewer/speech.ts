/** Values and players in words: for read-outs, tooltips and screen readers. */
import { withError } from "../explanation/index.ts";
import type { ViewerModel } from "./model.ts";

/** One partner of a player, and the value of the two together. */
interface Partner {
  readonly player: number;
  readonly value: number;
  readonly stdError: number;
}

/** Letters that run from right to left, and marks that turn the text around them. */
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe]/;

/** What a player is called where there is little room: `r3c5`, a region's label, or the word. */
export function shortName({ explanation }: ViewerModel, player: number): string {
  const label = explanation.labels[player] ?? `player ${player}`;
  // Within isolates, so that it turns nothing but itself.
  return TURNS.test(label) ? `\u2068${label}\u2069` : label;
}

/** What a player is called in a sentence. */
export function nameOf(model: ViewerModel, player: number): string {
  const { explanation, report } = model;
  const label = shortName(model, player);
  if (player >= explanation.nImage) return `word “${label}”`;
  if (report.explanation.regions.length) return label;
  const [row, column] = explanation.position(player);
  return `patch row ${row}, column ${column}`;
}

/** Everybody that a player has a value with, strongest first; those without any are left out. */
export function partnersOf({ explanation }: ViewerModel, player: number): Partner[] {
  const values = explanation.conditional(player);
  const order = [...values.keys()].filter((other) => other !== player && values[other] !== 0);
  order.sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0) || a - b);
  return order.map((other) => ({
    player: other,
    value: values[other] ?? 0,
    stdError: explanation.stdError(player, other),
  }));
}

/** Whom a player has its greatest value with; null: nobody. */
function strongestPartner({ explanation }: ViewerModel, player: number): number | null {
  let [best, most]: [number | null, number] = [null, 0];
  explanation.conditional(player).forEach((value, other) => {
    if (Math.abs(value) > most) [best, most] = [other, Math.abs(value)];
  });
  return best;
}

/** A player's own sentence: its main effect, its value alone, and its strongest partner. */
export function describePlayer(model: ViewerModel, player: number): string {
  const { explanation } = model;
  const begin = `${nameOf(model, player)}: `;
  if (model.withoutPairs) return begin + effectOf(model, player);
  const alone = withError(explanation.value(player), explanation.stdError(player));
  const sentence = `${begin}main effect ${effectOf(model, player)}, alone ${alone}`;
  const partner = strongestPartner(model, player);
  if (partner === null) return `${sentence}; no partners`;
  return `${sentence}; strongest partner ${nameOf(model, partner)}, ${pairValue(model, player, partner)}`;
}

/** The sentence of two players together. */
export function describePair(model: ViewerModel, first: number, second: number): string {
  return `${nameOf(model, first)} with ${nameOf(model, second)}: ${pairValue(model, first, second)}`;
}

export function pairValue({ explanation }: ViewerModel, first: number, second: number): string {
  return withError(explanation.value(first, second), explanation.stdError(first, second));
}

/** A player's main effect; with its standard error where the effect is the player's own value alone. */
export function effectOf({ explanation }: ViewerModel, player: number): string {
  const stdError = explanation.order === 1 ? explanation.stdError(player) : Number.NaN;
  return withError(explanation.mainEffects[player] ?? Number.NaN, stdError);
}
