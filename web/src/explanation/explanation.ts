/** An explanation as its views ask for it: values of players and pairs, patches of players, the strongest pairs. */
import { type ExplanationDocument, floats } from "./document.ts";

/** Where the two players of a pair come from. */
export type PairKind = "cross" | "image" | "text";

export interface Pair {
  /** The lower index first. */
  players: readonly [number, number];
  kind: PairKind;
  value: number;
  /** NaN where there is none. */
  stdError: number;
}

/** Who is present: 1 for each player that is. */
export type Coalition = Uint8Array;

/** A number for each player, or for each pair of players. */
export type Values = Float32Array;

export class Explanation {
  readonly document: ExplanationDocument;
  /** Players; those of the image come first. */
  readonly n: number;
  readonly nImage: number;
  readonly nText: number;
  readonly tokens: readonly string[];
  /** Rows and columns of patches. */
  readonly grid: readonly [number, number];
  readonly labels: readonly string[];
  /** Whether the values add up to predictions; otherwise they are an attribution. */
  readonly additive: boolean;
  readonly order: 1 | 2;
  /** Whether values of pairs are there. */
  readonly hasPairs: boolean;
  /** (n) values of single players. */
  readonly first: Values;
  /** (n) mean effects of players on others' coalitions: what the first-order view shows. */
  readonly mainEffects: Values;
  /** (n x n) values of pairs, symmetric, row by row; all zero where there are none. */
  readonly pairs: Values;
  /** Which player every patch belongs to. */
  readonly owners: readonly number[];
  #firstErrors: Values | null;
  #pairErrors: Values | null;
  #patches: readonly (readonly number[])[];
  #magnitudes = new Map<PairKind | "all", Values>();

  static fromDocument(document: ExplanationDocument): Explanation {
    return new Explanation(document);
  }

  private constructor(document: ExplanationDocument) {
    const [rows, columns] = document.grid;
    this.document = document;
    this.tokens = document.tokens;
    this.grid = document.grid;
    this.labels = document.labels;
    this.n = document.labels.length;
    this.nText = document.tokens.length;
    this.nImage = this.n - this.nText;
    this.additive = document.additive;
    this.order = document.order;
    this.owners = document.regions.length
      ? document.regions
      : Array.from({ length: rows * columns }, (_, patch) => patch);
    this.#patches = grouped(this.owners, this.nImage);
    this.first = floats(document.first);
    this.#firstErrors = document.first_std_error ? floats(document.first_std_error) : null;
    this.mainEffects = floats(document.main_effects);
    this.hasPairs = document.pairs !== null;
    this.pairs = document.pairs ? square(floats(document.pairs.values), this.n) : new Float32Array(this.n ** 2);
    this.#pairErrors = document.pairs?.std_errors ? square(floats(document.pairs.std_errors), this.n) : null;
  }

  /** The value of a pair of players, or of a single one where both are the same. */
  value(i: number, j: number = i): number {
    return (i === j ? this.first[i] : this.pairs[i * this.n + j]) ?? Number.NaN;
  }

