import { useMemo } from "preact/hooks";

import { fragmentOf } from "../routing.ts";
import { Heading } from "../shell/Heading.tsx";
import { Chooser } from "./Chooser.tsx";
import { Comparing } from "./Comparing.tsx";
import { type CompareState, compareQuery, compareState } from "./state.ts";

import "./compare.css";

interface Props {
  /** What follows `?` in the fragment. */
  readonly query: URLSearchParams;
  readonly onQuery: (query: URLSearchParams, options: { replace: boolean }) => void;
}

/** Explanations of one pair side by side; with fewer than two, the choice of them. */
export function ComparePage({ query, onQuery }: Props) {
  const state = useMemo(() => compareState(query), [query]);
  const isChoosing = state.ids.length < 2 || query.get("choose") === "yes";
  const go = (changed: Partial<CompareState>): void =>
    onQuery(compareQuery({ ...state, ...changed }), { replace: changed.ids === undefined });
  return (
    <div class="compare-page">
      <Heading title="Compare">
        {!isChoosing && (
          <a class="ui-button" href={fragmentOf("compare", { explanations: state.ids.join(","), choose: "yes" })}>
            Choose others
          </a>
        )}
      </Heading>
      {isChoosing ? (
        <Chooser key={state.ids.join()} ids={state.ids} onIds={(ids) => go({ ids })} />
      ) : (
        <Comparing key={state.ids.join()} state={state} onState={go} />
      )}
    </div>
  );
}
