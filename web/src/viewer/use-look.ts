import { useMemo } from "preact/hooks";
import type { ViewerState } from "../explanation/index.ts";
import { conditionedLook, effectsLook, graphLook, type Look, subsetLook } from "./look.ts";
import type { ViewerModel } from "./model.ts";
import { type SubsetChoice, sizeOf } from "./subset-choice.ts";
import { useSubsets } from "./use-subsets.ts";

/** What the stage shows in a state. `explored` is the player that was pointed at last. */
export function useLook(
  model: ViewerModel,
  state: ViewerState,
  explored: number | null,
): { look: Look; subsets: SubsetChoice | null } {
  const { view, scale, extreme } = state;
  const subsets = useSubsets(model, view === "subsets");
  const effects = useMemo(() => effectsLook(model, view === "first-order" ? scale : "shared"), [model, view, scale]);
  const pairs = useMemo(
    () => (view === "graph" ? model.explanation.topPairs(state.pairs, { kind: state.pairKind }) : null),
    [model, view, state.pairs, state.pairKind],
  );
  const subject = view === "conditioned" ? (state.player ?? explored ?? model.resting) : null;
  const size = sizeOf(state.size, model.explanation.n);
  const look = useMemo(() => {
    const present = subsets?.[extreme][size];
    if (subject !== null) return conditionedLook(model, subject, scale);
    if (pairs) return graphLook(model, pairs);
    if (view === "subsets") return subsetLook(present ?? new Uint8Array(model.explanation.n).fill(1));
    return effects;
  }, [model, effects, subject, scale, pairs, view, subsets, extreme, size]);
  return { look, subsets };
}
