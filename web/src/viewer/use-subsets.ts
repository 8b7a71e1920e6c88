import { useEffect, useMemo, useState } from "preact/hooks";
import { extremeSubsets } from "../explanation/index.ts";
import type { ViewerModel } from "./model.ts";
import { choiceOf, knownSubsets, type SubsetChoice } from "./subset-choice.ts";

/** The subsets of an explanation; null while they are searched for, which begins when they are wanted first. */
export function useSubsets({ explanation, report }: ViewerModel, wanted: boolean): SubsetChoice | null {
  const known = useMemo(() => (wanted ? knownSubsets(explanation, report) : null), [explanation, report, wanted]);
  const [searched, setSearched] = useState<{ of: unknown; choice: SubsetChoice } | null>(null);
  const found = searched?.of === explanation ? searched.choice : null;
  const missing = wanted && !known && !found;
  useEffect(() => {
    if (!missing) return;
    const leaving = new AbortController();
    extremeSubsets(explanation.first, explanation.pairs, leaving.signal).then(
      (subsets) => setSearched({ of: explanation, choice: choiceOf(explanation, subsets) }),
      (reason: unknown) => {
        if (!leaving.signal.aborted) throw reason;
      },
    );
    return () => leaving.abort();
  }, [missing, explanation]);
  return known ?? found;
}