  /** Its standard error; NaN where there is none. */
  stdError(i: number, j: number = i): number {
    return (i === j ? this.#firstErrors?.[i] : this.#pairErrors?.[i * this.n + j]) ?? Number.NaN;
  }

  /** (n) the values of a player's pairs with every other; its own place is 0. A view: not to be changed. */
  conditional(player: number): Values {
    return this.pairs.subarray(player * this.n, (player + 1) * this.n);
  }

  isImage(player: number): boolean {
    return player < this.nImage;
  }

  kindOf(i: number, j: number): PairKind {
    if (this.isImage(i) !== this.isImage(j)) return "cross";
    return this.isImage(i) ? "image" : "text";
  }

  /** The patches of an image player; none for one of the text. */
  patches(player: number): readonly number[] {
    return this.#patches[player] ?? [];
  }

  playerOfPatch(patch: number): number {
    return this.owners[patch] ?? Number.NaN;
  }

  /** Row and column of a patch; of a region, those of its patch that is nearest to its middle. */
  position(player: number): readonly [number, number] {
    const places = this.patches(player).map((patch) => this.place(patch));
    const row = mean(places.map(([r]) => r));
    const column = mean(places.map(([, c]) => c));
    const distances = places.map(([r, c]) => (r - row) ** 2 + (c - column) ** 2);
    return places[distances.indexOf(Math.min(...distances))] ?? [0, 0];
  }

  /** Row and column of a patch, from 0. */
  place(patch: number): readonly [number, number] {
    const columns = this.grid[1];
    return [Math.floor(patch / columns), patch % columns];
  }

  /** At most `k` pairs of greatest absolute value, strongest first, row by row where equal; none that are zero. */
  topPairs(k: number, { kind = "all" }: { kind?: PairKind | "all" } = {}): Pair[] {
    const magnitudes = this.#sortedMagnitudes(kind);
    const count = Math.min(k, magnitudes.length);
    if (count <= 0) return [];
    const least = magnitudes[magnitudes.length - count] ?? 0;
    const found: Pair[] = [];
    this.#forPairs(kind, (i, j, value) => {
      if (Math.abs(value) < least) return;
      found.push({ players: [i, j], kind: this.kindOf(i, j), value, stdError: this.stdError(i, j) });
    });
    return found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, count);
  }

  /** How many pairs of a kind have a value other than zero. */
  countPairs(kind: PairKind | "all" = "all"): number {
    return this.#sortedMagnitudes(kind).length;
  }

  /** The value that the explanation predicts of a coalition; null for attributions, which predict nothing. */
  predict(coalition: Coalition): number | null {
    const { baseline } = this.document;
    if (!this.additive || baseline === null) return null;
    let sum = baseline;
    for (let i = 0; i < this.n; i++) {
      if (!coalition[i]) continue;
      sum += this.first[i] ?? 0;
      if (!this.hasPairs) continue;
      for (let j = i + 1; j < this.n; j++) if (coalition[j]) sum += this.pairs[i * this.n + j] ?? 0;
    }
    return sum;
  }

  /** Ascending; those that are neither zero nor missing. */
  #sortedMagnitudes(kind: PairKind | "all"): Values {
    const known = this.#magnitudes.get(kind);
    if (known) return known;
    const found: number[] = [];
    this.#forPairs(kind, (_i, _j, value) => found.push(Math.abs(value)));
    // Sorting numbers is far quicker than sorting pairs, of which only the strongest are ever asked for.
    const sorted = Float32Array.from(found).sort();
    this.#magnitudes.set(kind, sorted);
    return sorted;
  }

  #forPairs(kind: PairKind | "all", visit: (i: number, j: number, value: number) => void): void {
    const { n, nImage, pairs } = this;
    for (let i = kind === "text" ? nImage : 0; i < (kind === "cross" || kind === "image" ? nImage : n); i++) {
      const begin = kind === "cross" ? nImage : i + 1;
      for (let j = begin; j < (kind === "image" ? nImage : n); j++) {
        const value = pairs[i * n + j];
        if (value) visit(i, j, value);
      }
    }
  }
}

/** The greatest absolute value: the limit of a scale on which all `values` have a colour. NaN does not count. */
export function greatest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** (n x n) from the upper triangle. */
function square(triangle: Values, n: number): Values {
  const full = new Float32Array(n * n);
  let k = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const value = triangle[k++] ?? Number.NaN;
      full[i * n + j] = value;
      full[j * n + i] = value;
    }
  }
  return full;
}

/** The patches of each of `count` players. */
function grouped(owners: readonly number[], count: number): number[][] {
  const groups: number[][] = Array.from({ length: count }, () => []);
  owners.forEach((owner, patch) => {
    groups[owner]?.push(patch);
  });
  return groups;
}
