import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { MOST_PAIRS, type Pair, type ViewerState } from "../explanation/index.ts";
import { Choice, Slider } from "../ui/index.ts";
import type { ViewerModel } from "./model.ts";
import type { PanelProps } from "./panel.ts";
import { type Ranked, Ranking } from "./ranking.tsx";
import { shortName } from "./speech.ts";

const KINDS: readonly { value: ViewerState["pairKind"]; label: string }[] = [
  { value: "cross", label: "Image–text" },
  { value: "image", label: "Image" },
  { value: "text", label: "Text" },
  { value: "all", label: "All" },
];

/** Which pairs are drawn, and the same pairs as a list. */
export function GraphPanel({
  pairs,
  limit,
  ...props
}: PanelProps & { pairs: readonly Pair[]; limit: number }): JSX.Element {
  const { model, state, onState, marked, arePair, onHover } = props;
  const items = useMemo(() => pairs.map((pair) => rankedPair(model, pair)), [model, pairs]);
  if (model.withoutPairs) return <p class="viewer-note">{model.withoutPairs}</p>;
  const present = model.explanation.countPairs(state.pairKind);
  const most = Math.min(MOST_PAIRS, Math.max(present, 1));
  return (
    <>
      <Choice label="Pairs" value={state.pairKind} options={KINDS} onChange={(pairKind) => onState({ pairKind })} />
      <Slider
        label="How many"
        min={1}
        max={most}
        value={Math.min(state.pairs, most)}
        valueText={`${pairs.length} of ${present.toLocaleString("en")}`}
        onInput={(count) => onState({ pairs: count })}
      />
      {items.length ? (
        <div class="viewer-scroll">
          <Ranking items={items} limit={limit} label="Pairs, strongest first" {...{ marked, arePair, onHover }} />
        </div>
      ) : (
        <p class="viewer-note">{withoutAny(model, state)}</p>
      )}
    </>
  );
}

function rankedPair(model: ViewerModel, { players, value, stdError }: Pair): Ranked {
  const [first, second] = players;
  // The word first: it is what one looks for.
  const label = `${shortName(model, second)} × ${shortName(model, first)}`;
  return { players, label, value, stdError };
}

function withoutAny(model: ViewerModel, state: ViewerState): string {
  if (!model.pairsWithin && state.pairKind !== "cross") {
    return `${model.report.explanation.method} has values of pairs of image and text only.`;
  }
  return "No pair of this kind has a value other than zero.";
}
