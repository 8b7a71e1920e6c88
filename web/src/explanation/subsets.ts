/**
 * The subsets of every size to which an explanation gives the greatest and the least value: the search of
 * `fixlip_core/evaluation/subsets.py`, with the same result.
 *
 * To choose k of n players by their pairs is NP-hard. The search (FIxLIP, arXiv 2508.05430) begins with each player in
 * turn and adds the one that gains most; it does the same for the players to be left out, which is the same problem
 * with other first-order values. The better result of each size is then improved by exchanges.
 */
import type { SubsetsDocument } from "./document.ts";
import { type Coalition, greatest as greatestOf } from "./explanation.ts";

export interface ExtremeSubsets {
  /** For every size k from 0 to n, a coalition of k players and of greatest value; they need not be nested. */
  best: readonly Coalition[];
  /** Of least value, likewise. */
  worst: readonly Coalition[];
  /** Sums of the values of the players and pairs that are present. */
  bestValues: Float64Array;
  worstValues: Float64Array;
}

type Numbers = Float32Array | Float64Array;
/** A search that can be left and taken up again wherever it yields. */
type Search<T> = Generator<undefined, T>;

interface Game {
  first: Float64Array;
  second: Float32Array;
  /** (n) the most that a player without can gain by another's leaving, beside what it is worth. */
  reliefs: Float64Array;
  /** What an exchange must gain: less is rounding. */
  least: number;
}

const SLICE_MS = 12;

/**
 * Search in slices of some milliseconds, between which the page lives on.
 *
 * @param first (n) values of single players.
 * @param second (n x n) values of pairs, symmetric, zero diagonal.
 * @param signal ends the search; the promise is then rejected.
 */
