import { useState } from "preact/hooks";

import { colour, diverging, inkOn, signed } from "../../explanation/index.ts";
import { Button, Legend } from "../../ui/index.ts";
import { comparisonFigure, type ExplanationComparisonView } from "../api/comparisons.ts";
import { download } from "../api/index.ts";
import { Failure } from "../shell/Failure.tsx";
import { DifferenceMap } from "./DifferenceMap.tsx";
import { DIFFERENCE_LIMIT, difference } from "./difference.ts";
import type { Subject } from "./useSubjects.ts";

interface DifferenceProps {
  readonly comparison: ExplanationComparisonView;
  readonly names: readonly string[];
  readonly subjects: readonly Subject[];
}

/** Each explanation less the first, on the players that they share. */
export function DifferenceSection({ comparison, names, subjects }: DifferenceProps) {
  const [first, ...others] = comparison.explanations;
  if (!first) return null;
  return (
    <section class="difference" aria-labelledby="difference">
      <div class="section-head">
        <h2 id="difference">What sets them apart</h2>
        <FigureDownloads ids={comparison.explanations.map(({ id }) => id)} />
      </div>
      <p class="quiet">
        Each explanation less the first, both in shares of their own greatest effect: the units of different models and
        methods do not compare.
      </p>
      <ul class="difference-list">
        {others.map((other, index) => (
          <li key={other.id}>
            <h3>
              {names[index + 1]} <span class="quiet">less</span> {names[0]}
            </h3>
            <DifferenceMap
              values={difference(other, first, "image")}
              players={comparison.players}
              subject={subjects[0]}
            />
            <WordDifferences values={difference(other, first, "text")} tokens={comparison.players.tokens} />
            <Legend limit={DIFFERENCE_LIMIT} label="difference of shares" compact />
          </li>
        ))}
      </ul>
    </section>
  );
}

function WordDifferences({ values, tokens }: { values: readonly number[]; tokens: readonly string[] }) {
  return (
    <ul class="difference-words" aria-label="Words">
      {tokens.map((token, index) => {
        const value = values[index] ?? 0;
        const style = { background: colour(value, DIFFERENCE_LIMIT), color: inkOn(diverging(value, DIFFERENCE_LIMIT)) };
        return (
          <li key={index} style={style} title={signed(value)}>
            <bdi>{token}</bdi>
            <span class="ui-hidden"> {signed(value)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function FigureDownloads({ ids }: { ids: readonly string[] }) {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const save = async (kind: "png" | "svg"): Promise<void> => {
    setError(null);
    setIsBusy(true);
    try {
      await download(comparisonFigure(ids, kind), `comparison.${kind}`);
    } catch (caught) {
      setError(caught as Error);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <div class="ui-actions">
      <span class="ui-label">{isBusy ? "Drawing the figure …" : "Figure"}</span>
      {(["png", "svg"] as const).map((kind) => (
        <Button
          key={kind}
          disabled={isBusy}
          aria-label={`Download the figure as ${kind.toUpperCase()}`}
          onClick={() => save(kind)}
        >
          {kind.toUpperCase()}
        </Button>
      ))}
      {error && <Failure error={error} />}
    </div>
  );
}
