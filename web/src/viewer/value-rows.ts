/** The rows of the table of values: made, sorted, filtered, and written as CSV. */
import type { ViewerModel } from "./model.ts";
import { shortName } from "./speech.ts";

export interface ValueRow {
  readonly players: readonly number[];
  readonly label: string;
  /** The player's own value, or the pair's. */
  readonly value: number;
  readonly stdError: number;
  /** A player's main effect; of pairs, their value. */
  readonly effect: number;
}

export type SortKey = "label" | "value" | "stdError" | "effect" | "strength";

export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

export function playerRows(model: ViewerModel): ValueRow[] {
  const { n, mainEffects } = model.explanation;
  return Array.from({ length: n }, (_, player) => ({
    players: [player],
    label: shortName(model, player),
    value: model.explanation.value(player),
    stdError: model.explanation.stdError(player),
    effect: mainEffects[player] ?? Number.NaN,
  }));
}

/** The strongest pairs, by default all whose value is not zero. */
export function pairRows(model: ViewerModel, most = Number.POSITIVE_INFINITY): ValueRow[] {
  return model.explanation.topPairs(most).map(({ players, value, stdError }) => ({
    players,
    label: `${shortName(model, players[1])} × ${shortName(model, players[0])}`,
    value,
    stdError,
    effect: value,
  }));
}

/** The rows whose label has every word of `text` in it, in order; equal ones stay as they were. */
export function arranged(rows: readonly ValueRow[], text: string, { key, descending }: Sorting): ValueRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = rows.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  const sign = descending ? -1 : 1;
  if (key === "label") return kept.sort((a, b) => sign * a.label.localeCompare(b.label, "en", { numeric: true }));
  const of = (row: ValueRow) => (key === "strength" ? Math.abs(row.effect) : row[key]);
  return kept.sort((a, b) => compared(of(a), of(b), sign));
}

/** Missing numbers are last either way. */
function compared(a: number, b: number, sign: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return sign * (a - b);
}

/** One line for each row; of single players with their main effects. */
export function asCsv(rows: readonly ValueRow[], kind: "players" | "pairs"): string {
  const number = (value: number) => (Number.isNaN(value) ? "" : String(value));
  const lines = rows.map(({ label, value, stdError, effect }) => {
    const numbers = kind === "players" ? [effect, value, stdError] : [value, stdError];
    return [quoted(label), ...numbers.map(number)].join(",");
  });
  const names = kind === "players" ? "player,main_effect,value,std_error" : "pair,value,std_error";
  return `${[names, ...lines].join("\r\n")}\r\n`;
}

/** What begins like a formula is kept from being one in a spreadsheet. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
