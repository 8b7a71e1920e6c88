/** What a viewer shows, as part of an address: links reproduce it. What is as usual is left out. */

export const VIEWS = ["first-order", "conditioned", "graph", "subsets", "values", "metrics", "record"] as const;
export const PAIR_KINDS = ["cross", "image", "text", "all"] as const;
export const EXTREMES = ["best", "worst"] as const;
export const SCALES = ["shared", "own"] as const;
export const MOST_PAIRS = 200;

export interface ViewerState {
  view: (typeof VIEWS)[number];
  /** The player that is pinned. */
  player: number | null;
  /** How many pairs the graph shows, 1 to MOST_PAIRS. */
  pairs: number;
  pairKind: (typeof PAIR_KINDS)[number];
  /** Players in the subset; null: half of them. */
  size: number | null;
  extreme: (typeof EXTREMES)[number];
  /** Whether conditioned maps share one scale. */
  scale: (typeof SCALES)[number];
  /** Whether the picture is shown without its map. */
  plain: boolean;
}

export const INITIAL_STATE: ViewerState = {
  view: "first-order",
  player: null,
  pairs: 24,
  pairKind: "cross",
  size: null,
  extreme: "best",
  scale: "shared",
  plain: false,
};

/** The state in an address; what is missing there, or makes no sense, is as usual. */
export function stateFromQuery(query: URLSearchParams): ViewerState {
  return {
    view: oneOf(VIEWS, query.get("view"), INITIAL_STATE.view),
    player: whole(query.get("player")),
    pairs: Math.min(MOST_PAIRS, Math.max(1, whole(query.get("pairs")) ?? INITIAL_STATE.pairs)),
    pairKind: oneOf(PAIR_KINDS, query.get("kind"), INITIAL_STATE.pairKind),
    size: whole(query.get("size")),
    extreme: oneOf(EXTREMES, query.get("extreme"), INITIAL_STATE.extreme),
    scale: oneOf(SCALES, query.get("scale"), INITIAL_STATE.scale),
    plain: query.get("plain") === "yes",
  };
}

/** `query` with `state` in it; its other parameters stay as they are. */
export function queryWithState(state: ViewerState, query: URLSearchParams = new URLSearchParams()): URLSearchParams {
  const written: Record<string, string | null> = {
    view: state.view === INITIAL_STATE.view ? null : state.view,
    player: state.player === null ? null : String(state.player),
    pairs: state.pairs === INITIAL_STATE.pairs ? null : String(state.pairs),
    kind: state.pairKind === INITIAL_STATE.pairKind ? null : state.pairKind,
    size: state.size === null ? null : String(state.size),
    extreme: state.extreme === INITIAL_STATE.extreme ? null : state.extreme,
    scale: state.scale === INITIAL_STATE.scale ? null : state.scale,
    plain: state.plain ? "yes" : null,
  };
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(written)) {
    if (value === null) changed.delete(name);
    else changed.set(name, value);
  }
  return changed;
}

function oneOf<T extends string>(words: readonly T[], text: string | null, otherwise: T): T {
  return words.find((word) => word === text) ?? otherwise;
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}