export async function extremeSubsets(
  first: Numbers,
  second: Float32Array,
  signal?: AbortSignal,
): Promise<ExtremeSubsets> {
  const search = searchBoth(first, second);
  for (;;) {
    const end = performance.now() + SLICE_MS;
    do {
      const step = search.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
  }
}

/** The subsets that an evaluation has found and measured. */
export function subsetsFromDocument(document: SubsetsDocument, n: number): ExtremeSubsets {
  return {
    best: document.greatest.map((players) => coalitionOf(players, n)),
    worst: document.least.map((players) => coalitionOf(players, n)),
    bestValues: Float64Array.from(document.greatest_values),
    worstValues: Float64Array.from(document.least_values),
  };
}

function coalitionOf(players: Iterable<number>, n: number): Coalition {
  const coalition = new Uint8Array(n);
  for (const player of players) coalition[player] = 1;
  return coalition;
}

function* searchBoth(first: Numbers, second: Float32Array): Search<ExtremeSubsets> {
  const best = yield* greatest(Float64Array.from(first), second);
  const worst = yield* greatest(
    Float64Array.from(first, (value) => -value),
    second.map((value) => -value),
  );
  const bestValues = yield* valuesOf(best, first, second);
  return { best, worst, bestValues, worstValues: yield* valuesOf(worst, first, second) };
}

function* greatest(first: Float64Array, second: Float32Array): Search<Coalition[]> {
  const n = first.length;
  const added = yield* grown(first, second);
  // Without the players of T the value is v(all) less first_i + sum_j second_ij for i in T, plus the pairs within T.
  const lost = first.map((value, i) => -second.subarray(i * n, (i + 1) * n).reduce((sum, pair) => sum + pair, value));
  const left = yield* grown(lost, second);
  const kept = left.reverse().map((coalition) => coalition.map((present) => 1 - present));
  const addedValues = yield* valuesOf(added, first, second);
  const keptValues = yield* valuesOf(kept, first, second);
  const game: Game = {
    first,
    second,
    reliefs: first.map((_, i) => -second.subarray(i * n, (i + 1) * n).reduce((least, pair) => Math.min(least, pair))),
    least: 1e-9 * Math.max(greatestOf(first), greatestOf(second)),
  };
  const subsets: Coalition[] = [];
  for (let size = 0; size <= n; size++) {
    const start = (keptValues[size] ?? 0) > (addedValues[size] ?? 0) ? kept[size] : added[size];
    if (start) subsets.push(exchanged(start, game));
    yield;
  }
  return subsets;
}

/** The best coalition of each size from 0 over greedy searches from every start. */
function* grown(first: Float64Array, second: Float32Array): Search<Coalition[]> {
  const n = first.length;
  const best = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  const orders: Int32Array[] = Array.from({ length: n }, () => new Int32Array(0));
  for (let start = 0; start < n; start++) {
    const { order, totals } = greedy(start, first, second);
    totals.forEach((total, k) => {
      if (total > (best[k] ?? 0)) {
        best[k] = total;
        orders[k] = order;
      }
    });
    yield;
  }
  return [new Uint8Array(n), ...orders.map((order, k) => coalitionOf(order.subarray(0, k + 1), n))];
}

/** The order in which players are added, and the value after each. */
function greedy(start: number, first: Float64Array, second: Float32Array): { order: Int32Array; totals: Float64Array } {
  const n = first.length;
  const gains = first.slice();
  const order = new Int32Array(n);
  const totals = new Float64Array(n);
  // Who is left, ascending: of players that gain the same, the first is taken.
  const rest = Int32Array.from(first.keys());
  let place = start;
  let total = 0;
  for (let k = 0; k < n; k++) {
    const pick = rest[place] as number;
    total += gains[pick] as number;
    order[k] = pick;
    totals[k] = total;
    rest.copyWithin(place, place + 1, n - k);
    const row = pick * n;
    let most = Number.NEGATIVE_INFINITY;
    for (let r = 0; r < n - k - 1; r++) {
      const player = rest[r] as number;
      const gain = (gains[player] as number) + (second[row + player] as number);
      gains[player] = gain;
      if (gain > most) {
        most = gain;
        place = r;
      }
    }
  }
  return { order, totals };
}

/** The subset after exchanges of one player within for one without, each the best there is, while that gains. */
function exchanged(subset: Coalition, game: Game): Coalition {
  const { first, second, least } = game;
  const n = first.length;
  const members = subset.slice();
  const marginal = first.slice();
  members.forEach((present, player) => {
    if (present) shift(marginal, second, player, 1);
  });
  // More would be a cycle of rounding.
  for (let round = 0; round < n; round++) {
    const { gain, leaves, enters } = bestExchange(members, marginal, game);
    if (!(gain > least)) break;
    members[leaves] = 0;
    members[enters] = 1;
    shift(marginal, second, enters, 1);
    shift(marginal, second, leaves, -1);
  }
  return members;
}

function bestExchange(members: Coalition, marginal: Float64Array, { second, reliefs }: Game) {
  const n = members.length;
  const players = Int32Array.from(members.keys());
  const outside = players.filter((player) => !members[player]);
  const greatestMarginal = outside.reduce((most, player) => Math.max(most, marginal[player] as number), -Infinity);
  const best = { gain: Number.NEGATIVE_INFINITY, leaves: 0, enters: 0 };
  for (const leaves of players.filter((player) => members[player])) {
    const lost = marginal[leaves] as number;
    if (greatestMarginal - lost + (reliefs[leaves] as number) <= best.gain) continue;
    const row = leaves * n;
    let most = best.gain;
    for (let k = 0; k < outside.length; k++) {
      const enters = outside[k] as number;
      const gain = (marginal[enters] as number) - lost - (second[row + enters] as number);
      if (gain > most) {
        most = gain;
        best.enters = enters;
        best.leaves = leaves;
      }
    }
    best.gain = most;
  }
  return best;
}

/** Adds a player's pairs to what each player is worth beside the members. */
function shift(marginal: Float64Array, second: Float32Array, player: number, sign: 1 | -1): void {
  const row = player * marginal.length;
  for (let j = 0; j < marginal.length; j++) {
    marginal[j] = (marginal[j] as number) + sign * (second[row + j] as number);
  }
}

function* valuesOf(coalitions: readonly Coalition[], first: Numbers, second: Float32Array): Search<Float64Array> {
  const values = new Float64Array(coalitions.length);
  for (const [size, coalition] of coalitions.entries()) {
    values[size] = sumOf(coalition, first, second);
    yield;
  }
  return values;
}

function sumOf(coalition: Coalition, first: Numbers, second: Float32Array): number {
  const players = Int32Array.from(coalition.keys()).filter((player) => coalition[player]);
  let sum = 0;
  for (let a = 0; a < players.length; a++) {
    const i = players[a] as number;
    const row = i * coalition.length;
    sum += first[i] as number;
    for (let b = a + 1; b < players.length; b++) sum += second[row + (players[b] as number)] as number;
  }
  return sum;
}
