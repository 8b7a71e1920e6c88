/** What a comparison's address says: which explanations, by which scales, and what the viewers show. */

import { queryWithState, stateFromQuery, type ViewerState } from "../../explanation/state.ts";

export interface CompareState {
  readonly ids: readonly string[];
  /** Whether all viewers have the colour scale of the greatest. */
  readonly isOneScale: boolean;
  /** Place of the explanation whose player is pinned. */
  readonly of: number;
  /** What all viewers show; the player is one of explanation `of`. */
  readonly viewer: ViewerState;
}

/** How many are shown beside each other. */
export const MOST_SHOWN = 4;

const JOB_ID = /^[0-9a-f]{32}$/;

/** The state that an address tells of. */
export function compareState(query: URLSearchParams): CompareState {
  const named = new Set((query.get("explanations") ?? "").split(",").filter((id) => JOB_ID.test(id)));
  const ids = [...named].slice(0, MOST_SHOWN);
  const of = Number(query.get("of") ?? 0);
  return {
    ids,
    isOneScale: query.get("scales") === "one",
    of: Number.isInteger(of) && of >= 0 && of < ids.length ? of : 0,
    viewer: stateFromQuery(query),
  };
}

/** The address of a state. */
export function compareQuery({ ids, isOneScale, of, viewer }: CompareState): URLSearchParams {
  const query = new URLSearchParams();
  if (ids.length > 0) query.set("explanations", ids.join(","));
  if (isOneScale) query.set("scales", "one");
  if (of > 0 && viewer.player !== null) query.set("of", String(of));
  return queryWithState(viewer, query);
}
